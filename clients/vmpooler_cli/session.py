"""Runs what a command does: with a client, until it is done, fails, or is interrupted."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from vmpooler_cli.exits import Exit
from vmpooler_cli.output import Output
from vmpooler_client import (
    AnswerLostError,
    AsyncClient,
    BadAnswerError,
    ConfigurationError,
    ForbiddenError,
    NotFoundError,
    NotReadyError,
    NotSupportedError,
    RequestFailedError,
    Service,
    TimedOutError,
    UnauthorizedError,
    UnavailableError,
    UnreachableError,
    VmpoolerError,
    VmsLeftError,
    find_service,
)
from vmpooler_client.configuration import exposed_file

_EXITS: Mapping[type[VmpoolerError], Exit] = {
    ConfigurationError: Exit.USAGE,
    NotFoundError: Exit.UNKNOWN,
    UnauthorizedError: Exit.NOT_ALLOWED,
    ForbiddenError: Exit.NOT_ALLOWED,
    NotReadyError: Exit.NOT_READY,
    RequestFailedError: Exit.NOT_READY,
    TimedOutError: Exit.NOT_READY,
    UnavailableError: Exit.NO_SERVICE,
    UnreachableError: Exit.NO_SERVICE,
    AnswerLostError: Exit.NO_SERVICE,
    BadAnswerError: Exit.NO_SERVICE,
    NotSupportedError: Exit.NOT_SUPPORTED,
    VmsLeftError: Exit.LEFT,
}
_STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Session:
    """What a command works with."""

    client: AsyncClient
    output: Output

    @property
    def service(self) -> Service:
        """Give the service that is used."""
        return self.client.service

    async def token(self) -> str:
        """Give the user's token; an error says how to get one, or that the service has none."""
        if self.service.token is not None:
            return self.service.token
        if await self.client.tokens.has_users():
            raise UnauthorizedError(
                "this needs a token: `vmpooler token login`, or set VMPOOLER_TOKEN", status=401
            )
        raise NotSupportedError(
            "this service has no users, so it doesn't know which VMs are yours", status=404
        )


Action = Callable[..., Awaitable[int | None]]
"""What a command does with a session and its arguments; it may give an exit code."""


def run(action: Action, arguments: Mapping[str, Any]) -> int:
    """Run a command and return its exit code. The options that all commands have are not passed on."""
    chosen = dict(arguments)
    output = Output(as_json=chosen.pop("as_json"), colour=not chosen.pop("no_color"))
    where = {name: chosen.pop(name) for name in ("service", "url", "ca")}
    patience = chosen.pop("timeout")
    try:
        return asyncio.run(_run(lambda session: action(session, **chosen), output, where, patience))
    except KeyboardInterrupt:  # before or after the time in which we look after signals
        return Exit.INTERRUPTED
    except BrokenPipeError as error:
        if left := _notes(error):
            output.error("nobody reads the output", code=Exit.LEFT, notes=left)
        # Nobody reads any more: Python itself mustn't complain when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.LEFT if left else Exit.PIPE


async def _run(
    action: Callable[[Session], Awaitable[int | None]], output: Output, where: dict[str, Any], patience: float
) -> int:
    stops = _Stops()
    try:
        service = chosen_service(**where)
        if (exposed := exposed_file()) is not None:
            output.note(f"others may read {exposed}, which holds tokens: chmod 600 {exposed}")
        async with AsyncClient(service, patience=patience) as client:
            return await stops.guard(action(Session(client, output))) or 0
    except asyncio.CancelledError as stopped:
        code = Exit.LEFT if _notes(stopped) else 128 + stops.number
        output.error("cancelled", code=code, notes=_notes(stopped))
    except VmpoolerError as error:
        left = _notes(error)
        code = Exit.LEFT if left else exit_code(error)
        output.error(str(error), code=code, notes=left)
    return code


class _Stops:
    """Cancels what runs at the first signal, and what it cleans up at the second."""

    def __init__(self) -> None:
        self.number = int(signal.SIGINT)

    async def guard(self, action: Awaitable[int | None]) -> int | None:
        """Await something that signals may stop."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a coroutine runs in one

        def stop(number: int) -> None:
            self.number = number
            task.cancel()

        loop = asyncio.get_running_loop()
        for number in _STOPPING:
            loop.add_signal_handler(number, stop, int(number))
        try:
            return await action
        finally:
            for number in _STOPPING:
                loop.remove_signal_handler(number)


def chosen_service(*, service: str | None, url: str | None, ca: Path | None) -> Service:
    """Find the service that options, environment and files name; ConfigurationError when there is none."""
    found = Service(url, token=os.environ.get("VMPOOLER_TOKEN")) if url else find_service(service)
    return found if ca is None else replace(found, ca=ca)


def exit_code(error: VmpoolerError) -> Exit:
    """Give the exit code that an error ends with."""
    return next((code for kind, code in _EXITS.items() if isinstance(error, kind)), Exit.REFUSED)


def _notes(error: BaseException) -> list[str]:
    return list(getattr(error, "__notes__", ()))
