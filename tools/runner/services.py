"""The manager and the API under honcho, with the log of the server beside theirs."""

import os
import shlex
import signal
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import honcho.manager

from tools.runner.embedded_server import EmbeddedServer
from tools.runner.output import WELCOME, Essentials, EveryLine
from vmpooler_common.config import Service

KILL_SECONDS = 15
"""The services get 10 s to drain; honcho's own 5 s would cut them short."""

NOT_PASSED_ON = ("VMPOOLER_API_PORT", "VMPOOLER_MANAGER_PORT", "VMPOOLER_CONFIG", "VMPOOLER_CONFIG_FILE")
"""Variables that are the runner's own, or that an argument of the services overrules."""


@dataclass(frozen=True)
class Plan:
    """What to run."""

    ports: Mapping[Service, int]
    config: Path
    pool: str | None
    """The pool whose VM the welcome suggests to check out."""
    process_files: Path
    """Directory in which every process leaves its id for the next runner, should this one be killed."""
    verbose: bool


class _Processes(honcho.manager.Manager):  # type: ignore[misc]
    """honcho, which on its own fails on a signal that arrives before all of its processes have started."""

    def __init__(self, printer: EveryLine) -> None:
        super().__init__(printer)
        self._is_ending = False

    def terminate(self) -> None:
        """End all processes, as soon as all have started."""
        self._is_ending = True
        if self._all_started():
            super().terminate()

    def _any_stopped(self) -> bool:
        # From here on the loop ends the processes, and kills what is left when their time is up.
        return self._is_ending or bool(super()._any_stopped())


def environment_of_services(server: EmbeddedServer) -> dict[str, str]:
    """Return the environment of the services: ours, with the server's address in it."""
    environment = {name: value for name, value in os.environ.items() if name not in NOT_PASSED_ON}
    return environment | {"REDIS_URL": server.url, "PYTHONUNBUFFERED": "1"}


def run_services(plan: Plan, server: EmbeddedServer) -> int:
    """Run the services on their ports until a signal (0 is returned) or until one ends by itself (1)."""
    honcho.manager.KILL_WAIT = KILL_SECONDS
    environment = environment_of_services(server)
    processes = _Processes(EveryLine() if plan.verbose else Essentials())
    for name, arguments in _commands(plan, server).items():
        python = shlex.join([sys.executable, "-m", *arguments])
        file = shlex.quote(str(plan.process_files / f"{name}.pid"))
        processes.add_process(name, f"echo $$ $PPID >{file}; exec {python}", env=environment)
    signal.signal(signal.SIGHUP, _terminate_myself)
    processes.loop()
    was_told = processes.returncode in (128 + signal.SIGINT, 128 + signal.SIGTERM)
    return 0 if was_told else 1


def _commands(plan: Plan, server: EmbeddedServer) -> dict[str, list[str]]:
    """Return the module of each process and its arguments, by the name of the process."""
    verbose = ["--verbose"] if plan.verbose else []
    services: dict[str, list[str]] = {
        name: [f"vmpooler_{name}", "--config", str(plan.config), "--port", str(port)]
        for name, port in plan.ports.items()
    }
    ports = [f"--{name}={port}" for name, port in plan.ports.items()]
    return {
        # Not "redis": the server itself outlives all of these.
        "redis-log": ["tools.runner.follow", *verbose, str(server.log), str(server.socket)],
        **services,
        WELCOME: ["tools.runner.announce", *ports, *([plan.pool] if plan.pool else [])],
    }


def _terminate_myself(_number: int, _frame: FrameType | None) -> None:
    signal.raise_signal(signal.SIGTERM)
