"""Logs are lines that people and machines can read, hold no secrets and break nothing."""

import json
import logging
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
import structlog

from vmpooler_common.logs import LineHandler, LogFileError, configure, reopen
from vmpooler_common.outages import Outage

log = structlog.get_logger(__name__)


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Leave the logging of the test run as it was."""
    root = logging.getLogger()
    level = root.level
    yield
    for handler in [handler for handler in root.handlers if isinstance(handler, LineHandler)]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "service.log"


def as_json(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def run(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a script in a process of its own, where it may limit what it can write."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_line_for_people_has_time_level_event_and_facts(file: Path) -> None:
    configure(format="text", level="info", file=str(file))
    log.info("vm granted", vm="tall-tree", pool="debian", seconds=0.5)
    time, rest = file.read_text().split(" ", 1)
    assert time.endswith("Z")
    assert rest == "info     vm granted vm=tall-tree pool=debian seconds=0.5\n"


def test_a_line_for_machines_is_one_json_object(file: Path) -> None:
    configure(format="json", level="info", file=str(file))
    log.info("vm granted", vm="tall-tree", count=2, user=None, password=None)
    (line,) = as_json(file)
    assert str(line.pop("timestamp")).endswith("Z")
    assert line == {"level": "info", "event": "vm granted", "vm": "tall-tree", "count": 2, "password": None}


@pytest.mark.parametrize("value", [{1, 2}, float("nan"), {(1, 2): 3}, Path("/x")])
def test_a_fact_that_json_doesnt_know_is_logged_as_text(file: Path, value: object) -> None:
    configure(format="json", level="info", file=str(file))
    log.info("odd", value=value)
    (line,) = as_json(file)
    assert isinstance(line["value"], str)


@pytest.mark.parametrize("form", ["text", "json"])
def test_nobody_can_forge_a_line(file: Path, form: Literal["text", "json"]) -> None:
    configure(format=form, level="info", file=str(file))
    log.info("asked\nfor", name="x\n2026-01-01 error all is lost \x1b[2J")
    assert file.read_text().count("\n") == 1
    assert "\x1b" not in file.read_text()


def test_the_text_of_an_error_is_indented_below_its_line(file: Path) -> None:
    configure(format="text", level="info", file=str(file))
    log.error("pass failed", exc_info=LookupError("no such vm\nforged line"))
    first, *rest = file.read_text().splitlines()
    assert first.endswith("error    pass failed")
    assert rest == ["    LookupError: no such vm", "    forged line"]


@pytest.mark.parametrize(("level", "seen"), [("debug", 3), ("info", 2), ("error", 0)])
def test_nothing_below_the_level_is_logged(file: Path, level: str, seen: int) -> None:
    configure(format="json", level=level, file=str(file))
    log.debug("fine")
    log.info("good")
    logging.getLogger("uvicorn.error").warning("hm")
    assert len(as_json(file)) == seen


def test_a_level_that_isnt_one_is_refused() -> None:
    with pytest.raises(ValueError, match="'loud' is no log level"):
        configure(format="text", level="loud", file=None)


def test_a_librarys_record_becomes_a_line_like_ours(file: Path) -> None:
    configure(format="json", level="info", file=str(file))
    logging.getLogger("uvicorn.error").warning("took %d s", 3)
    (line,) = as_json(file)
    del line["timestamp"]
    assert line == {"level": "warning", "event": "took 3 s", "logger": "uvicorn.error"}


def test_a_request_to_another_service_is_no_line_unless_something_is_wrong(file: Path) -> None:
    configure(format="json", level="info", file=str(file))
    logging.getLogger("httpx").info("HTTP Request: GET http://graphs.example/render")
    logging.getLogger("httpx").warning("odd")
    assert [line["event"] for line in as_json(file)] == ["odd"]


def test_a_librarys_record_whose_arguments_dont_fit_is_logged_all_the_same(file: Path) -> None:
    ended = run(
        """
        import logging, sys
        from vmpooler_common.logs import configure
        configure(format="json", level="info", file=sys.argv[1])
        logging.getLogger("redis").warning("took %d s", "long")
        """,
        str(file),
    )
    assert ended.stderr == ""
    assert [line["event"] for line in as_json(file)] == ["took %d s"]


def test_what_looks_like_a_secret_is_masked_at_any_depth(file: Path) -> None:
    configure(format="json", level="info", file=str(file))
    log.info(
        "settings",
        password="hunter2",
        redis={"auth": [{"API_KEY": "hunter2"}], "x-auth-token": "hunter2"},
        headers=({"Authorization": "hunter2"},),
    )
    assert "hunter2" not in file.read_text()
    assert as_json(file)[0]["password"] == "***"


def test_whether_there_is_a_secret_may_be_told(file: Path) -> None:
    configure(format="json", level="info", file=str(file))
    log.info("vm granted", has_token=True, password=None)
    assert as_json(file)[0].items() >= {"has_token": True, "password": None}.items()


def test_the_password_in_a_url_is_masked_also_in_texts(file: Path) -> None:
    configure(format="json", level="info", file=str(file))
    log.info("can't reach redis://me:hunter2@cache:6379/0", url="rediss://:hunter2@cache")
    (line,) = as_json(file)
    assert line["event"] == "can't reach redis://me:***@cache:6379/0"
    assert line["url"] == "rediss://:***@cache"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://x/a.vhd?sv=1&sig=aB%2Fc%3D&se=2", "https://x/a.vhd?sv=1&sig=***&se=2"),
        ("see /a?token=hunter2 and /b?Password=hunter2", "see /a?token=*** and /b?Password=***"),
        ("?X-Amz-Signature=hunter2&X-Amz-Date=2026", "?X-Amz-Signature=***&X-Amz-Date=2026"),
        ("https://x/#access_token=hunter2", "https://x/#access_token=***"),
        ("https://x/?design=round&tokens", "https://x/?design=round&tokens"),
        ("token=of no url", "token=of no url"),
    ],
)
def test_secrets_in_a_url_are_masked_under_any_key(file: Path, url: str, shown: str) -> None:
    configure(format="json", level="info", file=str(file))
    log.info("fetched", url=url, inner=[{"template": url}])
    (line,) = as_json(file)
    assert (line["url"], line["inner"]) == (shown, [{"template": shown}])


def test_facts_bound_to_a_request_are_on_each_of_its_lines(file: Path) -> None:
    configure(format="json", level="info", file=str(file))
    with structlog.contextvars.bound_contextvars(request="r-1"):
        log.info("asked")
        logging.getLogger("redis").warning("slow")
    assert [line["request"] for line in as_json(file)] == ["r-1", "r-1"]


def test_lines_are_added_to_a_file_that_exists(file: Path) -> None:
    file.write_text("before\n")
    configure(format="text", level="info", file=str(file))
    log.info("after")
    assert file.read_text().splitlines()[0] == "before"


def test_a_second_set_up_replaces_the_first(file: Path, tmp_path: Path) -> None:
    configure(format="json", level="info", file=str(file))
    configure(format="json", level="info", file=str(tmp_path / "second.log"))
    log.info("once")
    logging.getLogger("redis").warning("twice")
    assert file.read_text() == ""
    assert [line["event"] for line in as_json(tmp_path / "second.log")] == ["once", "twice"]


def test_without_a_file_lines_go_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    configure(format="text", level="info", file=None)
    log.info("hello")
    written = capfd.readouterr()
    assert (written.out, written.err.split(" ", 1)[1]) == ("", "info     hello\n")


def test_standard_output_can_be_named_as_the_file(capfd: pytest.CaptureFixture[str]) -> None:
    configure(format="text", level="info", file="/dev/stdout")
    log.info("hello")
    assert capfd.readouterr().out.endswith("hello\n")


def test_a_file_that_cant_be_opened_is_named_in_the_error(tmp_path: Path) -> None:
    missing = str(tmp_path / "missing" / "service.log")
    with pytest.raises(LogFileError) as caught:
        configure(format="text", level="info", file=missing)
    assert "the log file can't be written: No such file or directory" in str(caught.value)
    assert missing in str(caught.value)


def test_the_line_about_a_file_that_cant_be_opened_looks_like_all_others(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(LogFileError):
        configure(format="json", level="info", file=str(tmp_path / "missing" / "service.log"))
    log.critical("can't log")
    assert json.loads(capfd.readouterr().err)["event"] == "can't log"


@pytest.mark.parametrize(
    "text",
    [
        "Invalid HTTP request received.",
        "Unsupported upgrade request.",
        "No supported WebSocket library detected. Please install one.",
    ],
)
def test_a_client_cant_flood_the_log_with_requests_that_are_none(file: Path, text: str) -> None:
    configure(format="json", level="info", file=str(file))
    logging.getLogger("uvicorn.error").warning(text)
    logging.getLogger("uvicorn.error").warning("shutting down")
    assert [line["event"] for line in as_json(file)] == ["shutting down"]


def test_a_full_disk_stops_neither_our_lines_nor_those_of_libraries() -> None:
    ended = run(
        """
        import logging, structlog
        from vmpooler_common.logs import configure
        configure(format="text", level="info", file="/dev/full")
        for _ in range(3):
            structlog.get_logger().info("lost")
            logging.getLogger("redis").warning("lost")
        print("still here")
        """
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "still here\n", "")


def test_the_first_line_after_a_full_disk_tells_how_many_were_lost(file: Path) -> None:
    ended = run(
        """
        import resource, sys, structlog
        from vmpooler_common.logs import configure
        configure(format="json", level="info", file=sys.argv[1])
        log = structlog.get_logger()
        log.info("before")
        resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))  # in the middle of a line
        log.info("lost")
        log.info("lost")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        log.info("after")
        log.info("later")
        """,
        str(file),
    )
    assert ended.returncode == 0, ended.stderr
    *_, after, later = file.read_text().splitlines()
    assert json.loads(after)["log_lines_lost"] == 2
    assert "log_lines_lost" not in json.loads(later)


def test_a_closed_pipe_stops_nothing() -> None:
    ended = run(
        """
        import os, structlog
        from vmpooler_common.logs import configure
        reading, writing = os.pipe()
        os.dup2(writing, 2)
        os.close(reading)
        os.close(writing)
        configure(format="text", level="info", file=None)
        structlog.get_logger().info("lost")
        print("still here")
        """
    )
    assert ended.stdout == "still here\n"


def test_an_outage_is_logged_when_it_begins_and_when_it_ends() -> None:
    seconds = iter((100.0, 103.0, 107.26))
    outage = Outage("redis", clock=lambda: next(seconds), pool="debian")
    with structlog.testing.capture_logs() as logged:
        outage.began("refused")
        outage.began("timeout")
        outage.ended()
        outage.ended()
    facts = {"what": "redis", "pool": "debian", "log_level": "warning"}
    assert logged == [
        {"event": "outage.began", "reason": "refused", **facts},
        {"event": "outage.ended", "seconds": 7.3, "failures": 2, **facts},
    ]


def test_what_was_never_out_of_order_logs_nothing() -> None:
    with structlog.testing.capture_logs() as logged:
        Outage("redis").ended()
    assert logged == []


def test_a_second_outage_is_logged_anew() -> None:
    outage = Outage("redis")
    with structlog.testing.capture_logs() as logged:
        for _ in range(2):
            outage.began("refused")
            outage.ended()
    assert [(entry["event"], entry.get("failures")) for entry in logged] == [
        ("outage.began", None),
        ("outage.ended", 1),
    ] * 2


def test_a_failure_that_goes_on_is_told_again_after_five_minutes(file: Path) -> None:
    configure(format="json", level="info", file=str(file))
    now = 0.0
    outage = Outage("clones", clock=lambda: now, pool="debian")
    for _ in range(400):
        outage.began(f"failure at {now:g} s")
        now += 1
    outage.ended()
    told = [json.loads(line) for line in file.read_text().splitlines()]
    assert [(line["event"], line.get("failures")) for line in told] == [
        ("outage.began", None),
        ("outage.goes_on", 301),
        ("outage.ended", 400),
    ]
    assert told[1]["reason"] == "failure at 300 s"


def test_lines_go_to_the_new_file_after_a_rotation(file: Path) -> None:
    configure(format="text", level="info", file=str(file))
    log.info("before")
    rotated = file.rename(file.with_suffix(".1"))
    log.info("still there")
    reopen()
    log.info("after")
    assert [line.split()[-1] for line in rotated.read_text().splitlines()] == ["before", "there"]
    assert [line.split()[-1] for line in file.read_text().splitlines()] == ["after"]


def test_a_log_that_can_not_be_reopened_goes_on_where_it_was(file: Path) -> None:
    configure(format="text", level="info", file=str(file))
    rotated = file.rename(file.with_suffix(".1"))
    file.mkdir()
    with pytest.raises(LogFileError):
        reopen()
    log.info("still there")
    assert "still there" in rotated.read_text()
