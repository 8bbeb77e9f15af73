"""Managers share the pools, take over from one that died, and never lose what they still work on."""

import asyncio
from datetime import timedelta

import pytest

from tests.store.fleet import LEASE, Fleet
from tests.support.eventually import eventually
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.clones.clones import Reservation

POOLS = [f"pool-{number}" for number in range(10)]
SHORT = timedelta(milliseconds=300)
NONE: tuple[str, ...] = ()


async def beat(
    fleet: Fleet,
    manager: str,
    *,
    lease: timedelta = LEASE,
    pools: list[str] = POOLS,
    working_on: tuple[str, ...] = NONE,
) -> frozenset[str]:
    """Send a heartbeat and give the pools that the manager holds."""
    heartbeat = await fleet.store.leases.heartbeat(manager, lease=lease, pools=pools, working_on=working_on)
    return heartbeat.held


async def test_one_manager_holds_all_pools(fleet: Fleet) -> None:
    assert await beat(fleet, "m1") == set(POOLS)


async def test_two_managers_come_to_share_the_pools_evenly(fleet: Fleet) -> None:
    await beat(fleet, "m1")
    await beat(fleet, "m2")
    first = await beat(fleet, "m1")
    second = await beat(fleet, "m2")
    assert (len(first), len(second)) == (5, 5)
    assert first | second == set(POOLS)


async def test_three_managers_leave_no_pool_alone(fleet: Fleet) -> None:
    shares: dict[str, frozenset[str]] = {}
    for _ in range(3):
        for manager in ("m1", "m2", "m3"):
            shares[manager] = await beat(fleet, manager)
    assert sorted(pool for share in shares.values() for pool in share) == sorted(POOLS)
    assert all(2 <= len(share) <= 4 for share in shares.values())


async def test_a_pool_is_held_by_one_manager_only(fleet: Fleet) -> None:
    one = await beat(fleet, "m1", pools=["pool"])
    other = await beat(fleet, "m2", pools=["pool"])
    assert one == {"pool"}
    assert not other


async def test_a_managers_pools_are_taken_over_when_its_lease_has_ended(fleet: Fleet) -> None:
    await beat(fleet, "m1", lease=SHORT)
    assert await beat(fleet, "m2") == frozenset()

    async def taken_over() -> bool:
        return await beat(fleet, "m2") == set(POOLS)

    await eventually(taken_over)
    assert await beat(fleet, "m1") == frozenset()


async def test_a_lease_that_is_renewed_is_not_taken_over(fleet: Fleet) -> None:
    lease = timedelta(seconds=2)
    began = await fleet.server_ms()
    await beat(fleet, "m1", lease=lease, pools=["pool"])
    while await fleet.server_ms() < began + 2500:
        assert await beat(fleet, "m1", lease=lease, pools=["pool"]) == {"pool"}
        assert await beat(fleet, "m2", lease=lease, pools=["pool"]) == frozenset()
        await asyncio.sleep(0.05)


async def test_a_manager_that_leaves_hands_over_at_once(fleet: Fleet) -> None:
    await beat(fleet, "m1")
    await fleet.store.leases.leave("m1", [])
    assert await beat(fleet, "m2") == set(POOLS)


async def test_a_manager_that_leaves_tells_the_others_once(fleet: Fleet) -> None:
    await beat(fleet, "m1")
    await fleet.store.leases.leave("m1", [])
    await fleet.store.leases.leave("m1", [])
    assert [kind for kind, _, _ in (await fleet.dataset()).events] == ["manager.left"]


async def test_work_that_is_going_on_is_kept_from_other_managers(fleet: Fleet) -> None:
    """Beats renew the lease of a clone and of a destruction to the length of the beat's."""
    await fleet.creating("one", "a")
    await fleet.destroying("one", "b")
    before = await fleet.server_ms()
    await beat(fleet, "manager-1", lease=2 * LEASE, working_on=("a", "b", "unknown"))
    data = await fleet.dataset()
    assert float(data.records["a"]["lease"]) >= before + 60_000
    assert data.members("destroying", "one")["b"] >= before + 60_000
    assert await fleet.store.retirement.claim(["b"], operation="o", manager="m2", lease=LEASE) == []


async def test_a_manager_does_not_renew_the_work_of_another(fleet: Fleet) -> None:
    await fleet.creating("one", "a")
    await fleet.destroying("one", "b")
    before = await fleet.dataset()
    await beat(fleet, "m2", lease=2 * LEASE, pools=[], working_on=("a", "b"))
    after = await fleet.dataset()
    assert after.records == before.records
    assert after.members("destroying", "one") == before.members("destroying", "one")


async def test_the_work_of_a_manager_that_leaves_is_free_at_once(fleet: Fleet) -> None:
    await fleet.creating("one", "a")
    await fleet.destroying("one", "b")
    await fleet.store.leases.leave("manager-1", ["a", "b"])
    snapshot, _ = await fleet.store.views.observe("one", "dummy", size=1, ready_ttl=LEASE, listed=None)
    assert snapshot.pending[0].lease_ends_at <= snapshot.now
    (to_destroy,) = await fleet.store.retirement.claim(["b"], operation="o", manager="m2", lease=LEASE)
    assert to_destroy.name == "b"


async def test_a_destruction_is_taken_over_when_its_lease_has_ended(fleet: Fleet) -> None:
    await fleet.completed("one", "a")
    claim = fleet.store.retirement.claim
    await claim(["a"], operation="first", manager="m1", lease=SHORT)
    assert await claim(["a"], operation="second", manager="m2", lease=LEASE) == []

    async def taken_over() -> bool:
        return bool(await claim(["a"], operation="third", manager="m2", lease=LEASE))

    await eventually(taken_over)
    before = await fleet.dataset()
    await fleet.store.retirement.defer("a", manager="m1", delay=timedelta(0))
    assert await fleet.dataset() == before


async def test_a_slot_is_free_again_after_its_life(fleet: Fleet) -> None:
    bounds = Reservation("one", "dummy", "", 9, 1, 0, SHORT)
    reserve = fleet.store.clones.reserve
    await reserve(bounds, [("a", "1")], operation="first", manager="m1", lease=LEASE)
    assert await reserve(bounds, [("b", "1")], operation="second", manager="m1", lease=LEASE) == []

    async def reserved() -> bool:
        return bool(await reserve(bounds, [("b", "1")], operation="third", manager="m1", lease=LEASE))

    await eventually(reserved)


async def test_a_slot_is_free_again_when_its_clone_is_done_or_given_up(fleet: Fleet) -> None:
    await fleet.created("one", "cloned")
    await fleet.creating("one", "failed", "going-on")
    await fleet.store.retirement.retire("failed", VmState.PENDING, operation="o", reason="test")
    assert (await fleet.dataset()).members("slots").keys() == {"going-on"}


@pytest.mark.parametrize(("size", "slots", "expected"), [(2, 9, 2), (9, 3, 3), (0, 9, 0), (9, 0, 0)])
async def test_no_more_names_are_reserved_than_size_and_slots_allow(
    size: int, slots: int, expected: int, fleet: Fleet
) -> None:
    names = [(f"vm-{number}", "1") for number in range(5)]
    for operation in ("first", "second"):
        await fleet.store.clones.reserve(
            Reservation("one", "dummy", "", size, slots, 0, LEASE),
            names,
            operation=operation,
            manager="m1",
            lease=LEASE,
        )
    assert len((await fleet.dataset()).records) == expected
