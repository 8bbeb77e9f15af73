"""The Redis server of `make run`: started before the services, ended after them, its data kept."""

import hashlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tools.server_binary import find_server

LONGEST_SOCKET_PATH = 100
"""Bytes; the kernel's limit is 107, on some systems 103."""

START_SECONDS = 30.0
STOP_SECONDS = 15.0


class EmbeddedServerError(Exception):
    """The server didn't start, or one that was left over didn't end."""


@dataclass(frozen=True)
class EmbeddedServer:
    """A running server: the unix socket that it listens on and the file that it logs to."""

    socket: Path
    log: Path

    @property
    def url(self) -> str:
        """The address as the services take it."""
        return f"unix://{self.socket}"


def server_in(directory: Path) -> EmbeddedServer:
    """Say where a server with its data in `directory` listens and logs; it needn't run."""
    return EmbeddedServer(socket=_socket_path(directory), log=directory / "server.log")


@contextmanager
def embedded_server(directory: Path) -> Iterator[EmbeddedServer]:
    """Run a server with its data and its log in `directory` for the time of the context.

    It writes every command to disk before it answers, as the deployments do. It is in a process group of its
    own, so that Ctrl-C reaches the services and not the server under them. One that is left over from a
    runner that was killed is ended first. Raises EmbeddedServerError, ServerNotFoundError, and OSError when
    `directory` can't be written.
    """
    server = server_in(directory)
    directory.mkdir(parents=True, exist_ok=True)
    server.socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _end_leftover(server)
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            [
                *(find_server(), "--port", "0", "--unixsocket", server.socket, "--unixsocketperm", "700"),
                *("--dir", directory, "--save", "", "--appendonly", "yes", "--appendfsync", "always"),
                *("--maxmemory-policy", "noeviction"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_it_answers(server, process)
        yield server
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()  # loses nothing: every command is on disk
            process.wait()


def answers(path: Path, command: bytes, *, expected: bytes = b"") -> bool:
    """Say whether a server takes `command` on the socket `path` and its answer starts with `expected`.

    A server that is too busy to answer at once counts when nothing is expected.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(1.0)
        try:
            connection.connect(os.fspath(path))
            connection.sendall(command)
            return connection.recv(64).startswith(expected)
        except TimeoutError:
            return not expected
        except OSError:
            return False


def _end_leftover(server: EmbeddedServer) -> None:
    end = time.monotonic() + STOP_SECONDS
    while answers(server.socket, b"SHUTDOWN\r\n"):
        if time.monotonic() > end:
            raise EmbeddedServerError(f"a server that was left over on {server.socket} doesn't end")
        time.sleep(0.02)


def _wait_until_it_answers(server: EmbeddedServer, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while not answers(server.socket, b"PING\r\n", expected=b"+PONG"):
        if process.poll() is not None or time.monotonic() > end:
            raise EmbeddedServerError(
                f"Redis didn't start: {_last_line(server.log)} (its log is {server.log})"
            )
        time.sleep(0.01)


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")


def _socket_path(directory: Path) -> Path:
    path = directory / "redis.sock"
    if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH:
        return path
    name = hashlib.sha256(os.fsencode(directory)).hexdigest()[:12]
    return Path(tempfile.gettempdir(), f"vmpooler-{os.getuid()}-{name}", "redis.sock")
