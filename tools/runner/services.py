"""The manager and the API under honcho, with the log of the server beside theirs."""

import os
import shlex
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

import honcho.manager

from tools.runner.embedded_server import EmbeddedServer

KILL_SECONDS = 15
"""The services get 10 s to drain; honcho's own 5 s would cut them short."""

NOT_PASSED_ON = ("VMPOOLER_API_PORT", "VMPOOLER_MANAGER_PORT", "VMPOOLER_CONFIG", "VMPOOLER_CONFIG_FILE")
"""Variables that are the runner's own, or that an argument of the services overrules."""


class _Processes(honcho.manager.Manager):  # type: ignore[misc]
    """honcho, which on its own fails on a signal that arrives before all of its processes have started."""

    def __init__(self) -> None:
        super().__init__()
        self._is_ending = False

    def terminate(self) -> None:
        """End all processes, as soon as all have started."""
        self._is_ending = True
        if self._all_started():
            super().terminate()

    def _any_stopped(self) -> bool:
        # From here on the loop ends the processes, and kills what is left when their time is up.
        return self._is_ending or bool(super()._any_stopped())


def run_services(
    ports: Mapping[str, int], *, server: EmbeddedServer, config: Path, process_files: Path
) -> int:
    """Run "manager" and "api" on their ports until a signal (0 is returned) or until one ends itself (1).

    Every process leaves its id in the directory `process_files` for the next runner, should this one be
    killed.
    """
    honcho.manager.KILL_WAIT = KILL_SECONDS
    environment = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
    environment |= {"REDIS_URL": server.url, "PYTHONUNBUFFERED": "1"}
    commands = {
        # Not "redis": the server itself outlives all of these.
        "redis-log": ["tools.runner.follow", str(server.log), str(server.socket)],
        **{name: _service(name, port, config) for name, port in ports.items()},
        "ready": ["tools.runner.announce", *(f"{name}={port}" for name, port in ports.items())],
    }
    processes = _Processes()
    for name, arguments in commands.items():
        python = shlex.join([sys.executable, "-m", *arguments])
        file = shlex.quote(str(process_files / f"{name}.pid"))
        processes.add_process(name, f"echo $$ $PPID >{file}; exec {python}", env=environment)
    signal.signal(signal.SIGHUP, _terminate_myself)
    processes.loop()
    was_told = processes.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    return 0 if was_told else 1


def _service(name: str, port: int, config: Path) -> list[str]:
    return [f"vmpooler_{name}", "--config", str(config), "--port", str(port)]


def _terminate_myself(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGTERM)
