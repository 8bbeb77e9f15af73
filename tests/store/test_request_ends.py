"""The ends of on-demand requests in the store, without a trace; and where one stands in line."""

from datetime import timedelta

import pytest

from tests.store.fleet import LEASE, MANAGER, attempt_of, serving
from tests.store.ondemand import OnDemand, of_a_user
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.checkout.values import Return
from vmpooler_common.store.core.errors import StoreUnavailable, UnknownToken
from vmpooler_common.store.managers.leases import Heartbeat
from vmpooler_common.store.requests.requests import RequestStatus

# Failing


async def test_a_failed_clone_is_charged_to_the_vm_that_is_next(demand: OnDemand) -> None:
    await of_a_user(demand, "first", "alice", "one")
    await of_a_user(demand, "second", "bob", "one")
    await demand.failed("one", "a", "no disk", most=3)
    first, second = await demand.seen("first"), await demand.seen("second")
    assert [(want.failed_attempts, want.error) for want in (*first.items, *second.items)] == [
        (1, "no disk"),
        (0, ""),
    ]
    assert (first.status, first.error) == (RequestStatus.OPEN, "no disk")


async def test_a_request_fails_after_so_many_charges_on_one_vm(demand: OnDemand) -> None:
    await demand.accepted("r", "one")
    await demand.failed("one", "a", "no disk", most=2)
    await demand.failed("one", "b", "no network", most=2)
    found = await demand.seen("r")
    assert (found.status, found.reason) == (RequestStatus.FAILED, "no network")


async def test_charges_on_different_vms_are_not_added_up(demand: OnDemand) -> None:
    await demand.accepted("r", "one", "one")
    await demand.failed("one", "a", "no disk", most=2)
    await demand.booted("one", "b")
    await demand.failed("one", "c", "no disk", most=2)
    assert (await demand.seen("r")).status is RequestStatus.OPEN


async def test_a_failed_clone_that_nobody_waits_for_is_charged_to_nobody(demand: OnDemand) -> None:
    await demand.accepted("r", "two")
    await demand.failed("one", "a", "no disk", most=1)
    assert (await demand.seen("r")).status is RequestStatus.OPEN


async def test_a_request_that_fails_returns_what_it_has(demand: OnDemand) -> None:
    await demand.accepted("r", "one", "two")
    await demand.booted("one", "a")
    await demand.failed("two", "b", "no disk", most=1)
    assert await demand.fleet.state("a") == "completed"


async def test_a_hopeless_pool_fails_all_who_wait_for_it_and_nobody_else(demand: OnDemand) -> None:
    await demand.accepted("x", "one", "two")
    await demand.accepted("y", "one", "one")
    await demand.accepted("z", "two")
    assert await demand.fleet.store.backlog.fail_waiting("one", "no template") == 2
    found = [await demand.seen(request) for request in "xyz"]
    assert [(one.status, one.reason) for one in found] == [
        (RequestStatus.FAILED, "no template"),
        (RequestStatus.FAILED, "no template"),
        (RequestStatus.OPEN, ""),
    ]
    assert await demand.booted("two", "a") == "z"


async def test_more_requests_than_one_script_fails_are_failed_all(demand: OnDemand) -> None:
    for number in range(60):
        await demand.accepted(f"r-{number}", "one")
    assert await demand.fleet.store.backlog.fail_waiting("one", "no template") == 60


async def beat(demand: OnDemand, *pools: str) -> Heartbeat:
    """Send the heartbeat of a manager that knows these pools."""
    return await demand.fleet.store.leases.heartbeat(
        MANAGER, lease=LEASE, offer=serving(pools), working_on=[]
    )


async def test_who_waits_for_a_pool_that_no_manager_knows_fails_after_a_minute(demand: OnDemand) -> None:
    await demand.accepted("old", "one", "two")
    await demand.accepted("young", "one")
    await demand.booted("two", "a")
    await demand.waited("old", seconds=60)
    assert (await beat(demand, "two")).unserved == ("one",)
    assert await demand.fleet.store.backlog.fail_unserved("one", "nobody knows it") == 1
    old, young = await demand.seen("old"), await demand.seen("young")
    assert (old.status, old.reason) == (RequestStatus.FAILED, "nobody knows it")
    assert young.status is RequestStatus.OPEN
    assert await demand.fleet.state("a") == "completed"
    assert (await beat(demand, "two")).unserved == ()


async def test_a_rolling_change_has_a_minute(demand: OnDemand) -> None:
    await demand.accepted("r", "one")
    await demand.waited("r", seconds=50)
    assert (await beat(demand)).unserved == ()
    assert await demand.fleet.store.backlog.fail_unserved("one", "nobody knows it") == 0


@pytest.mark.parametrize("known", ["to another manager", "by its VMs"])
async def test_a_pool_that_is_known_makes_nobody_fail(demand: OnDemand, known: str) -> None:
    await demand.accepted("r", "one", "one")
    if known == "by its VMs":
        await demand.booted("one", "a")
    else:
        leases = demand.fleet.store.leases
        await leases.heartbeat("other", lease=LEASE, offer=serving(["one"]), working_on=[])
    await demand.waited("r", seconds=100)
    assert (await beat(demand)).unserved == ()
    assert await demand.fleet.store.backlog.fail_unserved("one", "nobody knows it") == 0


