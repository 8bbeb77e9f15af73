"""What one client may have at once: counted by who has what, whatever becomes of it in between."""

from datetime import timedelta

import pytest

from tests.store.fleet import Fleet, want
from tests.store.ondemand import LIFETIME, TTL, OnDemand
from tests.store.task_helpers import disk
from vmpooler_common.model.allowance import Allowance, Client
from vmpooler_common.store.checkout.idempotency import IdempotencyKey
from vmpooler_common.store.core.errors import QuotaExceeded, TooManyRequests
from vmpooler_common.store.tasks.tasks import TaskBounds

ALICES = "alices"
THREE = Client(allowance=Allowance(running_vms=3))
KEY = IdempotencyKey("a key of more than sixteen", "192.0.2.1")


async def take(
    fleet: Fleet,
    operation: str,
    count: int,
    client: Client = THREE,
    token: str | None = ALICES,
    **more: object,
) -> list[str]:
    checkout = await fleet.store.checkouts.check_out(
        [want("one", count)],
        operation=operation,
        lifetime=None,
        token=token,
        client=client,
        **more,  # type: ignore[arg-type]
    )
    return [grant.vm for grant in checkout.grants]


async def order(fleet: Fleet, request: str, count: int, client: Client, token: str | None = ALICES) -> None:
    await fleet.store.requests.open(
        request,
        [("one", "one")] * count,
        operation=f"open-{request}",
        token=token,
        lifetime=LIFETIME,
        ttl=TTL,
        client=client,
    )


async def test_running_vms_are_limited_and_returns_make_room(fleet: Fleet) -> None:
    await fleet.token("alices", "alice")
    await fleet.ready("one", *"abcdef")
    first, second = await take(fleet, "1", 2)
    with pytest.raises(QuotaExceeded, match=r"you have 2 VMs .* would have 4; 3 are allowed") as refused:
        await take(fleet, "2", 2)
    assert (refused.value.user, refused.value.what) == ("alice", "running_vms")
    await take(fleet, "3", 1)
    await fleet.store.checkouts.release(first, operation="r1", token="alices")
    await fleet.store.checkouts.release(second, operation="r2", token="alices")
    assert len(await take(fleet, "4", 2)) == 2


async def test_a_repetition_is_answered_whatever_the_client_has(fleet: Fleet) -> None:
    await fleet.token("alices", "alice")
    await fleet.ready("one", *"abc")
    first = await take(fleet, "1", 3, key=KEY)
    assert await take(fleet, "1", 3, key=KEY) == first
    assert await take(fleet, "again", 3, key=KEY) == first


async def test_users_do_not_count_for_each_other_and_all_tokens_of_one_do(fleet: Fleet) -> None:
    await fleet.token("alices", "alice")
    await fleet.token("another", "alice")
    await fleet.token("bobs", "bob")
    await fleet.ready("one", *"abcdef")
    await take(fleet, "1", 3)
    with pytest.raises(QuotaExceeded):
        await take(fleet, "2", 1, token="another")
    assert len(await take(fleet, "3", 3, token="bobs")) == 3


async def test_an_address_counts_only_where_it_is_given(fleet: Fleet) -> None:
    await fleet.ready("one", *"abcdef")
    address = Client("a:192.0.2.1", Allowance(running_vms=2))
    assert len(await take(fleet, "1", 3, token=None)) == 3
    await take(fleet, "2", 2, client=address, token=None)
    with pytest.raises(QuotaExceeded):
        await take(fleet, "3", 1, client=address, token=None)


async def test_vms_on_order_count_with_those_that_run_and_not_at_their_grant(demand: OnDemand) -> None:
    fleet = demand.fleet
    await fleet.token("alices", "alice")
    await fleet.ready("one", "a", "b")
    await order(fleet, "r1", 2, THREE)
    with pytest.raises(QuotaExceeded, match="would have 4"):
        await take(fleet, "1", 2)
    await take(fleet, "2", 1)
    with pytest.raises(QuotaExceeded, match="running_vms"):
        await order(fleet, "r2", 1, THREE)
    await fleet.store.requests.delete("r1", operation="d", token="alices", needs_token=True)
    await order(fleet, "r3", 2, THREE)


