"""On-demand requests in the store: opened, taken in once, and served in turns."""

from datetime import timedelta

import pytest

from tests.store.dataset import ask
from tests.store.fleet import LEASE, MANAGER, attempt_of, reservation, serving
from tests.store.ondemand import LIFETIME, LIFETIME_WITH_TOKEN, TTL, OnDemand, of_a_user
from tests.support.stores import Tally
from vmpooler_common.store.core.errors import NoSuchRequest, RequestExists, RequestTaken, UnknownToken
from vmpooler_common.store.core.inbox import InboxEntry
from vmpooler_common.store.core.times import to_ms
from vmpooler_common.store.requests.requests import RequestStatus

# Opening


async def test_a_new_request_is_open_with_a_deadline(demand: OnDemand) -> None:
    await demand.opened("r", "one", "two", "one")
    found = await demand.seen("r")
    assert (found.status, found.accepted, found.user) == (RequestStatus.OPEN, False, None)
    assert found.deadline - found.created == TTL
    assert [(want.pool, want.vm, want.failed_attempts) for want in found.items] == [
        ("one", "", 0),
        ("two", "", 0),
        ("one", "", 0),
    ]


async def test_an_id_of_another_user_is_refused_otherwise(demand: OnDemand) -> None:
    await demand.fleet.token("alices", "alice")
    await demand.fleet.token("bobs", "bob")
    await demand.opened("r", "one", token="alices")
    for token, refusal in (("alices", RequestExists), ("bobs", RequestTaken), (None, RequestTaken)):
        with pytest.raises(refusal, match="request_id 'r' "):
            await demand.fleet.store.requests.open(
                "r",
                [("one", "one")],
                operation=f"by-{token}",
                token=token,
                lifetime=None,
                ttl=TTL,
            )


async def test_an_id_in_use_is_refused_and_its_request_stays_as_it_is(demand: OnDemand) -> None:
    await demand.opened("r", "one")
    before = await demand.fleet.dataset()
    with pytest.raises(RequestExists, match="request_id 'r' has already been created"):
        await demand.fleet.store.requests.open(
            "r",
            [("two", "two")],
            operation="another",
            token=None,
            lifetime=None,
            ttl=TTL,
        )
    assert await demand.fleet.dataset() == before


async def test_an_unknown_token_leaves_nothing_behind(demand: OnDemand) -> None:
    before = await demand.fleet.dataset()
    with pytest.raises(UnknownToken):
        await demand.opened("r", "one", token="forged")
    assert await demand.fleet.dataset() == before


async def test_what_is_unknown_is_not_found(demand: OnDemand) -> None:
    requests = demand.fleet.store.requests
    assert await requests.look_up("unknown") is None
    assert await demand.fleet.store.positions.look_up("unknown") is None
    with pytest.raises(NoSuchRequest):
        await requests.delete("unknown", operation="delete", token=None, needs_token=False)


async def test_many_are_looked_at_in_one_round_trip(demand: OnDemand, tally: Tally) -> None:
    for number in range(20):
        await demand.opened(f"r-{number}", "one")
    before = tally.round_trips
    found = await demand.fleet.store.requests.look_up_all([f"r-{number}" for number in range(20)])
    statuses = await demand.fleet.store.requests.statuses([f"r-{number}" for number in range(21)])
    assert tally.round_trips == before + 2
    assert [one and one.id for one in found] == [f"r-{number}" for number in range(20)]
    assert statuses == [RequestStatus.OPEN] * 20 + [None]


# The inbox


async def test_accepting_puts_every_wanted_vm_into_its_pools_backlog(demand: OnDemand) -> None:
    await demand.accepted("r", "one", "two", "one")
    numbers = await demand.fleet.store.views.counts(["one", "two"])
    assert {pool: found.backlog for pool, found in numbers.pools.items()} == {"one": 2, "two": 1}
    assert (await demand.seen("r")).accepted
    data = await demand.fleet.dataset()
    assert (data.entries["requests"].value, data.members("unaccepted")) == ([], {})


