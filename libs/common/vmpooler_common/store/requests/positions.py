"""Where an on-demand request stands in the queues of its pools, and what holds them up."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.checkout.holders import Holder, read_holders
from vmpooler_common.store.core.scripts import Scripts, read_named
from vmpooler_common.store.core.times import from_ms
from vmpooler_common.store.requests.requests import OnDemandRequest, request_of


@dataclass(frozen=True, slots=True)
class PendingByPhase:
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
class PoolPosition:
    """One pool's backlog from the view of one request."""

    backlog: int
    """VMs that requests, this one among them, wait for."""
    ready: int
    broken: str
    """Why the pool can't work, empty when it can."""
    backing_off: str
    """Why clones are held back for now, empty when they are not."""
    ahead: Mapping[int, int]
    """Number of an item -> how many VMs of the pool that aren't ready yet go to others before: requests
    and waiting checkouts; empty until it is accepted."""
    pending: PendingByPhase
    owed: int
    """VMs, ready or not, that are owed to waiting checkouts which come before the request's next VM; those
    that could take VMs of several pools count in each. At most 1,000 are counted."""
    holders: Sequence[Holder]
    """Those checkouts, at most a hundred."""


@dataclass(frozen=True, slots=True)
class RequestPosition:
    """A request and its places in the queues, at one moment."""

    request: OnDemandRequest
    pools: Mapping[str, PoolPosition]
    """By pool; only those that the request still waits for."""
    viewer: str | None
    """Whose the token of whoever asks is."""
    slots_in_use: int
    """Clones in flight for requests, over all pools."""
    now: datetime


class QueuePositions:
    """Reads only."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def look_up(self, request: str, *, token: str | None = None) -> RequestPosition | None:
        """Give a request and its places in the queues, in one round trip; `token` of whoever asks."""
        request_reply, reply = await self._scripts.run_all(
            [
                self._scripts.command_named("show_request", request=request),
                self._scripts.command_named("queue_position", request=request, token=token_digest(token)),
            ]
        )
        known = request_of(request, read_named(request_reply))
        if known is None:
            return None
        found = read_named(reply)
        positions = {one["pool"]: _position(one) for one in found["pools"]}
        viewer = found["viewer"] or None
        return RequestPosition(known, positions, viewer, found["slots_in_use"], from_ms(found["now"]))


def _position(found: Mapping[str, Any]) -> PoolPosition:
    ahead = found["ahead"]
    return PoolPosition(
        backlog=found["backlog"],
        ready=found["ready"],
        broken=found["broken"],
        backing_off=found["backing_off"],
        ahead=dict(zip(ahead[::2], ahead[1::2], strict=True)) if ahead else {},
        pending=PendingByPhase(**found["pending"]),
        owed=found["owed"],
        holders=read_holders(found["holders"]),
    )
