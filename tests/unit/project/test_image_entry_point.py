"""The scripts that run in the containers: what they run, and that no list of processes shows the password."""

import os
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import redis

from tests.support.eventually import eventually
from tests.support.ports import free_port
from tests.support.project import ROOT
from tools.runner.embedded_server import answers
from tools.server_binary import find_server

ENTRY_POINT = ROOT / "deploy" / "entrypoint.sh"
PASSWORD = 'two words, a " and a \\'


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    file = tmp_path / "redis_password"
    file.write_text(f"{PASSWORD}\n")
    return file


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """Return a directory with services that only say how they were called."""
    directory = tmp_path / "bin"
    directory.mkdir()
    (directory / "python").symlink_to(sys.executable)
    for name in ("vmpooler-api", "vmpooler-manager"):
        program = directory / name
        program.write_text('#!/bin/sh\necho "${0##*/} $* (password: ${REDIS_PASSWORD-none})"\n')
        program.chmod(0o755)
    return directory


def enter(programs: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", ENTRY_POINT, *arguments],
        env={"PATH": f"{programs}:{os.environ['PATH']}", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("service", ["api", "manager"])
def test_the_first_argument_names_the_service_and_the_others_are_its_own(
    programs: Path, service: str
) -> None:
    entered = enter(programs, service, "--check-config")
    assert entered.stdout == f"vmpooler-{service} --check-config (password: none)\n"


def test_another_command_is_run_as_it_is(programs: Path) -> None:
    assert enter(programs, "echo", "api").stdout == "api\n"


@pytest.mark.parametrize("arguments", [(), ("--check-config",)])
def test_without_a_command_it_says_what_it_understands(programs: Path, arguments: tuple[str, ...]) -> None:
    entered = enter(programs, *arguments)
    assert entered.returncode == 2
    assert entered.stderr.startswith("entrypoint: say what to run: api, manager")


def test_the_password_of_redis_comes_from_a_file(programs: Path, password_file: Path) -> None:
    entered = enter(programs, "api", REDIS_PASSWORD_FILE=str(password_file))
    assert entered.stdout == f"vmpooler-api  (password: {PASSWORD})\n"


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"REDIS_PASSWORD_FILE": "/missing"}, "/missing can't be read by user"),
        ({"REDIS_PASSWORD_FILE": os.devnull}, f"{os.devnull} is empty"),
        ({"REDIS_PASSWORD": "other"}, "only one can be the password"),
        ({"REDIS_URL": "redis://redis"}, "REDIS_URL would overrule the password"),
    ],
)
def test_a_password_that_would_not_be_used_is_refused(
    programs: Path, password_file: Path, environment: dict[str, str], message: str
) -> None:
    entered = enter(programs, "api", **({"REDIS_PASSWORD_FILE": str(password_file)} | environment))
    assert entered.returncode == 2
    assert message in entered.stderr
    assert PASSWORD not in entered.stderr


@pytest.fixture
def server(tmp_path: Path, password_file: Path) -> Iterator[tuple[int, Path]]:
    """Run a server as compose.yaml does, and return its process id and its socket."""
    socket = Path("/tmp") / f"vmpooler-{os.getpid()}-{free_port()}.sock"  # noqa: S108 - its path must be short
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                *("sh", ROOT / "deploy" / "redis.sh", find_server(), "--port", "0", "--unixsocket", socket),
                *("--save", "", "--dir", tmp_path),
            ],
            env=os.environ | {"REDIS_PASSWORD_FILE": str(password_file)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    yield process.pid, socket
    process.terminate()
    assert process.wait(20) == 0, "the server must get the signal itself, to end in order"


async def is_up(socket: Path) -> bool:
    return answers(socket, b"PING\r\n")


def what_processes_show(process_id: int) -> str:
    return Path(f"/proc/{process_id}/cmdline").read_text()


async def test_redis_asks_for_the_password_and_shows_it_nowhere(
    server: tuple[int, Path], tmp_path: Path
) -> None:
    process_id, socket = server
    await eventually(lambda: is_up(socket))
    with pytest.raises(redis.AuthenticationError):
        redis.Redis(unix_socket_path=str(socket), protocol=2).ping()
    assert redis.Redis(unix_socket_path=str(socket), password=PASSWORD).ping()
    shown = what_processes_show(process_id)
    assert "-server" in shown
    assert PASSWORD not in shown + (tmp_path / "log").read_text()


def test_redis_does_not_start_without_a_password(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    for file in ("empty", "missing"):
        ended = subprocess.run(
            ["sh", ROOT / "deploy" / "redis.sh", "echo", "started"],
            env=os.environ | {"REDIS_PASSWORD_FILE": str(tmp_path / file)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == 1
        assert "started" not in ended.stdout


class Service(BaseHTTPRequestHandler):
    """Is healthy."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthcheck" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Write no log."""


@pytest.fixture
def service_port() -> Iterator[int]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as service:
        thread = Thread(target=service.serve_forever)
        thread.start()
        yield service.server_port
        service.shutdown()
        thread.join()


def test_a_container_is_healthy_while_its_service_is(programs: Path, service_port: int) -> None:
    assert enter(programs, "healthcheck", VMPOOLER_PORT=str(service_port)).returncode == 0
    assert enter(programs, "healthcheck", VMPOOLER_PORT=str(free_port())).returncode == 1
