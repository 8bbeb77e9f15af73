"""Connections to Redis that callers share.

What one tick of the event loop asks for goes out together, in one round trip, on one connection.
That halves the cost of a call under load and lets a handful of connections serve thousands of
waiting callers: a connection is held for an exchange, never across anything else.
"""

import asyncio
import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.catalogues.redis import RedisMetrics
from vmpooler_common.store.core.errors import ScriptFailed, StoreUnavailable
from vmpooler_common.store.core.server_errors import TORN, is_forbidden, speaks_of_server, unavailable

Command = Sequence[str | bytes | int | float]
Reply = Any

_LARGEST_BATCH = 500
"""Commands in one exchange; more wait for the next, so that one burst doesn't delay everyone."""


@dataclass(frozen=True, slots=True)
class RedisOptions:
    """Where Redis is and how long to wait for it. Times in seconds; `url` may hold a password."""

    url: str
    size: int = 10
    connect_timeout: float = 2.0
    timeout: float = 5.0
    """Longest time of one exchange."""
    queue_timeout: float = 5.0
    """Longest wait for a free connection."""
    retries: int = 2
    """Repetitions after a connection broke; safe since every script knows its operation."""

    def __repr__(self) -> str:
        """Without the url, which may hold a password."""
        return f"RedisOptions(size={self.size}, timeout={self.timeout})"


class _Unit:
    """Commands of one caller that stay together and in order, and the future of their replies."""

    __slots__ = ("commands", "is_alone", "queued_at", "replies", "was_sent")

    def __init__(self, commands: Sequence[Command], now: float, replies: asyncio.Future[list[Reply]]) -> None:
        self.commands = commands
        self.queued_at = now
        self.replies = replies
        # A WAIT holds the connection up until replicas have answered: nobody else is to wait for that.
        self.is_alone = commands[-1][0] == "WAIT"
        self.was_sent = False


