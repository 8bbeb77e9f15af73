"""What the command is before it does anything: quick to start, described by its manual, and typed."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.project import ROOT
from tools import man_page
from vmpooler_cli.__main__ import SECTIONS, cli
from vmpooler_cli.exits import Exit
from vmpooler_cli.parameters import DURATION, TAG, WANTED, hours
from vmpooler_cli.tokens import LOCAL

SLOW = {"asyncio", "httpx", "pydantic", "rich", "vmpooler_client", "yaml"}


def test_its_version_needs_nothing_that_takes_long_to_import() -> None:
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "vmpooler_cli", "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in finished.stderr.splitlines()}
    assert finished.stdout.startswith("vmpooler ")
    assert "click" in imported
    assert imported.isdisjoint(SLOW)


def test_the_manual_says_what_the_command_says() -> None:
    assert man_page.PAGE.read_text() == man_page.page()


def test_the_page_lists_every_command_and_exit_code() -> None:
    page = (ROOT / "docs" / "client.md").read_text()
    assert [code for code in Exit if f"| {code.value} | {code.meaning} |" not in page] == []
    assert [name for name in cli.commands if f"vmpooler {name}" not in page and f"`{name}`" not in page] == []


def test_every_command_is_in_the_help() -> None:
    listed = [command for commands in SECTIONS.values() for command in commands]
    assert {command.name for command in listed} == set(cli.commands)


def test_only_this_machine_is_spared_the_warning_of_no_encryption() -> None:
    assert all(map(LOCAL.match, ("http://localhost:4567", "http://127.0.0.1", "http://[::1]:80")))
    others = ("http://localhost.example.com", "http://127.0.0.1.example.com", "http://pool")
    assert not any(map(LOCAL.match, others))


USER = """
import asyncio

from vmpooler_client import AsyncClient, Client, TakenVm
from vmpooler_client.models import Explanation, Vm


async def use(client: AsyncClient) -> str | None:
    async with client.checkout("debian", wait=60) as vm, client.checkout_many({"debian": 2}) as vms:
        seen: Vm = await client.vms.show(vm.hostname)
        others: list[TakenVm] = vms
        explained: Explanation = await client.requests.explain("build-7")
        return seen.template


def use_in_a_thread(client: Client) -> float:
    with client.checkout("debian") as vm:
        return client.vms.show(vm.hostname).lifetime


async def mistaken(client: AsyncClient) -> int:
    return (await client.vms.show("one")).state
"""


def test_a_strictly_typed_project_uses_the_library(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text(USER)
    finished = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--no-error-summary", "user.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    (mistake,) = finished.stdout.splitlines()
    assert 'expected "int"' in mistake


def test_bash_can_read_its_completion() -> None:
    made = subprocess.run(
        [sys.executable, "-m", "vmpooler_cli", "completion", "bash"], capture_output=True, check=True
    )
    subprocess.run(["bash", "-n"], input=made.stdout, check=True)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1h30m", 5400), ("0.5s", 0.5)]
)
def test_times_are_written_as_people_do(text: str, seconds: float) -> None:
    assert DURATION(text) == seconds


@pytest.mark.parametrize("text", ["", "x", "10 m", "1d", "-1", "1h-3m"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="is no time"):
        DURATION(text)


def test_names_with_counts_and_tags_are_read() -> None:
    assert [WANTED("debian"), WANTED("debian=3")] == [("debian", 1), ("debian", 3)]
    assert TAG("url=a=b") == ("url", "a=b")
    for wrong in ("=1", "debian=", "debian=0", "debian=-1", "debian=x", "debian=²"):
        with pytest.raises(Exception, match="is no NAME"):
            WANTED(wrong)


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0m"), (0.5, "30m"), (1, "1h00m"), (30.25, "30h15m"), (-2, "-2h00m")]
)
def test_hours_are_told_in_hours_and_minutes(number: float, text: str) -> None:
    assert hours(number) == text


def test_the_examples_for_ci_are_whole() -> None:
    for name in ("github-actions.yml", "gitlab-ci.yml"):
        assert "vmpooler get" in (ROOT / "docs" / "examples" / name).read_text()
