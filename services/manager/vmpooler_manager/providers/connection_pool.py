"""A bounded pool of connections to one cloud, shared by all calls of its driver.

Clouds charge dearly for sessions and log-ins, so a driver opens few, keeps them, and lets its calls
wait for one. Those who wait are served in the order in which they came. A place in the pool belongs
to the `async with` block and to nothing else: it comes back whether the block returned, failed or
was cancelled, and also when it was cancelled while it waited.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.providers.errors import ProviderError, TransientError

T = TypeVar("T")


def leaves_it_unsettled(error: BaseException) -> bool:
    """Whether a use that ended with `error` left its connection in a state that nobody knows.

    A driver raises a ProviderError knowing what happened. After anything else, a cancellation most of
    all, half an answer may still be on its way.
    """
    return not isinstance(error, ProviderError)


@dataclass(frozen=True, slots=True)
class Connector(Generic[T]):
    """How connections are made, checked and ended."""

    connect: Callable[[], Awaitable[T]]
    disconnect: Callable[[T], Awaitable[None]] | None = None
    is_alive: Callable[[T], Awaitable[bool]] | None = None
    """Asked before a connection is used again; when it says no, a new one takes its place."""
    is_broken: Callable[[BaseException], bool] = leaves_it_unsettled
    """Decides from the exception that ended a use whether the connection is dropped."""


class ConnectionPool(Generic[T]):
    """At most `size` connections, made when first needed and used again and again.

    `timeout` is the longest wait for a free connection. Making and checking connections is not part
    of it: the deadline of the call is what ends those.
    """

    def __init__(
        self,
        name: str,
        connector: Connector[T],
        *,
        size: int,
        timeout: timedelta,
        metrics: ConnectionMetrics,
    ) -> None:
        if size < 1:
            raise ValueError(f"connection pool {name!r}: a size of at least 1 was expected, not {size}")
        self._name = name
        self._connector = connector
        self._size = size
        self._timeout = timeout.total_seconds()
        self._metrics = metrics
        self._idle: list[T] = []
        self._queue: deque[asyncio.Future[None]] = deque()
        self._in_use = 0
        self._closed = False
        metrics.resized(size)
        self._report()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[T]:
        """Hold a connection for the length of the block.

        Raises TransientError when none became free in time or the pool was closed, and whatever
        the connector raises.
        """
        await self._take_place()
        try:
            connection = await self._usable()
            keep = False
            try:
                yield connection
                keep = True
            except BaseException as error:
                keep = not self._connector.is_broken(error)
                raise
            finally:
                if keep and not self._closed:
                    self._idle.append(connection)
                else:
                    await self._drop(connection)
        finally:
            self._leave_place()

    async def close(self) -> None:
        """End all connections: idle ones now, those in use when their block ends. Nobody waits any longer."""
        self._closed = True
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_exception(self._closed_error())
        self._report()
        while self._idle:
            await self._drop(self._idle.pop())

    async def _usable(self) -> T:
        """Take the connection that was used last, as long as it is alive, or make one."""
        while self._idle:
            connection = self._idle.pop()
            alive = False
            try:
                alive = self._connector.is_alive is None or await self._connector.is_alive(connection)
            finally:
                if not alive:
                    await self._drop(connection)
            if alive:
                return connection
        return await self._connector.connect()

    async def _drop(self, connection: T) -> None:
        if self._connector.disconnect is not None:
            await self._connector.disconnect(connection)

    async def _take_place(self) -> None:
        if self._closed:
            raise self._closed_error()
        # A place is passed straight to the next in the queue, so one is free only when nobody waits.
        if self._in_use < self._size:
            self._in_use += 1
            self._metrics.waited(0.0)
            self._report()
        else:
            await self._queue_up()

    async def _queue_up(self) -> None:
        clock = asyncio.get_running_loop().time
        since = clock()
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        self._report()
        served = False
        try:
            async with asyncio.timeout(self._timeout):
                await turn
            served = True
        except TimeoutError:
            waited = clock() - since
            self._metrics.waited(waited)
            raise TransientError(
                f"no free connection in pool {self._name!r} (size {self._size}) after waiting {waited:.1f} s"
            ) from None
        finally:
            if not served:
                self._give_up(turn)
        self._metrics.waited(clock() - since)

    def _give_up(self, turn: "asyncio.Future[None]") -> None:
        """Leave the queue; a place that was passed on in the same moment goes to the next one."""
        if turn in self._queue:
            self._queue.remove(turn)
            self._report()
        elif turn.done() and not turn.cancelled() and turn.exception() is None:
            self._leave_place()

    def _leave_place(self) -> None:
        """Pass the place to the first in the queue who still wants it, or have it free."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.done():
                turn.set_result(None)
                break
        else:
            self._in_use -= 1
        self._report()

    def _report(self) -> None:
        self._metrics.changed(in_use=self._in_use, waiting=len(self._queue))

    def _closed_error(self) -> TransientError:
        return TransientError(f"connection pool {self._name!r} is closed")