async def test_what_is_to_come_is_limited_for_a_user_and_for_all_without_a_token(demand: OnDemand) -> None:
    fleet = demand.fleet
    await fleet.token("alices", "alice")
    few = Client("a:192.0.2.1", Allowance(ondemand_vms=2, anonymous_ondemand_vms=3))
    await order(fleet, "r1", 2, few)
    with pytest.raises(QuotaExceeded, match=r"limits\.ondemand_vms"):
        await order(fleet, "r2", 1, few)
    await order(fleet, "r3", 2, few, token=None)
    other = Client("a:192.0.2.2", few.allowance)
    with pytest.raises(QuotaExceeded, match="anonymous_ondemand_vms"):
        await order(fleet, "r4", 2, other, token=None)
    await fleet.store.requests.delete("r3", operation="d", token=None, needs_token=False)
    await order(fleet, "r5", 2, other, token=None)


async def test_requests_without_a_token_of_one_address_take_turns_as_one(demand: OnDemand) -> None:
    address, other = Client("a:192.0.2.1"), Client("a:192.0.2.2")
    for number in range(3):
        await order(demand.fleet, f"greedy-{number}", 1, address, token=None)
    await order(demand.fleet, "modest", 1, other, token=None)
    await demand.fleet.store.request_inbox.prepare()
    for entry, request in await demand.entries():
        await demand.fleet.store.backlog.accept(request, entry=entry)
    assert await demand.served("one", 4) == ["greedy-0", "modest", "greedy-1", "greedy-2"]


async def test_disks_are_limited_by_what_the_running_vms_have(fleet: Fleet) -> None:
    await fleet.token("alices", "alice")
    await fleet.ready("one", "a", "b")
    await take(fleet, "1", 2)

    async def add(vm: str, name: str) -> None:
        await fleet.store.tasks.add(
            vm, disk(name), token="alices", needs_token=True, only_owner=True, bounds=TaskBounds(most_disk=20)
        )

    await add("a", "d1")
    await add("b", "d2")
    with pytest.raises(QuotaExceeded, match=r"16 GB of disks, and would have 24; 20 are allowed"):
        await add("b", "d3")
    await fleet.store.checkouts.release("a", operation="r", token="alices")
    await add("b", "d3")


async def test_a_client_whose_requests_are_over_too_often_has_to_wait(demand: OnDemand) -> None:
    fleet, client = demand.fleet, Client("a:192.0.2.1")
    for number in range(3):
        await order(fleet, f"r{number}", 1, client, token=None)
        await fleet.store.requests.delete(f"r{number}", operation=f"d{number}", token=None, needs_token=False)
    finished = f"{fleet.prefix}:finished:a:192.0.2.1"
    assert await fleet.client.zcard(finished) == 3
    now = await fleet.server_ms()
    await fleet.client.zadd(finished, {f"more-{number}": now - 1_800_000 for number in range(997)})
    with pytest.raises(TooManyRequests) as refused:
        await order(fleet, "another", 1, client, token=None)
    assert 1790 <= refused.value.retry_after <= 1801
    await order(fleet, "somebody", 1, Client("a:192.0.2.2"), token=None)
    await fleet.client.zadd(finished, {f"more-{number}": now - 3_600_001 for number in range(997)})
    await order(fleet, "another", 1, client, token=None)


async def test_a_request_is_kept_as_long_as_its_vms_run_and_then_for_a_time(demand: OnDemand) -> None:
    fleet = demand.fleet
    await demand.accepted("r1", "one", "one")
    await demand.served("one", 2)
    key, items = f"{fleet.prefix}:request:r1", f"{fleet.prefix}:items:r1"
    assert await fleet.client.ttl(key) == -1
    await fleet.store.checkouts.release("vm-0", operation="x")
    assert await fleet.client.ttl(key) == -1
    await fleet.store.checkouts.release("vm-1", operation="y")
    assert 0 < await fleet.client.ttl(key) <= timedelta(days=7).total_seconds()
    assert await fleet.client.ttl(items) > 0
    assert not await fleet.client.exists(f"{fleet.prefix}:request_vms:r1")


async def test_a_deleted_request_keeps_its_outcome_only(demand: OnDemand) -> None:
    fleet = demand.fleet
    await demand.accepted("r1", *["one"] * 50)
    await demand.served("one", 1)
    await fleet.store.requests.delete("r1", operation="d", token=None, needs_token=False)
    left = (await fleet.dataset()).entries
    assert {name for name in left if name.startswith(("request:", "items:", "request_vms:", "wanted:"))} == {
        "request:r1"
    }
    found = await demand.seen("r1")
    assert (found.items, found.reason) == ((), "The request has been deleted")
