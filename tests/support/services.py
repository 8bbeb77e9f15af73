"""The API and the manager as real processes with a configuration of a test's own."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import httpx
import yaml

from tests.support.http import patient_client
from tests.support.ports import free_port

START_SECONDS = 20.0
STOP_SECONDS = 15.0
"""The services promise to end within 10 s of SIGTERM; more is a failure."""

_INHERITED = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "COVERAGE_PROCESS_CONFIG")

ServiceName = Literal["api", "manager"]


class ServiceDiedError(Exception):
    """A service ended, or did not answer, where a test needs it; the message holds its log."""


class Service:
    """One API or manager process; it may be stopped, killed, paused and started again on the same port.

    The configuration lies in `directory` beside the log, which grows over restarts. The process sees nothing
    of the tests' environment but PATH, PYTHONPATH and the like, so that a developer's settings don't change
    a test.
    """

    def __init__(
        self,
        name: ServiceName,
        *,
        directory: Path,
        document: Mapping[str, Any],
        environment: Mapping[str, str] | None = None,
        label: str | None = None,
    ) -> None:
        """Describe a service; nothing runs before `start`.

        `label` names the configuration and the log when several processes share a directory.
        """
        self.label = label or name
        self.port = free_port()
        self.log = directory / f"{self.label}.log"
        self.config = directory / f"{self.label}.yaml"
        directory.mkdir(parents=True, exist_ok=True)
        self.config.write_text(yaml.safe_dump(dict(document), sort_keys=False))
        self._module = f"vmpooler_{name}"
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def base_url(self) -> str:
        """Where the service answers HTTP, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def process_id(self) -> int:
        """The running process's id; RuntimeError when it doesn't run."""
        return self._running().pid

    @property
    def is_running(self) -> bool:
        """Whether the process was started and has neither been ended nor died since."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start the process without waiting for it."""
        if self._process is not None:
            raise RuntimeError(f"{self.label} was started before")
        kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", self._module),
                    *("--config", str(self.config), "--host", "127.0.0.1", "--port", str(self.port)),
                ],
                cwd=self.config.parent,
                env=kept | self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def start(self) -> None:
        """Start the process and return when its `/healthcheck` answers 200."""
        self.launch()
        await self.wait_until_healthy()

    async def wait_until_healthy(self) -> None:
        """Return when `/healthcheck` answers 200; raise ServiceDiedError when that doesn't come."""
        try:
            async with asyncio.timeout(START_SECONDS), patient_client() as client:
                while not await self._is_healthy(client):
                    if not self.is_running:
                        raise ServiceDiedError(f"{self.label} ended at its start:\n{self._log_text()}")
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise ServiceDiedError(f"{self.label} doesn't become healthy:\n{self._log_text()}") from None

    async def stop(self) -> int:
        """End the process in order (SIGTERM) and return its exit code.

        Raises ServiceDiedError when it needs longer than the services promise, after killing it.
        """
        process = self._running()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGCONT)  # a paused process doesn't see SIGTERM
        try:
            # In a thread, so that a proxy of the same test goes on forwarding.
            code = await asyncio.to_thread(process.wait, STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServiceDiedError(f"{self.label} doesn't end:\n{self._log_text()}") from None
        self._process = None
        return code

    def kill(self) -> None:
        """End the process at once (SIGKILL); no effect when it doesn't run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Freeze the process (SIGSTOP)."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on (SIGCONT)."""
        self._running().send_signal(signal.SIGCONT)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    async def _is_healthy(self, client: httpx.AsyncClient) -> bool:
        try:
            return (await client.get(f"{self.base_url}/healthcheck", timeout=2)).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError(f"{self.label} doesn't run")
        return self._process

    def _log_text(self) -> str:
        return self.log.read_text(errors="replace")


MakeService = Callable[..., Service]
"""Takes the arguments of `Service` except `directory`."""
