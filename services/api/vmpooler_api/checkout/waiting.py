"""Where clients wait for VMs to be ready, in the order in which they came.

The order is the store's, across all processes: whoever tries out of turn is refused. Here it is only decided
who tries: when a VM becomes ready, the first of its pool's line, and not everybody. Who got VMs, or leaves,
has the next one called; who was refused although there are VMs beyond its needs passes the call on.
"""

import asyncio
from bisect import bisect_right, insort
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from vmpooler_api.background.event_feed import EventFeed
from vmpooler_api.metrics.waits import WaitMetrics
from vmpooler_api.web.errors import ClientLeft
from vmpooler_common.logs import Outage
from vmpooler_common.model.events import EventName
from vmpooler_common.store.checkout.checkouts import Checkout, Checkouts, WaitOptions
from vmpooler_common.store.core.errors import NoneReady, StillWaiting, StoreError
from vmpooler_common.store.core.events import Event

_STAY_EVERY = 2.5
"""Seconds between renewals of the places, which lapse after ten. The first of each line tries again, too."""

Attempt = Callable[[WaitOptions], Awaitable[Checkout]]
"""Tries a checkout once, always with the same operation."""


class _Place:
    """One waiting checkout; `call` is done when it should try again."""

    __slots__ = ("call", "key", "operation", "pools", "turn")

    def __init__(self, operation: str, pools: Collection[str], *, key: str, turn: int) -> None:
        self.operation = operation
        self.pools = pools
        self.key = key
        self.turn = turn
        self.await_call()

    def await_call(self) -> None:
        self.call: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class CheckoutQueue:
    """One per process; its clients stand in the lines of pools."""

    def __init__(self, checkouts: Checkouts, feed: EventFeed, *, metrics: WaitMetrics) -> None:
        self._checkouts = checkouts
        self._feed = feed
        self._metrics = metrics
        self._places: dict[str, _Place] = {}
        self._lines: dict[str, list[_Place]] = {}
        self._occupied = asyncio.Event()
        self._is_closed = False
        self._outage = Outage("keeping the places of waiting checkouts")
        feed.add_listener(self)

    async def check_out(
        self,
        attempt: Attempt,
        *,
        operation: str,
        sizes: Mapping[str, int],
        key: str,
        seconds: float,
        client_leaves: Callable[[], Coroutine[Any, Any, None]],
    ) -> Checkout:
        """Try until VMs are granted, for so many seconds; then for the last time.

        `sizes`: configured size of each pool that is tried; `key`: digest of the Idempotency-Key or "".
        Raises what `attempt` does, and ClientLeft as soon as `client_leaves` returns. Unless it raises
        NoneReady, the operation may still have a place in line.
        """
        ends = asyncio.get_running_loop().time() + seconds
        try:
            return await attempt(WaitOptions(sizes))
        except StillWaiting as refusal:
            place = _Place(operation, sizes.keys(), key=key, turn=refusal.turn)
        with self._feed.following(), self._seat(place), self._timed() as outcome:
            leaving = asyncio.create_task(client_leaves())
            try:
                while True:
                    # A seat, another try, and only then a wait: what happens in between calls.
                    is_last = self._is_closed or asyncio.get_running_loop().time() >= ends
                    try:
                        checkout = await attempt(WaitOptions(sizes, is_last=is_last))
                    except StillWaiting as refusal:
                        self._refused(place, refusal)
                    else:
                        outcome.append("granted")
                        return checkout
                    await self._called(place, ends=ends, leaving=leaving)
            except NoneReady:
                outcome.append("empty")
                raise
            except ClientLeft:
                outcome.append("left")
                raise
            finally:
                leaving.cancel()

    def close(self) -> None:
        """Have everybody try for the last time: the service is about to stop."""
        self._is_closed = True
        self._call_all()

    def hear(self, event: Event) -> None:
        """Call whoever may be served now."""
        if event.name in (EventName.VM_READY, EventName.QUEUE_MOVED):
            _call_next(self._lines.get(event.pool, ()))
        elif event.name is EventName.CHECKOUT_REPEATED:
            for place in self._places.values():
                if place.key == event.vm:
                    _call(place)

    def catch_up(self) -> None:
        """Call the first one of each line."""
        for line in self._lines.values():
            _call_next(line)

    async def run(self) -> None:
        """Keep the places of those who wait, until cancelled."""
        while True:
            await self._occupied.wait()
            await asyncio.sleep(_STAY_EVERY)
            if not self._places:
                continue
            try:
                await self._checkouts.stay(list(self._places), pools=list(self._lines))
            except StoreError as error:
                self._outage.began(str(error))
                self._call_all()  # to be told so
            else:
                self._outage.ended()
                self.catch_up()

    async def _called(self, place: _Place, *, ends: float, leaving: "asyncio.Task[None]") -> None:
        """Wait until the place is called or its time is over."""
        left = max(0.0, ends - asyncio.get_running_loop().time())
        await asyncio.wait({place.call, leaving}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            raise ClientLeft("while waiting for VMs")
        place.await_call()

    def _refused(self, place: _Place, refusal: StillWaiting) -> None:
        """Call those behind a place for VMs that are neither its own nor an older one's."""
        if refusal.turn != place.turn:  # it had lapsed
            self._leave(place)
            place.turn = refusal.turn
            self._enter(place)
        for pool in refusal.beyond:
            line = self._lines[pool]
            _call_next(line[bisect_right(line, place.turn, key=_turn) :])

    @contextmanager
    def _seat(self, place: _Place) -> Iterator[None]:
        self._places[place.operation] = place
        self._enter(place)
        self._occupied.set()
        try:
            yield
        finally:
            self._leave(place)
            del self._places[place.operation]
            if not self._places:
                self._occupied.clear()

    def _enter(self, place: _Place) -> None:
        for pool in place.pools:
            insort(self._lines.setdefault(pool, []), place, key=_turn)

    def _leave(self, place: _Place) -> None:
        for pool in place.pools:
            line = self._lines[pool]
            line.remove(place)
            if not line:
                del self._lines[pool]

    @contextmanager
    def _timed(self) -> Iterator[list[str]]:
        """Measure a wait; what is put into the list is how it ended."""
        now = asyncio.get_running_loop().time
        began, outcome = now(), list[str]()
        self._metrics.waiting(len(self._places))
        try:
            yield outcome
        finally:
            self._metrics.waiting(len(self._places) - 1)
            self._metrics.waited(now() - began, outcome[0] if outcome else "failed")

    def _call_all(self) -> None:
        for place in self._places.values():
            _call(place)


def _turn(place: _Place) -> int:
    return place.turn


def _call_next(places: Iterable[_Place]) -> None:
    """Call the first one that isn't called yet; several events call several."""
    for place in places:
        if not place.call.done():
            place.call.set_result(None)
            return


def _call(place: _Place) -> None:
    if not place.call.done():
        place.call.set_result(None)
