"""When the next pass over a pool is due. Pokes come earlier."""

from collections.abc import Collection

from vmpooler_common.model.pool import Snapshot
from vmpooler_manager.planning.actions import Action, AwaitSlot
from vmpooler_manager.runtime.pool import Pool

SHORTEST_WAIT = 0.05
"""Seconds between two passes that nothing but time asks for."""
SLOT_SECONDS = 2.0
"""Longest wait for a free clone slot. A slot that lapses, that another manager frees while its VM still
boots, or that is freed during a pass pokes nobody."""


def next_pass(
    pool: Pool,
    snapshot: Snapshot,
    actions: Collection[Action],
    *,
    monotonic: float,
    listing_due_in: float | None,
) -> float:
    """Give the seconds until something is due by its time; `listing_due_in`: None while no listing can be."""
    waits = [pool.retries.longest.total_seconds()]
    if AwaitSlot() in actions:
        waits.append(SLOT_SECONDS)
    if listing_due_in is not None:
        waits.append(listing_due_in)
    pauses = (
        pool.clones.until,
        pool.naming.until,
        pool.preparations.until,
        pool.listings.until,
        pool.cloud.throttled_until,
    )
    waits += [until - monotonic for until in pauses if until > monotonic]
    times = [vm.lease_ends_at for vm in snapshot.pending]
    times += [vm.waits_since + pool.spec.timeout for vm in snapshot.pending]
    if snapshot.next_due:
        times.append(snapshot.next_due)
    # What is overdue already waits for something else, a steady clock for example.
    waits += [(time - snapshot.now).total_seconds() for time in times if time > snapshot.now]
    return max(SHORTEST_WAIT, min(waits))