async def test_nothing_expires_before_its_deadline(demand: OnDemand) -> None:
    await demand.accepted("r", "one")
    assert not await demand.fleet.store.backlog.expire("r", operation="expire", reason="too late")
    assert (await demand.seen("r")).status is RequestStatus.OPEN


async def test_at_its_deadline_a_request_fails_and_returns_its_vms(demand: OnDemand) -> None:
    await demand.overdue("r", "one", "one")
    await demand.booted("one", "a")
    beat = await demand.fleet.store.leases.heartbeat(MANAGER, lease=LEASE, offer=serving([]), working_on=[])
    assert beat.overdue == ("r",)
    assert await demand.fleet.store.backlog.expire("r", operation="expire", reason="Too late")
    found = await demand.seen("r")
    assert (found.status, found.reason) == (RequestStatus.FAILED, "Too late")
    assert await demand.fleet.state("a") == "completed"


async def test_the_last_error_is_told_before_the_deadline_was(demand: OnDemand) -> None:
    await demand.overdue("r", "one")
    await demand.failed("one", "a", "no disk", most=3)
    await demand.fleet.store.backlog.expire("r", operation="expire", reason="Too late")
    assert (await demand.seen("r")).reason == "no disk. Too late"


async def test_a_request_that_was_never_accepted_expires_too(demand: OnDemand) -> None:
    await demand.opened("r", "one", ttl=timedelta(milliseconds=1))
    begun = await demand.fleet.server_ms()
    while await demand.fleet.server_ms() < begun + 2:
        pass
    assert await demand.fleet.store.backlog.expire("r", operation="expire", reason="Too late")
    assert await demand.fleet.store.backlog.accept("r") == "known"
    assert (await demand.fleet.dataset()).members("backlog", "one") == {}


async def test_a_ready_request_does_not_expire(demand: OnDemand) -> None:
    await demand.overdue("r", "one")
    await demand.booted("one", "a")
    assert not await demand.fleet.store.backlog.expire("r", operation="expire", reason="Too late")
    assert await demand.fleet.state("a") == "running"


# Deleting


async def delete(
    demand: OnDemand, request: str, *, operation: str = "delete", token: str | None = None
) -> tuple[Return, ...] | None:
    return await demand.fleet.store.requests.delete(
        request, operation=operation, token=token, needs_token=False
    )


async def test_deleting_returns_what_was_given_and_frees_the_line(demand: OnDemand) -> None:
    await demand.accepted("r", "one", "one")
    await demand.accepted("other", "one")
    await demand.booted("one", "a")
    assert await delete(demand, "r") == (Return("a", "one", "id-a", None, ""),)
    assert await demand.fleet.state("a") == "completed"
    assert await demand.booted("one", "b") == "other"
    assert await demand.booted("one", "c") == ""


async def test_deleting_a_ready_request_returns_its_vms(demand: OnDemand) -> None:
    await demand.accepted("r", "one")
    await demand.booted("one", "a")
    assert await delete(demand, "r")
    assert await demand.fleet.state("a") == "completed"


async def test_deleting_leaves_a_vm_alone_that_its_user_has_given_back(demand: OnDemand) -> None:
    await demand.accepted("r", "one", "one")
    await demand.booted("one", "a")
    await demand.fleet.store.checkouts.release("a", operation="return")
    before = (await demand.fleet.dataset()).records["a"]
    await delete(demand, "r")
    assert (await demand.fleet.dataset()).records["a"] == before


async def test_deleting_again_says_that_it_was_deleted_before(demand: OnDemand) -> None:
    await demand.accepted("r", "one")
    assert await delete(demand, "r") == ()
    assert await delete(demand, "r", operation="again") is None


async def test_deleting_before_it_is_accepted_leaves_nothing_to_accept(demand: OnDemand) -> None:
    await demand.opened("r", "one")
    await delete(demand, "r")
    await demand.fleet.store.request_inbox.prepare()
    ((entry, _),) = await demand.entries()
    assert await demand.fleet.store.backlog.accept("r", entry=entry) == "known"
    data = await demand.fleet.dataset()
    assert (data.members("backlog", "one"), data.entries["requests"].value) == ({}, [])


async def test_a_clone_for_a_deleted_request_stays_with_the_pool(demand: OnDemand) -> None:
    await demand.accepted("r", "one")
    await demand.fleet.created("one", "a")
    await delete(demand, "r")
    promotion = await demand.fleet.store.clones.promote("a", attempt_of("a"), operation="promote")
    assert promotion is not None
    assert promotion.request == ""


@pytest.mark.parametrize("token", [None, "forged"])
async def test_deleting_needs_a_token_where_tokens_are_needed(demand: OnDemand, token: str | None) -> None:
    await demand.accepted("r", "one")
    before = await demand.fleet.dataset()
    with pytest.raises(UnknownToken):
        await demand.fleet.store.requests.delete("r", operation="delete", token=token, needs_token=True)
    assert await demand.fleet.dataset() == before


