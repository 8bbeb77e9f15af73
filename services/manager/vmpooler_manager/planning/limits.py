"""The numbers that bound a plan. The scripts of the store check each of them again.

`clones_to_start` is the arithmetic of `store/clones/reserve.lua`; a test holds the two against each other.
"""

from dataclasses import dataclass
from datetime import timedelta

RESERVED_AT_ONCE = 100
"""Names that one pass reserves for a pool; the next pass follows at once."""

SMALLEST_ABSENT_BOUND, SMALLEST_ORPHAN_BOUND = 3, 2
SHARE_OF_PROVIDER = 10
"""Percent of a provider's VMs that may be given up, or adopted as orphans, in ten minutes."""

UNSERVED = timedelta(minutes=1)
"""Requests for a pool that no live manager is configured for fail after this time, in the store, too."""


@dataclass(frozen=True, slots=True)
class SlotUse:
    """Clone slots of the whole installation, and what a pool needs of them."""

    missing: int
    """VMs that the pool lacks."""
    uncloned: int
    """VMs of its backlog that no clone in flight is for."""
    free_for_requests: int
    """May be negative when a limit was lowered."""
    free_for_pools: int


def clones_to_start(use: SlotUse) -> int:
    """Count the clones that a pool may start: those for its backlog first, each kind from its own slots.

    Slots for the pool count only when all of the backlog has slots: the first clones of a pool count as its
    requests', whatever they were started for.
    """
    for_requests = max(0, min(use.missing, use.uncloned))
    count = min(for_requests, max(0, use.free_for_requests))
    if count == for_requests:
        count += max(0, min(use.missing - for_requests, use.free_for_pools))
    return count


def absent_bound(provider_vms: int) -> int:
    """Count the VMs of a provider that may be given up in ten minutes as absent."""
    return max(SMALLEST_ABSENT_BOUND, provider_vms * SHARE_OF_PROVIDER // 100)


def orphan_bound(provider_vms: int) -> int:
    """Count the orphans of a provider that may be adopted in ten minutes."""
    return max(SMALLEST_ORPHAN_BOUND, provider_vms * SHARE_OF_PROVIDER // 100)
