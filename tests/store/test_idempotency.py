"""What was handed out under a key is told again, to its caller and for its order alone."""

import asyncio
from collections.abc import Sequence

import pytest

from tests.store.dataset import ask
from tests.store.fleet import Fleet, want
from vmpooler_common.store.checkout.idempotency import IdempotencyKey
from vmpooler_common.store.checkout.values import Checkout, LineItem
from vmpooler_common.store.core.errors import GrantOver, KeyReused, NoneReady, UnknownToken

HOUR_MS = 3_600_000
ORDER = (want("one", 2), want("two"))


async def take(
    fleet: Fleet,
    operation: str,
    wants: Sequence[LineItem] = ORDER,
    *,
    key: str = "key",
    address: str = "192.0.2.1",
    token: str | None = None,
) -> Checkout:
    return await fleet.store.checkouts.check_out(
        wants, operation=operation, lifetime=None, token=token, key=IdempotencyKey(key, address)
    )


async def stock(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b", "c", "d")
    await fleet.ready("two", "e", "f")


async def states(fleet: Fleet) -> dict[str, int]:
    """Count the VMs in each state."""
    found = list((await fleet.dataset()).states.values())
    return {state: found.count(state) for state in found}


async def test_the_same_key_gets_the_same_vms(fleet: Fleet) -> None:
    await stock(fleet)
    first, second = await take(fleet, "one"), await take(fleet, "two")
    assert second.grants == first.grants
    assert (first.is_repeated, second.is_repeated) == (False, True)
    assert await states(fleet) == {"running": 3, "ready": 3}


async def test_an_order_in_another_sequence_is_the_same_and_told_in_its_own(fleet: Fleet) -> None:
    await stock(fleet)
    first, second = await take(fleet, "one"), await take(fleet, "two", ORDER[::-1])
    assert [grant.name for grant in second.grants] == ["two", "one", "one"]
    assert set(second.grants) == set(first.grants)
    assert all(grant.pool == grant.name for grant in second.grants)


async def test_requests_at_once_under_one_key_get_the_same_vms(fleet: Fleet) -> None:
    await stock(fleet)
    told = await asyncio.gather(*(take(fleet, f"take-{number}") for number in range(10)))
    assert len({checkout.grants for checkout in told}) == 1
    assert await states(fleet) == {"running": 3, "ready": 3}


async def test_another_order_under_the_key_is_refused(fleet: Fleet) -> None:
    await stock(fleet)
    await take(fleet, "one")
    for other in ([want("one", 2)], [want("one", 1), want("two")], [want("one", 2), want("three")]):
        with pytest.raises(KeyReused):
            await take(fleet, "two", other)
    assert await states(fleet) == {"running": 3, "ready": 3}


async def test_a_key_is_its_callers_own(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    await fleet.token("other", "alice")
    await fleet.ready("one", "a", "b", "c", "d")
    callers = [("192.0.2.1", None), ("192.0.2.2", None), ("192.0.2.1", "secret"), ("192.0.2.1", "other")]
    told = [
        await take(fleet, f"take-{number}", [want("one")], address=address, token=token)
        for number, (address, token) in enumerate(callers)
    ]
    assert len({checkout.grants for checkout in told}) == 4
    elsewhere = await take(fleet, "again", [want("one")], address="192.0.2.9", token="secret")
    assert elsewhere.grants == told[2].grants, "a token counts wherever it comes from"


async def test_a_token_that_is_not_known_any_more_is_told_nothing(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    await fleet.ready("one", "a")
    await take(fleet, "one", [want("one")], token="secret")
    for key in await ask(fleet.client, "KEYS", f"{fleet.prefix}:token:*"):
        await ask(fleet.client, "DEL", key)
    with pytest.raises(UnknownToken):
        await take(fleet, "two", [want("one")], token="secret")


async def test_vms_that_are_no_longer_the_callers_are_not_told_again(fleet: Fleet) -> None:
    await stock(fleet)
    first = await take(fleet, "one")
    await fleet.store.checkouts.release(first.grants[1].vm, operation="return")
    with pytest.raises(GrantOver):
        await take(fleet, "two")
    assert await states(fleet) == {"running": 2, "ready": 3, "completed": 1}


async def test_a_refusal_leaves_no_trace(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    before = await fleet.dataset()
    with pytest.raises(NoneReady):
        await take(fleet, "one")
    assert await fleet.dataset() == before
    await fleet.ready("two", "c")
    assert len((await take(fleet, "two")).grants) == 3


async def test_a_key_is_kept_for_an_hour_and_not_readable(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    await fleet.ready("one", "a")
    await take(fleet, "one", [want("one")], key="build-4711", token="secret")
    (name,) = await ask(fleet.client, "KEYS", f"{fleet.prefix}:idempotency:*")
    assert 0.9 * HOUR_MS < await ask(fleet.client, "PTTL", name) <= HOUR_MS
    everything = str((await fleet.dataset()).entries)
    assert "build-4711" not in everything
    assert "secret" not in everything


async def test_what_was_withdrawn_is_forgotten(fleet: Fleet) -> None:
    await stock(fleet)
    first = await take(fleet, "one")
    await fleet.store.checkouts.cancel("one", reason="lost")
    assert {grant.vm for grant in (await take(fleet, "two")).grants}.isdisjoint(
        grant.vm for grant in first.grants
    )


async def test_vms_stay_while_one_of_those_who_were_told_of_them_has_heard_it(fleet: Fleet) -> None:
    """The first answer was lost, the second was not: what its client has been given isn't taken away."""
    await stock(fleet)
    await take(fleet, "one")
    second = await take(fleet, "two")
    assert await fleet.store.checkouts.cancel("one", reason="lost") == []
    assert (await take(fleet, "three")).grants == second.grants


@pytest.mark.parametrize("order", [("one", "one", "two"), ("two", "two", "one")])
async def test_vms_go_back_when_nobody_heard_of_them(fleet: Fleet, order: tuple[str, ...]) -> None:
    await stock(fleet)
    await take(fleet, "one")
    await take(fleet, "two")
    for operation in order[:-1]:
        assert await fleet.store.checkouts.cancel(operation, reason="lost") == []
    assert len(await fleet.store.checkouts.cancel(order[-1], reason="lost")) == 3
    assert await states(fleet) == {"completed": 3, "ready": 3}


async def test_a_late_withdrawal_takes_nothing_from_who_asked_first(fleet: Fleet) -> None:
    """The hour ended between the repetition and its withdrawal."""
    await stock(fleet)
    await take(fleet, "one")
    await take(fleet, "two")
    for name in await ask(fleet.client, "KEYS", f"{fleet.prefix}:idempotency:*"):
        await ask(fleet.client, "DEL", name)
    assert await fleet.store.checkouts.cancel("two", reason="lost") == []
    assert await states(fleet) == {"running": 3, "ready": 3}
