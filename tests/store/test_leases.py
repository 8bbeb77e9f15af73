"""Managers share the pools, take over from one that died, and never lose what they still work on."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta

import pytest

from tests.store.fleet import LEASE, Fleet, serving
from tests.support.eventually import eventually
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.clones.clones import Reservation
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.managers.leases import Offer
from vmpooler_common.store.retirement.retirement import Condition, Outcome

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
    heartbeat = await fleet.store.leases.heartbeat(
        manager, lease=lease, offer=serving(pools), working_on=working_on
    )
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


# Managers that aren't alike


async def held_by(
    fleet: Fleet, offers: Mapping[str, Offer], *, rounds: int = 3, lease: timedelta = LEASE
) -> dict[str, frozenset[str]]:
    """Let the managers beat in turn, and give what each holds in the end."""
    held: dict[str, frozenset[str]] = {}
    for _ in range(rounds):
        for manager, offer in offers.items():
            beat = await fleet.store.leases.heartbeat(manager, lease=lease, offer=offer, working_on=[])
            held[manager] = beat.held
    return held


async def test_each_manager_holds_only_pools_that_it_is_configured_for(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    await fleet.ready("two", "b")
    held = await held_by(fleet, {"m1": serving(["one"]), "m2": serving(["two", "new"])})
    assert held == {"m1": {"one"}, "m2": {"two", "new"}}


async def test_what_a_manager_can_not_serve_is_served_by_one_that_can(fleet: Fleet) -> None:
    broken = Offer(dict.fromkeys(POOLS, False), set(), {"dummy"})
    assert await held_by(fleet, {"m1": serving(POOLS)}) == {"m1": set(POOLS)}
    assert await held_by(fleet, {"m1": broken, "m2": serving(POOLS)}) == {"m1": set(), "m2": set(POOLS)}
    beat = await fleet.store.leases.heartbeat("m1", lease=LEASE, offer=broken, working_on=[])
    assert beat.rivals == {"dummy"}


async def test_what_nobody_can_serve_is_held_all_the_same(fleet: Fleet) -> None:
    """So that somebody tells why it is broken, and fails who waits in vain."""
    broken = Offer(dict.fromkeys(POOLS, False), set(), {"dummy"})
    held = await held_by(fleet, {"m1": broken, "m2": broken})
    assert held["m1"] | held["m2"] == set(POOLS)
    assert len(held["m1"]) == len(held["m2"]) == 5


@pytest.mark.parametrize("first", ["a", "b", "c"])
async def test_pools_that_few_can_serve_are_not_left_alone_for_others(fleet: Fleet, first: str) -> None:
    """Whoever comes first takes all that it can, and gives up what others have room for."""
    only = {"a": ["ab-1", "ab-2", "ca-1", "ca-2"], "b": ["ab-1", "ab-2", "b"], "c": ["ca-1", "ca-2"]}
    order = sorted(only, key=lambda manager: manager != first)
    offers = {manager: serving(only[manager]) for manager in order}

    async def all_are_held() -> bool:
        held = await held_by(fleet, offers, rounds=1, lease=SHORT)
        assert all(pools <= set(only[manager]) for manager, pools in held.items())
        assert max(map(len, held.values())) <= 3
        return sorted(pool for pools in held.values() for pool in pools) == sorted({*only["b"], *only["c"]})

    await held_by(fleet, offers, lease=SHORT)
    await eventually(all_are_held)


async def test_a_pool_without_a_configured_manager_goes_to_one_with_its_provider(fleet: Fleet) -> None:
    await fleet.ready("left", "a")
    offers = {"m1": serving(["one"], providers=["vsphere"]), "m2": serving(["two"])}
    assert await held_by(fleet, offers) == {"m1": {"one"}, "m2": {"two", "left"}}


async def test_absence_is_counted_while_managers_live_and_forgotten_when_one_has_the_pool(
    fleet: Fleet,
) -> None:
    await fleet.ready("left", "a")

    async def absent_after(seconds: int, pools: Sequence[str] = ()) -> timedelta | None:
        await fleet.client.decrby(f"{fleet.prefix}:absent_at", 1000 * seconds)
        offer = serving(pools)
        beat = await fleet.store.leases.heartbeat("m", lease=LEASE, offer=offer, working_on=[])
        return beat.absent.get("left")

    assert await absent_after(0) is not None
    assert timedelta(seconds=24) > (await absent_after(20) or timedelta(0)) >= timedelta(seconds=20)
    await fleet.store.leases.leave("m", [])
    assert timedelta(seconds=24) > (await absent_after(1000) or timedelta(0)) >= timedelta(seconds=20)
    assert await retire_left(fleet, grace=timedelta(seconds=25)) is Outcome.REFUSED
    assert await absent_after(0, ["left"]) is None
    assert await retire_left(fleet, grace=timedelta(0)) is Outcome.REFUSED
    assert await absent_after(0) is not None
    assert await retire_left(fleet, grace=timedelta(0)) is Outcome.OK


async def retire_left(fleet: Fleet, *, grace: timedelta) -> Outcome:
    """Retire the ready VM of a pool as one that left the configuration."""
    return await fleet.store.retirement.retire(
        "a", VmState.READY, operation=new_operation(), reason="excess", condition=Condition(Guard.LEFT, grace)
    )
