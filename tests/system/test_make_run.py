"""`make run` from its start to its end: the real runner, server and services."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from tests.support.documents import pooler_document
from tests.support.ports import free_port
from tests.support.project import ROOT

START_SECONDS = 30.0
STOP_SECONDS = 20.0


class Runner:
    """`make run` without the make, on ports and with data of a test's own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.api_port = free_port()
        self.manager_port = free_port()
        self.config = directory / "vmpooler.yaml"
        self.output = directory / "output.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self.configure({"tested": 2})

    def configure(self, pools: dict[str, int], **config: object) -> None:
        document = pooler_document(
            redis_url="redis://127.0.0.1:1",  # make run has a server of its own
            prefix="{vmpooler}",
            pools=pools,
            provider={"filename": str(self.directory / "dummy.sqlite3")},
        )
        document["config"] |= config
        self.config.write_text(yaml.safe_dump(document))

    @property
    def text(self) -> str:
        return self.output.read_text()

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    def launch(self, *options: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("VMPOOLER_")}
        environment["COLUMNS"] = "80"
        with self.output.open("wb") as output:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tools.runner", "--config", self.config),
                    *("--api-port", str(self.api_port), "--manager-port", str(self.manager_port)),
                    *("--state", self.directory / ".run"),
                    *options,
                ],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def start(self, *options: str) -> None:
        """Launch and return when the runner has said that all is there."""
        self.launch(*options)
        wait_for(lambda: "vmpooler is running" in self.text or self.process.poll() is not None, self)
        assert self.process.poll() is None, self.text

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal as a terminal does, to the process group, and return the exit code."""
        os.killpg(self.process.pid, how)
        return self.process.wait(STOP_SECONDS)

    def take(self) -> str:
        """Check a VM out, waiting until there is one, and return its name without the domain."""
        names: list[str] = []

        def one_is_taken() -> bool:
            answer = httpx.post(f"http://127.0.0.1:{self.api_port}/api/v3/vm/tested")
            if answer.status_code == httpx.codes.OK:
                names.append(answer.json()["tested"]["hostname"].partition(".")[0])
            return bool(names)

        wait_for(one_is_taken, self)
        return names[0]

    def state_of(self, name: str) -> str:
        answer = httpx.get(f"http://127.0.0.1:{self.api_port}/api/v3/vm/{name}").raise_for_status()
        return str(answer.json()[name]["state"])

    def exits(self) -> dict[str, int]:
        """Return the exit codes that honcho told, by the name of the process."""
        return {name: int(code) for name, code in re.findall(r"(\w+) stopped \(rc=(-?\d+)\)", self.text)}


def wait_for(condition: Callable[[], bool], runner: Runner) -> None:
    end = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < end, runner.text
        time.sleep(0.05)


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    runner = Runner(tmp_path)
    yield runner
    if runner.process.poll() is None:
        runner.end()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_order(runner: Runner, how: signal.Signals) -> None:
    runner.start("--verbose")
    assert runner.end(how) == 0
    assert runner.exits()["api"] == 0
    assert runner.exits()["manager"] == 0
    assert not is_listening(runner.api_port)
    assert not is_listening(runner.manager_port)
    assert "Redis itself has ended last" in runner.text.splitlines()[-1]
    assert "redis stopped" not in runner.text
    assert "Valkey is now ready to exit" in (runner.directory / ".run/redis/server.log").read_text()


def test_a_vm_can_be_taken_and_is_still_taken_after_a_restart(runner: Runner) -> None:
    runner.start()
    name = runner.take()
    runner.end()
    runner.start()
    assert runner.state_of(name) == "running"


def test_after_a_kill_of_the_runner_the_next_one_goes_on_with_the_same_vms(runner: Runner) -> None:
    runner.start()
    name = runner.take()
    runner.process.kill()
    runner.process.wait()
    assert is_listening(runner.api_port), "this test is about services that outlive the runner"
    runner.start()
    assert runner.state_of(name) == "running"


def test_a_second_one_says_that_one_is_running(runner: Runner) -> None:
    runner.start()
    first, runner_text = runner.process, runner.text
    runner.launch()
    assert runner.process.wait(STOP_SECONDS) == 1
    assert "another one is running here" in runner.text
    assert "vmpooler is running" in runner_text
    os.killpg(first.pid, signal.SIGTERM)
    assert first.wait(STOP_SECONDS) == 0


def test_a_port_that_is_taken_is_named_with_the_way_out(runner: Runner) -> None:
    with socket.create_server(("127.0.0.1", runner.api_port)):
        runner.launch()
        assert runner.process.wait(STOP_SECONDS) == 1
    assert f"port {runner.api_port} can't be used for the api" in runner.text
    assert "make run VMPOOLER_API_PORT=" in runner.text


def test_a_service_that_can_not_start_ends_everything_and_shows_why(runner: Runner) -> None:
    runner.configure({"tested": 2}, logfile=str(runner.directory / "missing" / "log"))
    runner.launch()
    assert runner.process.wait(STOP_SECONDS) == 1
    assert re.search(r"(api|manager) +\| .*log file can't be written", runner.text)
    assert "vmpooler is running" not in runner.text


def test_the_welcome_comes_last_when_the_pools_are_full_and_nothing_is_wider_than_the_terminal(
    runner: Runner,
) -> None:
    runner.start()
    wait_for(lambda: "/HOSTNAME" in runner.text, runner)
    status = httpx.get(f"http://127.0.0.1:{runner.api_port}/api/v3/status?view=capacity").json()
    assert status["capacity"]["current"] == 2 or "of 2 VMs are ready" in runner.text
    lines = runner.text.splitlines()
    welcome = next(number for number, line in enumerate(lines) if line.startswith("vmpooler is running"))
    assert lines[0] == "make run: starting Redis, the manager and the API"
    assert [line for line in lines if "| info " in line] == []
    assert [line[:2] for line in lines[welcome + 1 : welcome + 5]] == ["  "] * 4
    assert f"curl -X POST http://127.0.0.1:{runner.api_port}/api/v3/vm/tested" in runner.text
    assert max(map(len, lines)) <= 80


def test_the_log_of_redis_is_shown_only_when_asked_for(runner: Runner) -> None:
    runner.start()
    runner.end()
    assert "redis-log" not in runner.text
    runner.start("--verbose")
    assert "Ready to accept connections" in runner.text


def test_what_happens_later_is_shown_folded(runner: Runner) -> None:
    runner.start()
    runner.take()
    wait_for(lambda: "vm.checked_out" in runner.text, runner)
    runner.end()
    assert max(map(len, runner.text.splitlines()[:-1])) <= 80
    assert "stopped (rc" not in runner.text


def test_the_end_of_the_server_ends_everything(runner: Runner) -> None:
    runner.start()
    found = re.search(r"pid=(\d+), just started", (runner.directory / ".run/redis/server.log").read_text())
    assert found is not None
    os.kill(int(found[1]), signal.SIGKILL)
    assert runner.process.wait(STOP_SECONDS) == 1
    assert "the server has ended" in runner.text
