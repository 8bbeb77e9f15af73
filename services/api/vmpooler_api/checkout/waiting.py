"""Where clients wait for VMs to be ready, in the order in which they came.

The order is the store's, across all processes: whoever tries out of turn is refused. Here it is only decided
who tries: when a VM becomes ready, the first of its pool's queue, and not everybody. Who got VMs, or leaves,
has the next one called; who was refused although there are VMs beyond its needs passes the call on.
"""

import asyncio
from bisect import bisect_right, insort
from collections.abc import Awaitable, Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import structlog

from vmpooler_api.background.event_feed import EventFeed
from vmpooler_api.metrics.waits import WaitMetrics
from vmpooler_api.web.errors import ClientLeft
from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.checkout.checkouts import Checkouts
from vmpooler_common.store.checkout.values import Checkout, Hold, WaitOptions
from vmpooler_common.store.core.errors import NoneReady, StillWaiting, StoreError
from vmpooler_common.store.core.events import Event

_RENEW_EVERY = 2.5
"""Seconds between renewals of the tickets, which lapse after ten. The head of each queue tries again, too."""

_LONG = 5.0
"""A hold of this time is worth a line in the log."""

log = structlog.get_logger(__name__)

Attempt = Callable[[WaitOptions], Awaitable[Checkout]]
"""Tries a checkout once, always with the same operation."""


