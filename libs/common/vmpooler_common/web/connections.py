"""The connections of a server: how many there may be, and how long each may keep the server waiting."""

import asyncio
import resource
import sys
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import structlog
from starlette.types import Receive, Scope, Send

from vmpooler_common.config import Settings
from vmpooler_common.metrics.catalogues.http import ConnectionCounts
from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.web.json import JsonAnswer

log = structlog.get_logger(__name__)

_SWEEPS_PER_LIMIT = 4
_LONGEST_PERIOD = 1.0
"""Seconds between two looks at all connections."""
_FILES_BESIDE = 128
"""Open files of a process that aren't its clients': Redis, drivers, the log, libraries."""
_RESERVE = 64
"""Connections beyond the limit that are still answered, if only to refuse them; more are just closed."""
_ROOM_AGAIN = 0.9
"""Of the limit: at so few connections it is said that there is room again."""
_ALWAYS_SERVED = frozenset({"/healthcheck", "/ready"})
_FULL = {"ok": False, "message": "too many connections are open; try again"}


class Awaited(StrEnum):
    """What a client owes the server."""

    HEAD = "head"
    """The rest of a request's line and headers."""
    BODY = "body"
    """The rest of its body."""
    SEND = "send"
    """To read what was sent."""


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Times in seconds."""

    most: int
    head: float
    body: float
    send: float

    @classmethod
    def of(cls, settings: Settings) -> "ConnectionLimits":
        """Give what is configured; fewer connections where the limit of open files allows no more."""
        serving = settings.serving
        files = raise_file_limit()
        most = min(serving.max_connections, max(1, files - _FILES_BESIDE - _RESERVE))
        if most < serving.max_connections:
            log.warning(
                EventName.FILES_LIMITED,
                files=files,
                connections=most,
                max_connections=serving.max_connections,
                remedy="raise the hard limit of open files (ulimit -n, LimitNOFILE)",
            )
        return cls(
            most,
            head=serving.request_head_timeout.total_seconds(),
            body=serving.request_body_timeout.total_seconds(),
            send=serving.send_timeout.total_seconds(),
        )

    def seconds(self, awaited: Awaited) -> float:
        """Give how long a client may take."""
        match awaited:
            case Awaited.HEAD:
                return self.head
            case Awaited.BODY:
                return self.body
            case Awaited.SEND:
                return self.send


def raise_file_limit() -> int:
    """Let this process open as many files as it may at all; give that number."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return sys.maxsize if hard == resource.RLIM_INFINITY else hard


class Connection(Protocol):
    """What is watched."""

    def awaits(self) -> tuple[Awaited, int] | None:
        """Tell what the client owes, with a number that changes with each new debt; None: nothing."""

    def cut(self, awaited: Awaited) -> None:
        """Close it, for this hasn't come."""


class Connections:
    """All connections of one server.

    They are looked at together, now and then: a timer for each request would cost more than the request's
    parsing. So a time-out may come late by `_LONGEST_PERIOD`. `always_served` are paths beside those of
    health checks that are answered beyond the limit, too.
    """

    def __init__(
        self, limits: ConnectionLimits, metrics: ConnectionCounts, *, always_served: frozenset[str]
    ) -> None:
        self._limits = limits
        self._metrics = metrics
        self._always_served = _ALWAYS_SERVED | always_served
        shortest = min(limits.head, limits.body, limits.send)
        self._period = min(_LONGEST_PERIOD, shortest / _SWEEPS_PER_LIMIT)
        self._open: dict[Connection, tuple[tuple[Awaited, int] | None, float]] = {}
        self._sweeping: asyncio.TimerHandle | None = None
        self._full = Outage("accepting connections")

    def opened(self, connection: Connection) -> "Admission":
        """Note a connection; tell what is to become of it."""
        count = len(self._open) + 1
        if count > self._limits.most:
            self._metrics.refused()
            self._full.began(f"{self._limits.most} are open (config.max_connections); more are refused")
            if count > self._limits.most + _RESERVE:
                return Admission.CLOSED
        loop = asyncio.get_running_loop()
        self._open[connection] = (None, loop.time())
        self._metrics.open(count)
        if self._sweeping is None:
            self._sweeping = loop.call_later(self._period, self._sweep)
        return Admission.ADMITTED if count <= self._limits.most else Admission.REFUSED

    def closed(self, connection: Connection) -> None:
        """Forget a connection."""
        if self._open.pop(connection, None) is not None:
            self._metrics.open(len(self._open))

    def serves_always(self, scope: Scope) -> bool:
        """Tell whether a request is answered whatever is open."""
        return scope["path"].rstrip("/") in self._always_served

    def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection, (before, since) in list(self._open.items()):
            awaited = connection.awaits()
            if awaited is None or awaited != before:
                self._open[connection] = (awaited, now)
            elif now - since > self._limits.seconds(awaited[0]):
                self._metrics.cut(awaited[0])
                # What was sent may keep it from closing; then it is aborted in the same time again.
                self._open[connection] = (None, now)
                connection.cut(awaited[0])
        if len(self._open) <= _ROOM_AGAIN * self._limits.most:
            self._full.ended()
        self._sweeping = loop.call_later(self._period, self._sweep) if self._open else None


class Admission(StrEnum):
    """What is to become of a new connection."""

    ADMITTED = "admitted"
    REFUSED = "refused"
    """Its requests are refused in words, but for those that are always served."""
    CLOSED = "closed"
    """It is closed without a word."""


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer that there are too many connections, and close this one."""
    answer = JsonAnswer(_FULL, 503, {"Connection": "close", "Retry-After": "1"})
    await answer(scope, receive, send)