class RedisConnection:
    """A pool of pipelined connections. One per process; open it in the event loop that uses it."""

    def __init__(
        self, options: RedisOptions, *, metrics: RedisMetrics, connections: ConnectionMetrics
    ) -> None:
        self._options = options
        self.metrics = metrics
        self._connection_metrics = connections
        self._pool = ConnectionPool.from_url(
            options.url,
            protocol=2,
            driver_info=None,
            decode_responses=True,
            encoding_errors="backslashreplace",
            socket_connect_timeout=options.connect_timeout,
            socket_timeout=None,
            retry=Retry(NoBackoff(), 0),
            retry_on_error=[],
            health_check_interval=0,
        )
        self._idle: list[AbstractConnection] = []
        self._open = 0
        self._waiting: deque[_Unit] = deque()
        self._exchanges: set[asyncio.Task[None]] = set()
        self._pump_scheduled = False
        self._closed = False
        connections.resized(options.size)

    async def call(self, *commands: Command) -> list[Reply]:
        """Send the commands together and give their replies, an error reply as a value.

        Repeated at most `retries` times when the connection breaks, so the commands must be safe to
        repeat. Raises StoreUnavailable.
        """
        was_sent = False
        for attempt in range(self._options.retries + 1):
            try:
                replies = await self._once(commands)
            except StoreUnavailable as error:
                self._count_failure(error.kind)
                was_sent = error.may_have_run = was_sent or error.may_have_run
                if error.kind != "unreachable" or attempt == self._options.retries:
                    raise
                await asyncio.sleep(0.02 * attempt)
            else:
                self.metrics.answered()
                return replies
        raise AssertionError("the last attempt returns or raises")

    async def hold(self) -> AbstractConnection:
        """Make a connection outside the pool, for commands that block. The caller disconnects it."""
        connection: AbstractConnection = self._pool.make_connection()  # type: ignore[no-untyped-call]
        try:
            await connection.connect()  # type: ignore[no-untyped-call]
        except (RedisError, OSError) as error:
            raise unavailable(error) from error
        return connection

    async def close(self) -> None:
        """Let exchanges end, then disconnect. Calls made afterwards raise StoreUnavailable."""
        self._closed = True
        while self._exchanges:
            await asyncio.wait(set(self._exchanges))
        for connection in self._idle:
            await connection.disconnect(nowait=True)
        self._idle.clear()

    def _count_failure(self, kind: str) -> None:
        match kind:
            case "unreachable":
                self.metrics.unreachable()
            case "timeout":
                self.metrics.timed_out()
            case "read_only":
                self.metrics.read_only()
            case _:
                self.metrics.refused()

    async def _once(self, commands: Sequence[Command]) -> list[Reply]:
        if self._closed:
            raise StoreUnavailable(
                "the connection to Redis was closed", kind="unreachable", may_have_run=False
            )
        loop = asyncio.get_running_loop()
        unit = _Unit(commands, loop.time(), loop.create_future())
        self._waiting.append(unit)
        if not self._pump_scheduled:
            self._pump_scheduled = True
            loop.call_soon(self._pump)
        if self._open < self._options.size or self._idle:
            return await unit.replies
        # All connections are busy: an exchange is bounded in time, but a queue of them is not.
        try:
            async with asyncio.timeout(self._options.queue_timeout + self._options.timeout):
                return await unit.replies
        except TimeoutError:
            raise StoreUnavailable(
                f"no answer from Redis within {self._options.queue_timeout + self._options.timeout:g} s: all "
                f"{self._options.size} connections are busy",
                kind="timeout",
                may_have_run=unit.was_sent,
            ) from None

    def _pump(self) -> None:
        """Give what waits to free connections."""
        self._pump_scheduled = False
        while self._waiting and (self._idle or self._open < self._options.size):
            batch: list[_Unit] = []
            commands = 0
            while self._waiting and (not batch or _fits(self._waiting[0], batch, commands)):
                unit = self._waiting.popleft()
                # Who gave up waiting must not be granted anything afterwards.
                if not unit.replies.done():
                    commands += len(unit.commands)
                    batch.append(unit)
            if not batch:
                break
            connection = self._idle.pop() if self._idle else None
            if connection is None:
                self._open += 1
            task = asyncio.get_running_loop().create_task(self._exchange(connection, batch))
            self._exchanges.add(task)
            task.add_done_callback(self._exchanges.discard)
        self._connection_metrics.changed(in_use=self._open - len(self._idle), waiting=len(self._waiting))

    async def _exchange(self, connection: AbstractConnection | None, batch: list[_Unit]) -> None:
        now = asyncio.get_running_loop().time()
        self._connection_metrics.waited(now - batch[0].queued_at)
        # Whatever happens, nobody waits for ever for these replies.
        failure: StoreUnavailable | None = StoreUnavailable("the call could not be made", kind="refused")
        try:
            async with asyncio.timeout(self._options.timeout):
                if connection is None:
                    connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
                if not connection.is_connected:
                    await connection.connect()
                commands = [command for unit in batch for command in unit.commands]
                self.metrics.sent(len(commands))
                for unit in batch:
                    unit.was_sent = True
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
                for unit in batch:
                    unit_replies = [await _read(connection) for _ in unit.commands]
                    if not unit.replies.done():
                        unit.replies.set_result(unit_replies)
            self._idle.append(connection)
            failure = None
        except (RedisError, OSError, TimeoutError, *TORN) as error:
            failure = unavailable(error)
        except asyncio.CancelledError:
            failure = StoreUnavailable("the service stops", kind="unreachable")
            raise
        finally:
            if failure is not None:
                await self._give_up(connection, batch, failure)
        self._pump()

    async def _give_up(
        self, connection: AbstractConnection | None, batch: list[_Unit], error: StoreUnavailable
    ) -> None:
        self._open -= 1
        if connection is not None:
            await connection.disconnect(nowait=True)
        # The other idle connections lead to the same server; most likely they are broken as well.
        for idle in self._idle:
            await idle.disconnect(nowait=True)
        self._open -= len(self._idle)
        self._idle.clear()
        for unit in batch:
            if not unit.replies.done():
                unit.replies.set_exception(
                    StoreUnavailable(
                        str(error), kind=error.kind, may_have_run=unit.was_sent, remedy=error.remedy
                    )
                )


def _fits(unit: _Unit, batch: list[_Unit], commands: int) -> bool:
    """Whether a unit may go out with this batch, which has so many commands."""
    return not (unit.is_alone or batch[0].is_alone) and commands + len(unit.commands) <= _LARGEST_BATCH


async def _read(connection: AbstractConnection) -> Reply:
    """Read one reply; an error reply is a value, except where it speaks of the server's state."""
    try:
        return await connection.read_response(timeout=math.inf, disconnect_on_error=False)
    except ResponseError as error:
        if speaks_of_server(error):
            raise
        return error


def check(reply: Reply) -> Reply:
    """Give the reply. Raises ScriptFailed for an error, StoreUnavailable for one that says "not allowed"."""
    if isinstance(reply, ResponseError):
        if is_forbidden(reply):
            raise unavailable(reply)
        raise ScriptFailed(str(reply))
    return reply
