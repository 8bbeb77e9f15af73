"""A real Redis or Valkey server of a test's own, to stop, kill, pause and start again."""

import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port
from tools.server_binary import find_server

START_SECONDS = 20.0
STOP_SECONDS = 15.0


class RedisServer:
    """One server on a loopback port; its data and its log lie in `directory` and survive it.

    The port stays the same over stop, kill and start. The server is in a process group of its own, so that
    Ctrl-C ends the tests and not the server under them.
    """

    def __init__(
        self,
        directory: Path,
        *,
        durable: bool = False,
        options: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
    ) -> None:
        """Describe a server; nothing runs before `start`.

        `durable` writes every command to disk before it is answered, as the deployments do. `options` are
        more of the server's own, such as ``("--maxmemory", "20mb")``; `environment` is the process's, ours if
        not given.
        """
        self.directory = directory
        self.port = free_port()
        self.log = directory / "server.log"
        self._durable = durable
        self._options = tuple(options)
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address as a client takes it."""
        return f"redis://127.0.0.1:{self.port}/0"

    @property
    def process_id(self) -> int:
        """The running server's process id; RuntimeError when it doesn't run."""
        return self._running().pid

    def start(self) -> None:
        """Start the server and return when it answers PING, its data loaded."""
        if self._process is not None:
            raise RuntimeError("the server runs already")
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [find_server(), *self._arguments()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=self._environment,
            )
        self._wait_for_pong(self._process)

    def stop(self) -> None:
        """End the server in order (SIGTERM); no effect when it doesn't run."""
        if self._process is not None:
            self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End the server at once (SIGKILL); no effect when it doesn't run."""
        if self._process is not None:
            self._end(signal.SIGKILL)

    def pause(self) -> None:
        """Freeze the server (SIGSTOP): connections stay open and nothing is answered."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused server go on (SIGCONT)."""
        self._running().send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def _arguments(self) -> list[str]:
        persistence = (
            ["--appendonly", "yes", "--appendfsync", "always"] if self._durable else ["--appendonly", "no"]
        )
        return [
            *("--bind", "127.0.0.1", "--port", str(self.port)),
            *("--dir", str(self.directory), "--save", ""),
            *persistence,
            *self._options,
        ]

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the server doesn't run")
        return self._process

    def _end(self, how: signal.Signals) -> None:
        process = self._running()
        self._process = None
        process.send_signal(how)
        process.send_signal(signal.SIGCONT)  # a paused process doesn't see SIGTERM
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def _wait_for_pong(self, process: subprocess.Popen[bytes]) -> None:
        end = time.monotonic() + START_SECONDS
        while not self._answers_ping():
            if process.poll() is not None or time.monotonic() > end:
                self.kill()
                raise RuntimeError(f"the server didn't start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.005)

    def _answers_ping(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                # A server with a password answers NOAUTH only when its data is loaded, too.
                return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False