# Withdrawing


async def test_an_opening_that_arrives_after_it_was_cancelled_opens_nothing(demand: OnDemand) -> None:
    await demand.fleet.store.checkouts.cancel("open-r", reason="the client went away")
    before = await demand.fleet.dataset()
    with pytest.raises(StoreUnavailable):
        await demand.opened("r", "one")
    assert await demand.fleet.store.requests.look_up("r") is None
    assert await demand.fleet.dataset() == before


async def test_cancelling_an_opening_returns_what_was_given(demand: OnDemand) -> None:
    await demand.accepted("r", "one", "one")
    await demand.accepted("other", "one")
    await demand.booted("one", "a")
    assert await demand.fleet.store.checkouts.cancel("open-r", reason="lost") == ["a"]
    assert await demand.fleet.state("a") == "completed"
    assert (await demand.seen("r")).status is RequestStatus.DELETED
    assert await demand.booted("one", "b") == "other"


async def test_cancelling_the_opening_of_a_request_that_is_over_changes_nothing_of_it(
    demand: OnDemand,
) -> None:
    await demand.accepted("r", "one")
    await demand.failed("one", "a", "no disk", most=1)
    before = await demand.seen("r")
    assert await demand.fleet.store.checkouts.cancel("open-r", reason="lost") == []
    assert await demand.seen("r") == before


# Over


async def ready(demand: OnDemand) -> None:
    await demand.booted("one", "a")
    await demand.booted("two", "b")
    for vm in ("a", "b"):
        await demand.fleet.store.checkouts.release(vm, operation=vm, token="token-alice")


async def deleted(demand: OnDemand) -> None:
    await demand.booted("one", "a")
    await delete(demand, "r", token="token-alice")


async def failed(demand: OnDemand) -> None:
    await demand.booted("one", "a")
    await demand.failed("two", "b", "no disk", most=1)


@pytest.mark.parametrize("end", [ready, deleted, failed])
async def test_every_key_of_a_request_that_is_over_expires(demand: OnDemand, end: object) -> None:
    await of_a_user(demand, "r", "alice", "one", "two")
    await end(demand)  # type: ignore[operator]
    entries = (await demand.fleet.dataset()).entries
    about_it = {
        name: entry.expires
        for name, entry in entries.items()
        if name != "events" and not name.startswith("vm:") and ("r" in name.split(":") or "u:alice" in name)
    }
    kept = {"request:r": True, "finished:u:alice": True}
    assert about_it == (kept | {"items:r": True} if end is ready else kept)
    mentioned = {
        name
        for name, entry in entries.items()
        if not name.startswith("finished:")
        and not isinstance(entry.value, str)
        and any(f"{one}".split("#")[0] == "r" for one in entry.value)
    }
    assert mentioned == set()
    assert not {"backlogs", "open", "unaccepted", "turns:one", "turns:two"} & set(entries)


async def test_a_request_that_is_over_is_no_part_of_any_line(demand: OnDemand) -> None:
    await demand.accepted("r", "one")
    await delete(demand, "r")
    standing = await demand.fleet.store.positions.look_up("r")
    assert standing is not None
    assert standing.pools == {}


# What a line tells


async def test_a_line_tells_how_far_the_pools_clones_are(demand: OnDemand) -> None:
    await demand.accepted("r", "one")
    await demand.fleet.reserved("one", "a")
    await demand.fleet.creating("one", "b", "c")
    await demand.fleet.created("one", "d", cloned=False)
    await demand.fleet.created("one", "e")
    standing = await demand.fleet.store.positions.look_up("r")
    assert standing is not None
    making = standing.pools["one"].pending
    assert (making.reserved, making.cloning, making.booting, making.total) == (1, 3, 1, 5)
    assert standing.slots_in_use == 1


async def test_a_line_tells_why_its_pool_does_not_work(demand: OnDemand) -> None:
    await demand.accepted("r", "one", "two")
    await demand.fleet.store.views.mark_broken("one", "no template")
    await demand.fleet.store.views.mark_backing_off("two", "throttled")
    standing = await demand.fleet.store.positions.look_up("r")
    assert standing is not None
    told = {pool: (line.broken, line.backing_off) for pool, line in standing.pools.items()}
    assert told == {"one": ("no template", ""), "two": ("", "throttled")}


async def test_a_request_that_nobody_has_accepted_has_no_place_yet(demand: OnDemand) -> None:
    await demand.opened("r", "one")
    standing = await demand.fleet.store.positions.look_up("r")
    assert standing is not None
    assert standing.pools["one"].ahead == {}


async def test_every_change_of_a_request_is_told_to_who_waits(demand: OnDemand) -> None:
    await demand.accepted("r", "one", "one")
    await demand.failed("one", "a", "no disk", most=3)
    await demand.booted("one", "b")
    await demand.booted("one", "c")
    events = (await demand.fleet.dataset()).events
    assert events.count(("request.changed", "", "r")) == 3
    assert await demand.fleet.state("c") == VmState.RUNNING