async def test_an_entry_that_is_delivered_again_changes_nothing(demand: OnDemand) -> None:
    await demand.opened("r", "one", "one")
    inbox, queue = demand.fleet.store.backlog, demand.fleet.store.request_inbox
    await queue.prepare()
    ((entry, _),) = await demand.entries()
    assert await queue.recover("another manager", idle=timedelta(0)) == [InboxEntry(entry, {"request": "r"})]
    assert await inbox.accept("r", entry=entry) == "accepted"
    after_the_first = (await demand.fleet.dataset()).entries
    assert await inbox.accept("r", entry=entry) == "known"
    assert (await demand.fleet.dataset()).entries == after_the_first


async def test_an_entry_that_is_added_twice_counts_once(demand: OnDemand) -> None:
    await demand.accepted("r", "one")
    await demand.fleet.client.xadd(f"{demand.fleet.prefix}:requests", {"request": "r"})
    ((entry, request),) = await demand.entries()
    assert await demand.fleet.store.backlog.accept(request, entry=entry) == "known"
    data = await demand.fleet.dataset()
    assert (len(data.members("backlog", "one")), data.entries["requests"].value) == (1, [])


async def test_a_request_whose_entry_is_lost_is_told_and_accepted_all_the_same(demand: OnDemand) -> None:
    await demand.opened("r", "one")
    await demand.fleet.client.delete(f"{demand.fleet.prefix}:requests")
    unaccepted = f"{demand.fleet.prefix}:unaccepted"
    await demand.fleet.client.zadd(unaccepted, {"r": await demand.fleet.server_ms() - 2001})
    beat = await demand.fleet.store.leases.heartbeat(MANAGER, lease=LEASE, offer=serving([]), working_on=[])
    assert beat.unaccepted == ("r",)
    assert await demand.fleet.store.backlog.accept("r") == "accepted"
    assert await demand.booted("one", "a") == "r"


async def test_a_fresh_request_is_left_to_its_entry(demand: OnDemand) -> None:
    await demand.opened("r", "one")
    beat = await demand.fleet.store.leases.heartbeat(MANAGER, lease=LEASE, offer=serving([]), working_on=[])
    assert beat.unaccepted == ()


async def test_the_group_may_be_gone_when_an_entry_is_accepted(demand: OnDemand) -> None:
    await demand.fleet.store.request_inbox.prepare()
    await demand.opened("r", "one")
    ((entry, _),) = await demand.entries()
    await demand.fleet.client.xgroup_destroy(f"{demand.fleet.prefix}:requests", "managers")
    assert await demand.fleet.store.backlog.accept("r", entry=entry) == "accepted"


async def test_a_group_that_is_made_anew_reads_what_is_still_there(demand: OnDemand) -> None:
    await demand.fleet.store.request_inbox.prepare()
    await demand.opened("r", "one")
    await demand.fleet.client.xgroup_destroy(f"{demand.fleet.prefix}:requests", "managers")
    await demand.fleet.store.request_inbox.prepare()
    assert [request for _, request in await demand.entries()] == ["r"]


@pytest.mark.parametrize(
    ("fields", "request_named", "reason"),
    [
        ({"nonsense": "x"}, "", "the entry names no request"),
        ({"request": ""}, "", "the entry names no request"),
        ({"request": "unknown"}, "unknown", "no request has this id"),
        ({"request": "a#b c"}, "a#b c", "no request has this id"),
    ],
)
async def test_a_poisonous_entry_is_put_aside_once_with_the_reason(
    demand: OnDemand, fields: dict[str, str], request_named: str, reason: str
) -> None:
    inbox, queue = demand.fleet.store.backlog, demand.fleet.store.request_inbox
    await queue.prepare()
    flat = [text for field in fields.items() for text in field]
    await ask(demand.fleet.client, "XADD", f"{demand.fleet.prefix}:requests", "*", *flat)
    ((entry, request),) = await demand.entries()
    assert request == request_named
    assert await inbox.accept(request, entry=entry) == "dead"
    data = await demand.fleet.dataset()
    assert data.entries["dlq"].value == [("requests", request_named, reason)]
    assert data.entries["requests"].value == []
    assert await queue.recover("another manager", idle=timedelta(0)) == []


