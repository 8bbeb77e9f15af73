"""The command line that both services share."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.config.documents import COMPLETE, write
from vmpooler_common import __version__
from vmpooler_common.cli import Invocation, add_print_metrics, make_parser, start
from vmpooler_common.config import Service
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics

PRINT_SETTINGS = (
    "import sys; from vmpooler_common.cli import start; sys.exit(start('api', ['--print-settings'], {}))"
)
services = pytest.mark.parametrize("service", ["api", "manager"])


@pytest.fixture
def fine(tmp_path: Path) -> Path:
    return write(tmp_path, "fine.yaml", COMPLETE)


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    return write(
        tmp_path,
        "wrong.yaml",
        "config: {task_limit: 0, redy_ttl: 5}\npools: [{name: a, size: 1, provider: dummy}]\n",
    )


@services
def test_without_a_question_the_configuration_to_run_with_is_returned(service: Service, fine: Path) -> None:
    invocation = start(
        service, ["--config", str(fine), "--port", "0", "--host", "::1", "--host", "[::2]"], {}
    )
    assert isinstance(invocation, Invocation)
    listen = invocation.configuration.settings.listen
    assert (listen.hosts, listen.port) == (("::1", "::2"), 0)


def test_a_service_may_have_options_of_its_own(fine: Path) -> None:
    parser = make_parser("manager")
    parser.add_argument("--release", metavar="PROVIDER")
    invocation = start("manager", ["--config", str(fine), "--release", "dummy"], {}, parser=parser)
    assert isinstance(invocation, Invocation)
    assert invocation.arguments.release == "dummy"


def test_a_fine_configuration_is_called_fine(fine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("api", ["--check-config", "--config", str(fine)], {}) == 0
    assert capsys.readouterr() == ("configuration is fine: 1 pool, 0 aliases, 1 provider, 0 warnings\n", "")


def test_checking_prints_warnings_and_what_is_not_in_effect_yet(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path, "a.yaml", COMPLETE | {"config": {"adaptive_timeout_enabled": True, "redy_ttl": 5}})
    assert start("api", ["--check-config", "--config", str(path)], {}) == 0
    out, err = capsys.readouterr()
    assert "1 warning" in out
    assert "config.redy_ttl" in err
    assert "not in effect yet: config.adaptive_timeout_enabled" in err


def test_what_is_not_in_effect_yet_is_no_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, "a.yaml", COMPLETE | {"config": {"adaptive_timeout_enabled": True}})
    assert start("api", ["--check-config", "--config", str(path)], {}) == 0
    out, err = capsys.readouterr()
    assert out.endswith(", 0 warnings\n")
    assert err == "note: set, but not in effect yet: config.adaptive_timeout_enabled\n"


def test_checking_prints_every_mistake_and_warning(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("api", ["--check-config", "--config", str(wrong)], {}) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(": ")[0] for line in err.splitlines()[:-1]] == ["warning"] * 2 + ["error"] * 2
    assert err.splitlines()[-1].startswith("2 mistakes in the configuration")


@services
def test_mistakes_stop_the_start_with_a_line_each_a_count_and_a_hint(
    service: Service, wrong: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert start(service, ["--config", str(wrong)], {}) == 1
    *mistakes, last = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[2] for line in mistakes] == ["config.task_limit", "pools[0].template"]
    assert last == (
        "2 mistakes in the configuration; nothing was started. "
        f"'vmpooler-{service} --print-settings' explains every setting."
    )


def test_a_missing_file_is_a_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("api", ["--config", str(tmp_path / "no.yaml")], {}) == 1
    assert "no.yaml: can't be read: No such file or directory" in capsys.readouterr().err


@pytest.mark.parametrize("port", ["65536", "-1", "http", "", "1e3", "²"])
def test_a_port_out_of_range_is_wrong_usage(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert start("api", [f"--port={port}"], {}) == 2
    assert "from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--unknown"], ["stray"], ["--conf", "x"], ["--config"]])
def test_other_wrong_usage_is_told(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert start("api", argv, {}) == 2
    assert "usage: vmpooler-api" in capsys.readouterr().err


@services
def test_the_version_is_told(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(service, ["--version"], {}) == 0
    assert capsys.readouterr().out == f"vmpooler-{service} {__version__}\n"


@services
def test_the_help_names_the_service_s_own_port(service: Service, capsys: pytest.CaptureFixture[str]) -> None:
    assert start(service, ["--help"], {}) == 0
    assert ("4567" if service == "api" else "4568") in capsys.readouterr().out


def test_the_settings_are_printed_without_any_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    assert start("api", ["--print-settings"], {}) == 0
    assert "config.ready_ttl" in capsys.readouterr().out


def test_the_metrics_are_printed_by_a_service_that_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    parser = make_parser("manager")
    add_print_metrics(parser, (ConnectionMetrics,))
    assert start("manager", ["--print-metrics"], {}, parser=parser) == 0
    assert "vmpooler_connection_available" in capsys.readouterr().out


def test_a_pager_that_has_seen_enough_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-c", PRINT_SETTINGS]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
