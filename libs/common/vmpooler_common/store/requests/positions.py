"""Where an on-demand request stands in the lines of its pools, and what holds them up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vmpooler_common.store.core.connection import Reply
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import from_ms
from vmpooler_common.store.requests.requests import OnDemandRequest, request_of


@dataclass(frozen=True, slots=True)
class Making:
    """A pool's pending VMs by how far they are; at most 200 are looked at."""

    reserved: int
    """Not asked of the provider yet."""
    cloning: int
    booting: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.reserved + self.cloning + self.booting


@dataclass(frozen=True, slots=True)
class Line:
    """One pool's backlog from the view of one request."""

    backlog: int
    """VMs that requests, this one among them, wait for."""
    ready: int
    broken: str
    """Why the pool can't work, empty when it can."""
    backing_off: str
    """Why clones are held back for now, empty when they are not."""
    places: Mapping[int, int]
    """Number of a wanted VM -> how many VMs of the pool that aren't ready yet go to others before: requests
    and waiting checkouts; empty until it is accepted."""
    making: Making
    owed: int
    """VMs, ready or not, that are owed to waiting checkouts which come before the request's next VM; those
    that could take VMs of several pools count in each. At most 1,000 are counted."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A request and its lines, at one moment."""

    request: OnDemandRequest
    lines: Mapping[str, Line]
    """By pool; only those that the request still waits for."""
    slots_in_use: int
    """Clones in flight for requests, over all pools."""
    now: datetime


class QueuePositions:
    """Reads only."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def look_up(self, request: str) -> Standing | None:
        """Give a request and its lines, in one round trip."""
        found, reply = await self._scripts.run_all(
            [self._scripts.command("show_request", request), self._scripts.command("queue_position", request)]
        )
        known = request_of(request, found)
        if known is None:
            return None
        now, slots, *lines = reply
        return Standing(known, {line[0]: _line(line[1:]) for line in lines}, slots, from_ms(now))


def _line(reply: Sequence[Reply]) -> Line:
    backlog, ready, broken, backing_off, places, making, owed = reply
    return Line(
        backlog=backlog,
        ready=ready,
        broken=broken,
        backing_off=backing_off,
        places=dict(zip(places[::2], places[1::2], strict=True)),
        making=Making(*making),
        owed=owed,
    )