async def test_only_consumers_without_entries_are_tidied_away(demand: OnDemand) -> None:
    await demand.fleet.store.request_inbox.prepare()
    await demand.opened("r", "one")
    await demand.entries()
    await demand.fleet.store.request_inbox.tidy(idle=timedelta(milliseconds=-1))
    assert len(await demand.fleet.store.request_inbox.recover("m2", idle=timedelta(0))) == 1
    await demand.fleet.store.request_inbox.tidy(idle=timedelta(milliseconds=-1))
    consumers = await demand.fleet.client.xinfo_consumers(f"{demand.fleet.prefix}:requests", "managers")
    assert [consumer["name"] for consumer in consumers] == ["m2"]


# Turns


async def test_users_take_turns_however_much_one_of_them_wants(demand: OnDemand) -> None:
    await of_a_user(demand, "large", "alice", *["one"] * 4)
    await of_a_user(demand, "small", "bob", "one")
    assert await demand.served("one", 5) == ["large", "small", "large", "large", "large"]


async def test_the_requests_of_one_user_are_served_in_their_order(demand: OnDemand) -> None:
    await of_a_user(demand, "first", "alice", "one", "one")
    await of_a_user(demand, "second", "alice", "one")
    assert await demand.served("one", 3) == ["first", "first", "second"]


async def test_requests_without_a_token_take_turns_as_if_each_had_a_user(demand: OnDemand) -> None:
    await demand.accepted("x", "one", "one")
    await demand.accepted("y", "one", "one")
    assert await demand.served("one", 4) == ["x", "y", "x", "y"]


async def test_a_user_who_comes_later_does_not_wait_for_all_before(demand: OnDemand) -> None:
    await of_a_user(demand, "large", "alice", *["one"] * 4)
    assert await demand.served("one", 2, first="early") == ["large", "large"]
    await of_a_user(demand, "small", "bob", "one")
    assert "small" in await demand.served("one", 2)


async def test_a_turn_in_one_pool_is_none_in_another(demand: OnDemand) -> None:
    await of_a_user(demand, "a", "alice", "one", "two")
    await of_a_user(demand, "b", "bob", "one", "two")
    assert await demand.served("one", 1) == ["a"]
    assert await demand.served("two", 1, first="other") == ["a"]


async def test_the_place_in_line_is_the_number_of_vms_that_go_to_others_before(demand: OnDemand) -> None:
    await of_a_user(demand, "large", "alice", *["one"] * 5)
    await of_a_user(demand, "small", "bob", "one")
    await of_a_user(demand, "mine", "carol", "one", "one")
    standing = await demand.fleet.store.positions.look_up("mine")
    assert standing is not None
    line = standing.pools["one"]
    order = await demand.served("one", 8)
    assert [line.ahead[number] for number in (0, 1)] == [at for at, who in enumerate(order) if who == "mine"]
    assert line.backlog == 8


async def test_the_place_in_line_counts_the_users_own_requests_before(demand: OnDemand) -> None:
    await of_a_user(demand, "earlier", "alice", "one", "one")
    await of_a_user(demand, "others", "bob", "one", "one", "one")
    await of_a_user(demand, "mine", "alice", "one")
    standing = await demand.fleet.store.positions.look_up("mine")
    assert standing is not None
    assert standing.pools["one"].ahead == {0: (await demand.served("one", 6)).index("mine")}


# Getting VMs


