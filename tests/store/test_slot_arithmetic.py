"""The planner and the script that reserves count alike: how many clones a pool may start."""

from random import Random

import pytest

from tests.store.fleet import LEASE, MANAGER, PROVIDER, Fleet, reservation
from tests.store.ondemand import OnDemand
from vmpooler_common.model.vm import VmState
from vmpooler_manager.planning.actions import Reserve
from vmpooler_manager.planning.planner import plan
from vmpooler_manager.planning.spec import PoolSpec, PoolView

HOUR = LEASE * 120


@pytest.mark.parametrize("seed", range(40))
async def test_a_plan_reserves_as_many_names_as_the_script_allows(fleet: Fleet, seed: int) -> None:
    random = Random(seed)
    for pool in ("red", "blue"):
        if backlog := random.randrange(5):
            await OnDemand(fleet).accepted(f"request-{pool}", *[pool] * backlog)
        if count := random.randrange(4):
            await fleet.reserved(pool, *(f"{pool}-clone-{number}" for number in range(count)))
        if count := random.randrange(3):
            # Their slots are free, and they count as pending.
            await fleet.created(pool, *(f"{pool}-booting-{number}" for number in range(count)))
    spec = PoolSpec(
        "red",
        PROVIDER,
        size=random.randrange(8),
        slot_limit=random.randrange(8),
        request_slot_limit=random.randrange(6),
        ready_ttl=HOUR,
        timeout=HOUR,
    )
    snapshot, _ = await fleet.store.views.observe(
        "red", PROVIDER, size=spec.size, ready_ttl=HOUR, listed=None
    )
    planned = sum(a.count for a in plan(spec, PoolView(snapshot), snapshot.now) if isinstance(a, Reserve))
    reserved = await fleet.store.clones.reserve(
        reservation("red", size=spec.size, slots=spec.slot_limit, request_slots=spec.request_slot_limit),
        [(f"new-{number}", f"attempt-{number}") for number in range(30)],
        operation="reserve",
        manager=MANAGER,
        lease=LEASE,
    )
    assert len(reserved) == planned
    assert [await fleet.state(vm) for vm in reserved] == [VmState.PENDING] * planned