class _Ticket:
    """One waiting checkout; `call` is done when it should try again."""

    __slots__ = ("address", "call", "key", "operation", "pools", "turn")

    def __init__(self, operation: str, pools: Collection[str], *, address: str, key: str, turn: int) -> None:
        self.operation = operation
        self.address = address
        self.pools = pools
        self.key = key
        self.turn = turn
        self.await_call()

    def await_call(self) -> None:
        self.call: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class CheckoutQueue:
    """One per process; its clients stand in the queues of pools."""

    def __init__(
        self, checkouts: Checkouts, feed: EventFeed, *, hold: timedelta, metrics: WaitMetrics
    ) -> None:
        """`hold`: how long at a time a checkout keeps VMs from others."""
        self._checkouts = checkouts
        self._hold_time = hold
        self._holding: dict[str, float] = {}
        self._feed = feed
        self._metrics = metrics
        self._tickets: dict[str, _Ticket] = {}
        self._queues: dict[str, list[_Ticket]] = {}
        self._occupied = asyncio.Event()
        self._is_closed = False
        self._outage = Outage("keeping the tickets of waiting checkouts")
        feed.add_listener(self)

    async def check_out(
        self,
        attempt: Attempt,
        *,
        operation: str,
        sizes: Mapping[str, int],
        address: str,
        key: str,
        seconds: float,
        client_leaves: Callable[[], Coroutine[Any, Any, None]],
    ) -> Checkout:
        """Try until VMs are granted, for so many seconds; then for the last time.

        `sizes`: configured size of each pool that is tried; `address` of the client; `key`: digest of the
        Idempotency-Key or "".
        Raises what `attempt` does, and ClientLeft as soon as `client_leaves` returns. Unless it raises
        NoneReady, the operation may still have a ticket in queue.
        """
        ends = asyncio.get_running_loop().time() + seconds
        try:
            return await attempt(self._options(sizes))
        except StillWaiting as refusal:
            ticket = _Ticket(operation, sizes.keys(), address=address, key=key, turn=refusal.turn)
        with self._feed.following(), self._hold(ticket), self._timed() as outcome:
            leaving = asyncio.create_task(client_leaves())
            try:
                while True:
                    # A seat, another try, and only then a wait: what happens in between calls.
                    is_last = self._is_closed or asyncio.get_running_loop().time() >= ends
                    try:
                        checkout = await attempt(self._options(sizes, is_last=is_last))
                    except StillWaiting as refusal:
                        self._refused(ticket, refusal)
                    else:
                        outcome.append("granted")
                        return checkout
                    await self._called(ticket, ends=ends, leaving=leaving)
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

    def on_event(self, event: Event) -> None:
        """Call whoever may be served now."""
        if event.name in (EventName.VM_READY, EventName.QUEUE_MOVED):
            _call_next(self._queues.get(event.pool, ()))
        elif event.name is EventName.POOL_BROKEN:  # nobody waits for what can't come
            for ticket in self._queues.get(event.pool, ()):
                _call(ticket)
        elif event.name is EventName.CHECKOUT_REPEATED:
            for ticket in self._tickets.values():
                if ticket.key == event.vm:
                    _call(ticket)

    def catch_up(self) -> None:
        """Call the first one of each queue."""
        for queue in self._queues.values():
            _call_next(queue)

    async def run(self) -> None:
        """Keep the tickets of those who wait, until cancelled."""
        while True:
            await self._occupied.wait()
            await asyncio.sleep(_RENEW_EVERY)
            if not self._tickets:
                self._report(())
                continue
            try:
                addresses = {ticket.operation: ticket.address for ticket in self._tickets.values()}
                holds = await self._checkouts.renew(addresses, pools=list(self._queues))
            except StoreError as error:
                self._outage.began(str(error))
                self._call_all()  # to be told so
            else:
                self._outage.ended()
                self._report(holds)
                self.catch_up()

    def _options(self, sizes: Mapping[str, int], *, is_last: bool = False) -> WaitOptions:
        return WaitOptions(sizes, hold=self._hold_time, is_last=is_last)

    def _report(self, holds: Sequence[Hold]) -> None:
        """Tell who holds VMs back, and log each that has done so for long, once."""
        self._metrics.holding(len(holds))
        now = asyncio.get_running_loop().time()
        self._holding = {hold.operation: self._holding.get(hold.operation, now) for hold in holds}
        for hold in holds:
            lasting = now - self._holding[hold.operation]
            if _LONG <= lasting < _LONG + _RENEW_EVERY:
                log.info(
                    EventName.CHECKOUT_HOLDS,
                    operation=hold.operation,
                    user=hold.user,
                    pools=hold.pools,
                    seconds=round(lasting, 1),
                )

    async def _called(self, ticket: _Ticket, *, ends: float, leaving: "asyncio.Task[None]") -> None:
        """Wait until the ticket is called or its time is over."""
        left = max(0.0, ends - asyncio.get_running_loop().time())
        await asyncio.wait({ticket.call, leaving}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        if leaving.done():
            raise ClientLeft("while waiting for VMs")
        ticket.await_call()

    def _refused(self, ticket: _Ticket, refusal: StillWaiting) -> None:
        """Call those behind a ticket for VMs that are neither its own nor an older one's."""
        if refusal.turn != ticket.turn:  # it had lapsed
            self._leave(ticket)
            ticket.turn = refusal.turn
            self._enter(ticket)
        for pool in refusal.beyond:
            queue = self._queues[pool]
            _call_next(queue[bisect_right(queue, ticket.turn, key=_turn) :])

    @contextmanager
    def _hold(self, ticket: _Ticket) -> Iterator[None]:
        self._tickets[ticket.operation] = ticket
        self._enter(ticket)
        self._occupied.set()
        try:
            yield
        finally:
            self._leave(ticket)
            del self._tickets[ticket.operation]
            if not self._tickets:
                self._occupied.clear()

    def _enter(self, ticket: _Ticket) -> None:
        for pool in ticket.pools:
            insort(self._queues.setdefault(pool, []), ticket, key=_turn)

    def _leave(self, ticket: _Ticket) -> None:
        for pool in ticket.pools:
            queue = self._queues[pool]
            queue.remove(ticket)
            if not queue:
                del self._queues[pool]

    @contextmanager
    def _timed(self) -> Iterator[list[str]]:
        """Measure a wait; what is put into the list is how it ended."""
        now = asyncio.get_running_loop().time
        began, outcome = now(), list[str]()
        self._metrics.waiting(len(self._tickets))
        try:
            yield outcome
        finally:
            self._metrics.waiting(len(self._tickets) - 1)
            self._metrics.waited(now() - began, outcome[0] if outcome else "failed")

    def _call_all(self) -> None:
        for ticket in self._tickets.values():
            _call(ticket)


def _turn(ticket: _Ticket) -> int:
    return ticket.turn


def _call_next(tickets: Iterable[_Ticket]) -> None:
    """Call the first one that isn't called yet; several events call several."""
    for ticket in tickets:
        if not ticket.call.done():
            ticket.call.set_result(None)
            return


def _call(ticket: _Ticket) -> None:
    if not ticket.call.done():
        ticket.call.set_result(None)