async def test_a_vm_that_boots_goes_to_who_waits_and_the_last_makes_the_request_ready(
    demand: OnDemand,
) -> None:
    await demand.accepted("r", "one", "one")
    assert await demand.booted("one", "a") == "r"
    assert (await demand.seen("r")).status is RequestStatus.OPEN
    assert await demand.booted("one", "b") == "r"
    found = await demand.seen("r")
    assert found.status is RequestStatus.READY
    assert [want.fqdn for want in found.items] == ["a.example.test", "b.example.test"]
    assert await demand.booted("one", "c") == ""
    assert await demand.fleet.state("c") == "ready"


@pytest.mark.parametrize(("token", "lifetime"), [(None, LIFETIME), ("good", LIFETIME_WITH_TOKEN)])
async def test_the_vm_belongs_to_the_requests_user_for_the_lifetime_of_a_checkout(
    demand: OnDemand, token: str | None, lifetime: timedelta
) -> None:
    await demand.fleet.token("good", "alice")
    await demand.accepted("r", "one", token=token)
    await demand.booted("one", "a")
    record = (await demand.fleet.dataset()).records["a"]
    assert (record["state"], record["user"]) == ("running", "alice" if token else "")
    assert int(record["ends"]) - int(record["checkout"]) == lifetime.total_seconds() * 1000
    assert bool(record["token"]) == bool(token)


async def test_ready_vms_are_given_to_who_waits_the_oldest_first(demand: OnDemand) -> None:
    for vm in ("a", "b", "c"):
        await demand.fleet.ready("one", vm)
    await demand.accepted("r", "one", "one")
    served = await demand.fleet.store.backlog.serve("one", operation="serve", most=5)
    assert [(one.vm, one.provider_id, one.request) for one in served] == [
        ("a", "id-a", "r"),
        ("b", "id-b", "r"),
    ]
    assert (await demand.seen("r")).status is RequestStatus.READY
    assert await demand.fleet.state("c") == "ready"


async def test_no_more_ready_vms_are_given_than_may_be(demand: OnDemand) -> None:
    await demand.fleet.ready("one", "a")
    await demand.fleet.ready("one", "b")
    await demand.accepted("r", "one", "one")
    assert len(await demand.fleet.store.backlog.serve("one", operation="serve", most=1)) == 1
    assert await demand.fleet.state("b") == "ready"


async def test_suspects_are_given_to_nobody(demand: OnDemand) -> None:
    await demand.fleet.suspect("one", "a")
    await demand.accepted("r", "one")
    assert await demand.fleet.store.backlog.serve("one", operation="serve", most=1) == []


async def test_what_was_waited_is_told_with_the_grant(demand: OnDemand) -> None:
    await demand.accepted("r", "one")
    created = (await demand.seen("r")).created
    await demand.fleet.created("one", "a")
    promotion = await demand.fleet.store.clones.promote("a", attempt_of("a"), operation="promote")
    assert promotion is not None
    passed = await demand.fleet.server_ms() - to_ms(created)
    assert timedelta(0) <= promotion.waited <= timedelta(milliseconds=passed)


async def test_a_pool_of_size_0_makes_as_many_vms_as_are_waited_for(demand: OnDemand) -> None:
    await demand.accepted("r", "one", "one")
    names = [(f"vm-{number}", "1") for number in range(5)]
    reserved = await demand.fleet.store.clones.reserve(
        reservation("one", size=0), names, operation="reserve", manager=MANAGER, lease=LEASE
    )
    assert reserved == ["vm-0", "vm-1"]


@pytest.mark.parametrize(("request_slots", "reserved"), [(2, 2), (3, 3 + 4), (9, 3 + 4)])
async def test_a_pool_is_cloned_for_under_its_own_limit_when_its_backlog_has_clones(
    request_slots: int, reserved: int, demand: OnDemand
) -> None:
    await demand.accepted("r", "one", "one", "one")
    names = await demand.fleet.store.clones.reserve(
        reservation("one", size=10, slots=4, request_slots=request_slots),
        [(f"vm-{number}", "1") for number in range(20)],
        operation="reserve",
        manager=MANAGER,
        lease=LEASE,
    )
    assert len(names) == reserved
