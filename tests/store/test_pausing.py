"""A pool that an operator has paused: nothing of it is made or handed out, whoever asks."""

from datetime import timedelta

import pytest

from tests.store.fleet import LEASE, MANAGER, Fleet, attempt_of, reservation
from tests.store.ondemand import TTL, OnDemand
from vmpooler_common.model.allowance import Client
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.core.errors import NoneReady
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.pools.overrides import Permission

HOUR = timedelta(hours=1)


async def pause(fleet: Fleet, pool: str, reason: str | None = "rebuilt") -> bool:
    done = await fleet.store.overrides.pause(pool, reason, permission=Permission(), operation=new_operation())
    return done.is_change


async def check_out(fleet: Fleet, *pools: str) -> list[str]:
    checkout = await fleet.store.checkouts.check_out(
        [LineItem("name", 1, [(pool, 1) for pool in pools])],
        operation=new_operation(),
        lifetime=HOUR,
        client=Client(lifetime_with_token=HOUR),
    )
    return [grant.vm for grant in checkout.grants]


async def test_a_paused_pool_hands_nothing_out_until_it_works_again(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    assert await pause(fleet, "one")
    with pytest.raises(NoneReady):
        await check_out(fleet, "one")
    assert await pause(fleet, "one", None)
    assert await check_out(fleet, "one") == ["a"]


async def test_an_alias_is_served_by_its_other_pools(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    await fleet.ready("two", "b")
    await pause(fleet, "one")
    assert await check_out(fleet, "one", "two") == ["b"]
    with pytest.raises(NoneReady):
        await check_out(fleet, "one", "two")


async def test_pausing_again_changes_the_reason_and_not_the_time(fleet: Fleet) -> None:
    assert await pause(fleet, "one", "first")
    first = (await fleet.store.views.counts(["one"])).pools["one"].pause
    assert not await pause(fleet, "one", "second")
    second = (await fleet.store.views.counts(["one"])).pools["one"].pause
    assert first
    assert second
    assert second.reason == "second"
    assert first.since == second.since
    assert await pause(fleet, "one", None)
    assert not await pause(fleet, "one", None)
    assert (await fleet.store.views.counts(["one"])).pools["one"].pause is None


async def test_no_name_is_reserved_in_a_paused_pool(fleet: Fleet) -> None:
    async def reserve() -> list[str]:
        return await fleet.store.clones.reserve(
            reservation("one", size=1),
            [("a", attempt_of("a"))],
            operation=new_operation(),
            manager=MANAGER,
            lease=LEASE,
        )

    await pause(fleet, "one")
    assert await reserve() == []
    await pause(fleet, "one", None)
    assert await reserve() == ["a"]


async def test_a_vm_that_boots_in_a_paused_pool_is_kept_for_later(demand: OnDemand) -> None:
    """It is given to nobody, neither when it is ready nor by a manager that has not heard of the pause."""
    fleet = demand.fleet
    await demand.accepted("r1", "one")
    await fleet.created("one", "a")
    await pause(fleet, "one")
    promotion = await fleet.store.clones.promote("a", attempt_of("a"), operation="promote")
    assert promotion is not None
    assert promotion.request == ""
    assert await fleet.store.backlog.serve("one", operation=new_operation(), most=5) == []
    await pause(fleet, "one", None)
    [served] = await fleet.store.backlog.serve("one", operation=new_operation(), most=5)
    assert served.vm == "a"


async def test_a_request_goes_to_a_pool_that_is_not_paused(demand: OnDemand) -> None:
    await pause(demand.fleet, "one")
    await demand.fleet.store.requests.open(
        "r1",
        [("alias", "one", "two")],
        operation="open",
        token=None,
        lifetime=HOUR,
        client=Client(lifetime_with_token=HOUR),
        ttl=TTL,
    )
    assert [item.pool for item in (await demand.seen("r1")).items] == ["two"]
