"""Handing VMs out: all or nothing, oldest first, to those who may have them."""

import asyncio
from datetime import timedelta

import pytest

from tests.store.fleet import Fleet, want
from vmpooler_common.model.allowance import Client
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.core.errors import NoneReady, NoSuchVm, StoreUnavailable, UnknownToken
from vmpooler_common.store.core.times import to_ms

HOUR = timedelta(hours=1)


async def take(fleet: Fleet, *wants: LineItem, operation: str = "take") -> list[str]:
    """Check out and give the VMs' names."""
    checkout = await fleet.store.checkouts.check_out(wants, operation=operation, lifetime=None)
    return [grant.vm for grant in checkout.grants]


async def test_the_vm_that_is_ready_longest_goes_first(fleet: Fleet) -> None:
    for vm in ("c", "a", "b"):
        await fleet.ready("one", vm)
        begun = await fleet.server_ms()
        while await fleet.server_ms() == begun:  # the next one is younger by the server's clock
            pass
    assert await take(fleet, want("one", 2)) == ["c", "a"]


async def test_nothing_is_taken_when_one_pool_is_short(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    before = await fleet.dataset()
    with pytest.raises(NoneReady) as refusal:
        await take(fleet, want("one", 2), want("two"))
    assert refusal.value.name == "two"
    assert await fleet.dataset() == before


async def test_a_suspect_is_not_handed_out(fleet: Fleet) -> None:
    await fleet.suspect("one", "a")
    with pytest.raises(NoneReady):
        await take(fleet, want("one"))


async def test_grants_come_in_the_order_of_the_wants_with_all_that_is_needed(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    await fleet.ready("two", "b")
    checkout = await fleet.store.checkouts.check_out(
        [want("alias", 1, "two"), want("one")], operation="take", lifetime=None
    )
    assert [(grant.name, grant.fqdn, grant.pool, grant.provider_id) for grant in checkout.grants] == [
        ("alias", "b.example.test", "two", "id-b"),
        ("one", "a.example.test", "one", "id-a"),
    ]


async def test_the_name_with_fewest_pools_is_served_first(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    await fleet.ready("two", "b")
    assert await take(fleet, want("alias", 1, "one", "two"), want("one")) == ["b", "a"]


async def test_a_pool_named_twice_by_one_want_gives_no_vm_more_than_wanted(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b", "c")
    wanted = LineItem("alias", 1, (("one", 1), ("one", 1)))
    assert len(await take(fleet, wanted)) == 1


async def test_the_same_name_wanted_twice_gets_different_vms(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    assert sorted(await take(fleet, want("one"), want("one"))) == ["a", "b"]


async def test_two_hundred_vms_are_taken_at_once(fleet: Fleet) -> None:
    vms = [f"vm-{number}" for number in range(200)]
    await fleet.ready("one", *vms)
    assert sorted(await take(fleet, want("one", 200))) == sorted(vms)


async def test_a_hundred_pools_are_served_at_once(fleet: Fleet) -> None:
    pools = [f"pool-{number}" for number in range(100)]
    await asyncio.gather(*(fleet.ready(pool, f"vm-of-{pool}") for pool in pools))
    assert await take(fleet, *map(want, pools)) == [f"vm-of-{pool}" for pool in pools]


async def test_parallel_checkouts_never_get_the_same_vm(fleet: Fleet) -> None:
    await fleet.ready("one", *(f"vm-{number}" for number in range(20)))
    results = await asyncio.gather(
        *(take(fleet, want("one"), operation=f"take-{number}") for number in range(50)),
        return_exceptions=True,
    )
    granted = [vm for result in results if isinstance(result, list) for vm in result]
    assert len(granted) == len(set(granted)) == 20
    assert sum(isinstance(result, NoneReady) for result in results) == 30


async def test_the_same_operation_gets_the_same_vms(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    first = await take(fleet, want("one"), operation="take")
    assert await take(fleet, want("one"), operation="take") == first
    assert len((await fleet.dataset()).members("ready", "one")) == 1


async def test_a_checkout_that_arrives_after_it_was_cancelled_gets_nothing(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    assert await fleet.store.checkouts.cancel("take", reason="the client went away") == []
    with pytest.raises(StoreUnavailable):
        await take(fleet, want("one"), operation="take")
    assert await fleet.state("a") == "ready"


async def test_cancelling_leaves_alone_what_was_given_back_meanwhile(fleet: Fleet) -> None:
    await fleet.running("one", "a", "b")
    await fleet.store.checkouts.release("a", operation="return")
    assert await fleet.store.checkouts.cancel("take-a", reason="lost") == ["b"]


async def test_an_unknown_token_gets_nothing(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    with pytest.raises(UnknownToken):
        await fleet.store.checkouts.check_out([want("one")], operation="take", lifetime=None, token="forged")
    assert await fleet.state("a") == "ready"


async def test_a_known_token_names_the_user_and_is_noted_as_used(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    await fleet.ready("one", "a")
    checkout = await fleet.store.checkouts.check_out(
        [want("one")], operation="take", lifetime=None, token="secret"
    )
    record, now = await fleet.store.checkouts.look_up("a")
    assert record is not None
    assert (checkout.user, record.user, record.has_token) == ("alice", "alice", True)
    (token,) = [e.value for name, e in (await fleet.dataset()).entries.items() if name.startswith("token:")]
    assert record.checked_out_at is not None
    assert int(token["last"]) == to_ms(record.checked_out_at) <= to_ms(now)


@pytest.mark.parametrize(("token", "lifetime"), [(None, HOUR), ("secret", 2 * HOUR)])
async def test_the_lifetime_depends_on_the_token(
    token: str | None, lifetime: timedelta, fleet: Fleet
) -> None:
    await fleet.token("secret", "alice")
    await fleet.ready("one", "a")
    await fleet.store.checkouts.check_out(
        [want("one")],
        operation="take",
        lifetime=HOUR,
        token=token,
        client=Client(lifetime_with_token=2 * HOUR),
    )
    record, _ = await fleet.store.checkouts.look_up("a")
    assert record is not None
    assert record.checked_out_at is not None
    assert record.ends_at == record.checked_out_at + lifetime


async def test_without_a_lifetime_a_vm_never_ends(fleet: Fleet) -> None:
    await fleet.running("one", "a", lifetime=None)
    record, _ = await fleet.store.checkouts.look_up("a")
    assert record is not None
    assert record.ends_at is None
    assert (await fleet.dataset()).members("running", "one") == {"a": float("inf")}


@pytest.mark.parametrize("token", [None, "forged"])
async def test_a_vm_taken_with_a_token_is_not_returned_without_a_known_one(
    token: str | None, fleet: Fleet
) -> None:
    await fleet.token("secret", "alice")
    await fleet.running("one", "a", token="secret")
    with pytest.raises(UnknownToken):
        await fleet.store.checkouts.release("a", operation="return", token=token)
    assert await fleet.state("a") == "running"


async def test_a_vm_taken_with_a_token_is_returned_with_it(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    await fleet.running("one", "a", token="secret")
    returned = await fleet.store.checkouts.release("a", operation="return", token="secret")
    assert (returned.pool, returned.provider_id, returned.user) == ("one", "id-a", "alice")


async def test_a_vm_taken_without_a_token_is_returned_by_anyone(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    assert (await fleet.store.checkouts.release("a", operation="return")).pool == "one"


async def test_a_vm_is_returned_once(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    await fleet.store.checkouts.release("a", operation="return")
    with pytest.raises(NoSuchVm):
        await fleet.store.checkouts.release("a", operation="another")


async def test_a_vm_nobody_knows_is_looked_up_as_nothing(fleet: Fleet) -> None:
    record, _ = await fleet.store.checkouts.look_up("a")
    assert record is None
