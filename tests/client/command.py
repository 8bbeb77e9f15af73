"""Calls of the command: in a pipe or in a terminal, with an environment of the test's own."""

import contextlib
import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.project import ROOT

LONGEST = 60.0
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Finished:
    """How a call ended."""

    code: int
    out: str
    """Standard output; in a terminal all that it showed."""
    err: str

    @property
    def json(self) -> Any:
        """Read the result."""
        return json.loads(self.out)

    @property
    def error(self) -> Any:
        """Read the error that `--json` prints."""
        return json.loads(self.err.splitlines()[-1])["error"]

    @property
    def lines(self) -> list[str]:
        """Give the output's lines without what steers a terminal."""
        return _CONTROL.sub("", self.out).replace("\r", "").splitlines()


@dataclass(slots=True)
class Call:
    """A call that runs."""

    process: int
    _connection: socket.socket
    _readers: list["_Reader"]

    def strike(self, number: signal.Signals = signal.SIGINT) -> None:
        """Send a signal; no effect once it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.process, number)

    def shown(self) -> str:
        """Give what it has written so far."""
        return "".join(reader.text() for reader in self._readers)

    def answer(self, typed: str) -> None:
        """Type a line at each question, when it stands there."""
        seen = 0
        for line in typed.splitlines(keepends=True):
            deadline = time.monotonic() + LONGEST
            while not self.shown()[seen:].endswith(": "):
                assert time.monotonic() < deadline, self.shown()
                time.sleep(0.01)
            seen = len(self.shown())
            os.write(self._readers[0].stream, line.encode())

    def finish(self) -> Finished:
        """Wait for its end."""
        with self._connection:
            code = int(_line(self._connection))
        texts = [reader.end() for reader in self._readers]
        return Finished(code, texts[0], texts[1] if len(texts) > 1 else "")


@dataclass(slots=True)
class Command:
    """Calls the command in a home of the test's own."""

    socket: Path
    home: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, tty: bool = False, typed: str = "", **more: Any) -> Finished:
        """Call it and wait for its end; in a terminal each line of `typed` answers a question."""
        call = self.start(*arguments, tty=tty, typed="" if tty else typed, **more)
        if tty:
            call.answer(typed)
        return call.finish()

    def start(
        self,
        *arguments: str,
        tty: bool = False,
        typed: str = "",
        unread: bool = False,
        environment: Mapping[str, str] | None = None,
    ) -> Call:
        """Call it; `typed` is its standard input in a pipe.

        `unread`: nobody reads its standard output.
        """
        names = ("LANG", "PATH")
        ours = {"HOME": str(self.home), "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"}
        ours |= {name: os.environ[name] for name in names if name in os.environ}
        order = {
            "arguments": arguments,
            "directory": str(self.home),
            "environment": ours | self.environment | dict(environment or {}),
        }
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(LONGEST)
        connection.connect(str(self.socket))
        streams, readers = _terminal() if tty else _pipes(typed, unread=unread)
        socket.send_fds(connection, [json.dumps(order).encode()], streams)
        for stream in set(streams):
            os.close(stream)
        return Call(int(_line(connection)), connection, readers)


@contextlib.contextmanager
def command_server(directory: Path) -> Iterator[Path]:
    """Start the process that forks for calls, and yield its socket."""
    path = directory / "socket"
    process = subprocess.Popen([sys.executable, "-m", "tests.client.command_server", str(path)], cwd=ROOT)
    try:
        deadline = time.monotonic() + LONGEST
        while not path.exists() and time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.01)
        yield path
    finally:
        process.kill()
        process.wait()


class _Reader:
    """Reads a stream to its end, in a thread, so that nobody waits for room in it."""

    def __init__(self, stream: int) -> None:
        self.stream = stream
        self._parts: list[bytes] = []
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self) -> str:
        return b"".join(self._parts).decode(errors="replace")

    def end(self) -> str:
        self._thread.join(LONGEST)
        os.close(self.stream)
        return self.text()

    def _read(self) -> None:
        with contextlib.suppress(OSError):  # a terminal ends so
            while part := os.read(self.stream, 65536):
                self._parts.append(part)


def _pipes(typed: str, *, unread: bool) -> tuple[list[int], list[_Reader]]:
    (in_read, in_write), (out_read, out_write), (err_read, err_write) = os.pipe(), os.pipe(), os.pipe()
    os.write(in_write, typed.encode())
    os.close(in_write)
    if unread:
        os.close(out_read)
        out_read = os.open(os.devnull, os.O_RDONLY)
    return [in_read, out_write, err_write], [_Reader(out_read), _Reader(err_read)]


def _terminal() -> tuple[list[int], list[_Reader]]:
    ours, theirs = pty.openpty()
    return [theirs, os.dup(theirs), os.dup(theirs)], [_Reader(ours)]


def _line(connection: socket.socket) -> str:
    text = b""
    while not text.endswith(b"\n"):
        part = connection.recv(1)
        if not part:
            raise AssertionError("the process that runs the command has ended")
        text += part
    return text.decode()
