"""Where clients wait for their on-demand requests.

An event says that something about a request happened; then the status of all requests that this is about is
read together. Events can be missed, so after a gap and every few seconds all are read.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from vmpooler_api.background.event_feed import EventFeed
from vmpooler_api.metrics.ondemand import OnDemandMetrics
from vmpooler_api.web.errors import ClientLeft
from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.core.events import Event
from vmpooler_common.store.requests.requests import OnDemandRequest, Requests, RequestStatus

_READ_ALL_EVERY = 5.0
"""Seconds."""

Call = asyncio.Future[None]


class RequestWaiters:
    """One per process."""

    def __init__(self, requests: Requests, feed: EventFeed, *, metrics: OnDemandMetrics) -> None:
        self._requests = requests
        self._feed = feed
        self._metrics = metrics
        self._waiters: dict[str, set[Call]] = {}
        self._waiting = 0
        self._occupied = asyncio.Event()
        self._to_read: set[str] = set()
        self._wake = asyncio.Event()
        self._is_closed = False
        self._outage = Outage("reading the requests that clients wait for")
        feed.add_listener(self)

    async def look_up(
        self, request: str, *, longest: float, client_leaves: Callable[[], Coroutine[Any, Any, None]]
    ) -> OnDemandRequest | None:
        """Give a request as soon as it is over, or as it is after `longest` seconds; None: there is none.

        Raises ClientLeft as soon as `client_leaves` returns, StoreUnavailable.
        """
        if not longest:
            return await self._requests.look_up(request)
        now = asyncio.get_running_loop().time
        ends = now() + longest
        leaving = asyncio.create_task(client_leaves())
        try:
            while True:
                # First the waiter, then the look: what happens in between calls the waiter.
                with self._wait_for(request) as call:
                    found = await self._requests.look_up(request)
                    left = ends - now()
                    if (
                        found is None
                        or found.status is not RequestStatus.OPEN
                        or left <= 0
                        or self._is_closed
                    ):
                        return found
                    await asyncio.wait({call, leaving}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                if leaving.done():
                    raise ClientLeft("while waiting for its request")
        finally:
            leaving.cancel()

    def close(self) -> None:
        """Send everybody home with what is known: the service is about to stop."""
        self._is_closed = True
        self._call(list(self._waiters))

    def on_event(self, event: Event) -> None:
        """Have a request read that something happened to."""
        if event.name is EventName.REQUEST_CHANGED and event.vm in self._waiters:
            self._read_soon((event.vm,))

    def catch_up(self) -> None:
        """Have all requests read."""
        self._read_soon(self._waiters)

    async def run(self) -> None:
        """Call those whose request is over, until cancelled."""
        now = asyncio.get_running_loop().time
        read_all_at = 0.0
        while True:
            if not self._occupied.is_set():
                await self._occupied.wait()
                read_all_at = now() + _READ_ALL_EVERY
            try:
                async with asyncio.timeout_at(read_all_at):
                    await self._wake.wait()
            except TimeoutError:
                self._to_read.update(self._waiters)
                read_all_at = now() + _READ_ALL_EVERY
            self._wake.clear()
            to_read = [request for request in self._to_read if request in self._waiters]
            self._to_read.clear()
            if to_read:
                await self._call_those_that_are_over(to_read)

    @contextmanager
    def _wait_for(self, request: str) -> Iterator[Call]:
        call: Call = asyncio.get_running_loop().create_future()
        self._waiters.setdefault(request, set()).add(call)
        self._occupied.set()
        self._count(+1)
        try:
            with self._feed.following():
                yield call
        finally:
            waiters = self._waiters[request]
            waiters.discard(call)
            if not waiters:
                del self._waiters[request]
            if not self._waiters:
                self._occupied.clear()
            self._count(-1)

    def _count(self, change: int) -> None:
        self._waiting += change
        self._metrics.waiting(self._waiting)

    def _call(self, requests: Collection[str]) -> None:
        for request in requests:
            for call in self._waiters.get(request, ()):
                if not call.done():
                    call.set_result(None)

    def _read_soon(self, requests: Collection[str]) -> None:
        self._to_read.update(requests)
        self._wake.set()

    async def _call_those_that_are_over(self, requests: Sequence[str]) -> None:
        try:
            statuses = await self._requests.statuses(requests)
        except StoreError as error:
            # All are read again in a few seconds; who can't wait so long hears it from its own look.
            self._outage.began(str(error))
            return
        self._outage.ended()
        self._call(
            [
                request
                for request, status in zip(requests, statuses, strict=True)
                if status is not RequestStatus.OPEN
            ]
        )
