"""Waiting checkouts: first come, first served, all or nothing, and nobody is held up by who is gone."""

from datetime import timedelta

import pytest

from tests.store.dataset import ask
from tests.store.fleet import PROVIDER, Fleet, want
from tests.store.ondemand import OnDemand, of_a_user
from tests.store.queued_checkouts import QueuedCheckouts
from vmpooler_common.model.allowance import Allowance, Client
from vmpooler_common.model.pool import Snapshot
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.core.errors import NoneReady, QuotaExceeded, UnknownToken

PLACE_MS, LINE_MS = 10_000, 20_000


@pytest.fixture
async def line(fleet: Fleet) -> QueuedCheckouts:
    """Return checkouts at pools that can always meet their orders soon."""
    line = QueuedCheckouts(fleet)
    await line.coming("one", "two", "three")
    return line


@pytest.fixture
def demand(fleet: Fleet) -> OnDemand:
    return OnDemand(fleet)


async def seen(fleet: Fleet) -> Snapshot:
    """See the pool `one` as a manager does."""
    hour = timedelta(hours=1)
    snapshot, _ = await fleet.store.views.observe("one", PROVIDER, size=5, ready_ttl=hour, listed=None)
    return snapshot


async def events(fleet: Fleet, kind: str) -> list[str]:
    """Give the pools, or keys, of all events of a kind."""
    return [pool or vm for told, pool, vm in (await fleet.dataset()).events if told == kind]


async def test_who_finds_vms_does_not_wait(fleet: Fleet, line: QueuedCheckouts) -> None:
    await fleet.ready("one", "a")
    assert await line.ask("first", want("one")) == ["a"]
    assert await line.places() == set()


async def test_vms_go_to_those_who_wait_in_the_order_in_which_they_came(
    fleet: Fleet, line: QueuedCheckouts
) -> None:
    for operation in ("first", "second", "third"):
        assert await line.ask(operation, want("one")) is None
    await fleet.ready("one", "a", "b")
    assert await line.ask("third", want("one")) is None
    assert await line.ask("second", want("one")) is not None
    assert await line.ask("third", want("one")) is None
    assert await line.ask("first", want("one")) is not None


async def test_a_checkout_that_does_not_wait_leaves_what_is_owed(fleet: Fleet, line: QueuedCheckouts) -> None:
    assert await line.ask("first", want("one", 2)) is None
    await fleet.ready("one", "a")
    assert await line.take("plain", want("one")) is None
    await fleet.ready("one", "b", "c")
    assert await line.take("plain", want("one", 2)) is None
    assert await line.take("plain", want("one")) == ["a"]
    assert await line.ask("first", want("one", 2)) is not None


async def test_who_wants_several_is_not_starved_by_those_who_want_one(
    fleet: Fleet, line: QueuedCheckouts
) -> None:
    assert await line.ask("many", want("one", 3)) is None
    for number, vm in enumerate(("a", "b")):
        await fleet.ready("one", vm)
        assert await line.ask("many", want("one", 3)) is None
        assert await line.ask(f"few-{number}", want("one")) is None
        assert await line.take(f"plain-{number}", want("one")) is None
    await fleet.ready("one", "c")
    assert sorted(await line.ask("many", want("one", 3)) or []) == ["a", "b", "c"]


async def test_all_pools_of_an_order_are_kept_for_it(fleet: Fleet, line: QueuedCheckouts) -> None:
    assert await line.ask("both", want("one"), want("two")) is None
    await fleet.ready("one", "a")
    assert await line.ask("both", want("one"), want("two")) is None
    assert await line.take("plain", want("one")) is None
    await fleet.ready("two", "b")
    assert await line.ask("both", want("one"), want("two")) == ["a", "b"]


async def test_what_is_beyond_the_needs_of_older_ones_may_be_taken(
    fleet: Fleet, line: QueuedCheckouts
) -> None:
    assert await line.ask("both", want("one"), want("two")) is None
    await fleet.ready("one", "a", "b")
    assert await line.ask("second", want("one")) is not None


async def test_who_can_not_be_served_tells_what_is_there_for_others(
    fleet: Fleet, line: QueuedCheckouts
) -> None:
    order = want("one"), want("two", 2)
    assert await line.ask("both", *order) is None
    await fleet.ready("one", "a")
    await fleet.ready("two", "b")
    assert await line.left_over("both", *order) == []
    await fleet.ready("one", "c")
    assert await line.left_over("both", *order) == ["one"]


async def test_an_alias_waits_for_any_of_its_pools(fleet: Fleet, line: QueuedCheckouts) -> None:
    alias = want("alias", 2, "one", "two", "three")
    assert await line.ask("first", alias) is None
    await fleet.ready("three", "a")
    assert await line.ask("first", alias) is None
    assert await line.take("plain", want("three")) is None
    await fleet.ready("one", "b")
    assert sorted(await line.ask("first", alias) or []) == ["a", "b"]


async def test_an_order_that_full_pools_could_not_meet_is_refused_at_once(
    fleet: Fleet, line: QueuedCheckouts
) -> None:
    alias, sizes = want("alias", 2, "one", "two"), {"one": 1, "two": 1}
    with pytest.raises(NoneReady):
        await line.ask("many", want("one", 2), sizes=sizes)
    with pytest.raises(NoneReady):
        await line.ask("both", alias, want("one"), sizes=sizes)
    assert await line.places() == set()
    assert await line.ask("met", alias, sizes=sizes) is None


async def test_the_size_that_was_set_counts(fleet: Fleet, line: QueuedCheckouts) -> None:
    await ask(fleet.client, "HSET", f"{fleet.prefix}:size", "one", "3")
    assert await line.ask("first", want("one", 3), sizes={"one": 0}) is None


async def test_more_than_the_size_is_given_when_it_happens_to_be_ready(
    fleet: Fleet, line: QueuedCheckouts
) -> None:
    await fleet.ready("one", "a", "b")
    assert await line.ask("first", want("one", 2), sizes={"one": 0}) is not None


async def test_a_place_that_nobody_renews_lapses(fleet: Fleet, line: QueuedCheckouts) -> None:
    await line.ask("first", want("one"))
    assert 0 < await ask(fleet.client, "PTTL", f"{fleet.prefix}:ticket:first") <= PLACE_MS
    assert PLACE_MS < await ask(fleet.client, "PTTL", f"{fleet.prefix}:queue:one") <= LINE_MS


async def test_who_stays_keeps_the_place(fleet: Fleet, line: QueuedCheckouts) -> None:
    for operation in ("first", "second"):
        await line.ask(operation, want("one"))
        await ask(fleet.client, "PEXPIRE", f"{fleet.prefix}:ticket:{operation}", 5000)
    await ask(fleet.client, "PEXPIRE", f"{fleet.prefix}:queue:one", 6000)
    await fleet.store.checkouts.renew({"second": "192.0.2.1"}, pools=["one"])
    lives = [await ask(fleet.client, "PTTL", f"{fleet.prefix}:ticket:{name}") for name in ("first", "second")]
    assert lives[0] <= 5000 < lives[1] <= PLACE_MS
    assert await ask(fleet.client, "PTTL", f"{fleet.prefix}:queue:one") > PLACE_MS


async def test_a_place_that_has_lapsed_holds_nobody_up(fleet: Fleet, line: QueuedCheckouts) -> None:
    gone = [f"gone-{number}" for number in range(120)]
    for operation in gone:
        await line.ask(operation, want("one", 2))
    await line.ask("alive", want("one"))
    await fleet.ready("one", "a")
    await line.lapse(*gone)
    assert await line.ask("alive", want("one")) == ["a"]
    assert (await fleet.dataset()).members("queue", "one") == {}


async def test_who_comes_back_after_its_place_has_lapsed_is_last(fleet: Fleet, line: QueuedCheckouts) -> None:
    await line.ask("first", want("one"))
    await line.ask("second", want("one"))
    await line.lapse("first")
    await fleet.store.checkouts.renew({"first": "192.0.2.1"}, pools=["one"])
    assert await line.places() == {"second"}
    assert await line.ask("first", want("one")) is None
    await fleet.ready("one", "a")
    assert await line.ask("first", want("one")) is None
    assert await line.ask("second", want("one")) == ["a"]


async def test_the_last_attempt_gives_the_place_up(fleet: Fleet, line: QueuedCheckouts) -> None:
    await line.ask("first", want("one"), want("two"))
    await line.ask("second", want("two"))
    with pytest.raises(NoneReady) as refusal:
        await line.ask("first", want("one"), want("two"), is_last=True)
    assert refusal.value.name == "one"
    assert await line.places() == {"second"}
    assert await events(fleet, "queue.moved") == ["two"]
    assert (await fleet.dataset()).members("queue", "one") == {}


async def test_the_last_attempt_may_be_the_one_that_succeeds(fleet: Fleet, line: QueuedCheckouts) -> None:
    await line.ask("first", want("one"))
    await fleet.ready("one", "a")
    assert await line.ask("first", want("one"), is_last=True) == ["a"]
    assert await line.places() == set()


async def test_a_grant_gives_the_place_up_and_tells_those_behind(fleet: Fleet, line: QueuedCheckouts) -> None:
    await line.ask("first", want("alias", 1, "one", "two"))
    await line.ask("second", want("two"))
    await fleet.ready("one", "a")
    assert await line.ask("first", want("alias", 1, "one", "two")) == ["a"]
    assert await line.places() == {"second"}
    assert await events(fleet, "queue.moved") == ["two"]


async def test_cancelling_gives_the_place_up(fleet: Fleet, line: QueuedCheckouts) -> None:
    await line.ask("first", want("one"))
    await line.ask("second", want("one"))
    assert await fleet.store.checkouts.cancel("first", reason="the client left") == []
    assert await line.places() == {"second"}
    assert await events(fleet, "queue.moved") == ["one"]


async def test_cancelling_takes_back_what_a_waiting_checkout_was_given(
    fleet: Fleet, line: QueuedCheckouts
) -> None:
    await line.ask("first", want("one"))
    await fleet.ready("one", "a")
    await line.ask("first", want("one"))
    assert await fleet.store.checkouts.cancel("first", reason="the client left") == ["a"]


async def test_who_asks_again_after_a_lost_answer_gets_the_same(fleet: Fleet, line: QueuedCheckouts) -> None:
    await line.ask("first", want("one"))
    await fleet.ready("one", "a", "b")
    assert await line.ask("first", want("one")) == await line.ask("first", want("one"))
    assert len((await fleet.dataset()).members("ready", "one")) == 1


async def test_a_token_that_was_deleted_meanwhile_loses_its_place(
    fleet: Fleet, line: QueuedCheckouts
) -> None:
    await fleet.token("secret", "alice")
    await line.ask("first", want("one"), token="secret")
    for key in await ask(fleet.client, "KEYS", f"{fleet.prefix}:token:*"):
        await ask(fleet.client, "DEL", key)
    with pytest.raises(UnknownToken):
        await line.ask("first", want("one"), token="secret")
    assert await line.places() == set()


async def test_two_who_wait_under_one_key_get_the_same_vms(fleet: Fleet, line: QueuedCheckouts) -> None:
    await line.ask("first", want("one"), key="key")
    await line.ask("second", want("one"), key="key")
    await fleet.ready("one", "a", "b")
    first = await line.ask("first", want("one"), key="key")
    assert len(await events(fleet, "checkout.repeated")) == 1
    assert await line.ask("second", want("one"), key="key") == first
    assert await line.places() == set()
    assert len((await fleet.dataset()).members("ready", "one")) == 1


async def test_a_vm_goes_to_a_checkout_that_came_before_the_request(
    fleet: Fleet, line: QueuedCheckouts, demand: OnDemand
) -> None:
    await line.ask("first", want("one"))
    await demand.accepted("r", "one", "one")
    await line.ask("second", want("one"))
    assert await demand.booted("one", "a") == ""
    assert await demand.booted("one", "b") == "r"
    assert await line.ask("second", want("one")) is None
    assert await line.ask("first", want("one")) == ["a"]
    # The request has had its turn: who came after it is next, then the request again.
    assert await demand.booted("one", "c") == ""
    assert await demand.booted("one", "d") == "r"
    assert await line.ask("second", want("one")) == ["c"]


async def test_requests_and_checkouts_take_turns(
    fleet: Fleet, line: QueuedCheckouts, demand: OnDemand
) -> None:
    await of_a_user(demand, "r", "alice", *["one"] * 3)
    served = []
    for number in range(6):
        await line.ask(f"ticket-{number}", want("one"))
        served.append(await demand.booted("one", f"vm-{number}"))
        for ticket in range(number + 1):
            await line.ask(f"ticket-{ticket}", want("one"))
    assert served == ["r", "", "r", "", "", "r"], "each time after all who had come before its last turn"


async def test_ready_vms_that_are_owed_are_not_served_to_the_backlog(
    fleet: Fleet, line: QueuedCheckouts, demand: OnDemand
) -> None:
    await line.ask("first", want("one", 2))
    await fleet.ready("one", "a")
    await demand.accepted("r", "one", "one")
    assert await fleet.store.backlog.serve("one", operation="serve", most=5) == []
    assert (await fleet.dataset()).members("ready", "one").keys() == {"a"}
    await fleet.store.checkouts.cancel("first", reason="the client left")
    assert [served.vm for served in await fleet.store.backlog.serve("one", operation="serve-2", most=5)] == [
        "a"
    ]


async def test_a_manager_sees_what_is_owed_and_when_to_look_again(
    fleet: Fleet, line: QueuedCheckouts, demand: OnDemand
) -> None:
    await line.ask("first", want("one", 2))
    await fleet.ready("one", "a")
    await demand.accepted("r", "one")
    await line.ask("later", want("one"))
    snapshot = await seen(fleet)
    assert (snapshot.sizes.ready, snapshot.backlog, snapshot.owed) == (1, 1, 1)
    assert snapshot.next_due is not None
    assert (snapshot.next_due - snapshot.now).total_seconds() == 2.5


async def test_those_who_wait_make_no_demand(fleet: Fleet, line: QueuedCheckouts) -> None:
    """Clones take longer than anyone may wait; those for waiting checkouts would be destroyed unused."""
    await line.ask("first", want("one", 2))
    snapshot = await seen(fleet)
    assert (snapshot.backlog, snapshot.owed) == (0, 0)


async def test_managers_hear_that_a_vm_is_free_for_the_backlog(
    fleet: Fleet, line: QueuedCheckouts, demand: OnDemand
) -> None:
    await line.ask("first", want("one", 2))
    await demand.accepted("r", "one")
    told = (await events(fleet, "pool.backlog")).count("one")
    await fleet.store.checkouts.cancel("first", reason="the client left")
    assert (await events(fleet, "pool.backlog")).count("one") == told + 1


async def test_places_count_even_when_many_are_in_line(fleet: Fleet, line: QueuedCheckouts) -> None:
    for number in range(120):
        await line.ask(f"ticket-{number}", want("one"))
    await fleet.ready("one", *(f"vm-{number}" for number in range(119)))
    assert await line.ask("ticket-119", want("one")) is None
    assert await line.take("plain", want("one")) is None
    assert await line.ask("ticket-118", want("one")) is not None


async def test_an_order_that_can_not_be_met_soon_holds_nothing_back(fleet: Fleet) -> None:
    """As when one of its pools makes no VMs: it would have all of the others' for as long as it waits."""
    line = QueuedCheckouts(fleet)
    await line.coming("one")
    order = want("one", 5), want("four")
    await fleet.ready("one", "a", "b", "c")
    assert await line.ask("idle", *order) is None
    assert await line.left_over("idle", *order) == ["one"]
    assert await line.take("plain", want("one", 2)) == ["a", "b"]
    assert (await fleet.store.views.counts(["one"])).pools["one"].held == 0
    await fleet.reserved("four", "d")
    assert await line.left_over("idle", *order) == []
    assert await line.take("plain-2", want("one")) is None
    assert (await fleet.store.views.counts(["one"])).pools["one"].held == 1
    await fleet.store.views.mark_broken("four", "no template")
    assert await fleet.store.checkouts.renew({"idle": "192.0.2.1"}, pools=["one"]) == []
    assert await line.take("plain-3", want("one")) == ["c"]


@pytest.mark.parametrize("trouble", ["broken", "backing off"])
async def test_a_pool_that_makes_nothing_keeps_no_part_of_an_order(fleet: Fleet, trouble: str) -> None:
    line = QueuedCheckouts(fleet)
    await line.coming("one")
    await fleet.ready("one", "a")
    assert await line.ask("many", want("one", 2)) is None
    assert await line.take("plain", want("one")) is None
    mark = fleet.store.views.mark_broken if trouble == "broken" else fleet.store.views.mark_backing_off
    await mark("one", "no template")
    assert await line.take("plain", want("one")) == ["a"]


@pytest.mark.parametrize("order", [[want("one", 2)], [want("one", 2), want("two")]], ids=["one", "two"])
async def test_vms_are_held_back_for_some_time_and_then_left_to_others_for_a_while(
    fleet: Fleet, order: list[LineItem]
) -> None:
    line = QueuedCheckouts(fleet, hold=timedelta(seconds=5))
    await line.coming("one", "two")
    assert await line.ask("many", *order) is None
    since = int(await ask(fleet.client, "HGET", f"{fleet.prefix}:ticket:many", " since"))

    async def may_take(seconds: float) -> bool:
        """Let the wait have begun so long ago, and see whether somebody else gets a VM."""
        vm = f"after-{seconds}"
        await fleet.ready("one", vm)
        began = since - int(1000 * seconds)
        await fleet.client.hset(f"{fleet.prefix}:ticket:many", " since", str(began))
        await fleet.store.checkouts.renew({"many": "192.0.2.1"}, pools=["one", "two"])
        taken = await line.take(f"take-{seconds}", want("one")) is not None
        await fleet.client.zrem(f"{fleet.prefix}:ready:one", vm)
        return taken

    assert [await may_take(seconds) for seconds in (2, 7, 17, 21, 27)] == [False, True, True, False, True]
    await fleet.ready("one", "x", "y")
    await fleet.ready("two", "z")
    assert len(await line.ask("many", *order) or []) == sum(item.count for item in order)


TEN = Client(allowance=Allowance(waiting_checkouts=10))


async def test_a_user_has_only_so_many_checkouts_waiting(fleet: Fleet, line: QueuedCheckouts) -> None:
    await fleet.token("alices", "alice")
    for number in range(10):
        assert await line.ask(f"waits-{number}", want("one"), token="alices", client=TEN) is None
    with pytest.raises(QuotaExceeded, match="10 of your checkouts wait"):
        await line.ask("one more", want("one"), token="alices", client=TEN)
    await fleet.store.checkouts.cancel("waits-3", reason="left")
    assert await line.ask("one more", want("one"), token="alices", client=TEN) is None
    assert await line.ask("nobody's", want("one"), client=TEN) is None


async def test_an_order_of_one_pool_that_holds_is_told_like_others(fleet: Fleet) -> None:
    line = QueuedCheckouts(fleet)
    await line.coming("one")
    assert await line.ask("many", want("one", 2)) is None
    tickets = {"many": "192.0.2.1"}
    assert await fleet.store.checkouts.renew(tickets, pools=["one"]) == [], "there is nothing to hold"
    await fleet.ready("one", "a")
    (hold,) = await fleet.store.checkouts.renew(tickets, pools=["one"])
    assert (hold.operation, hold.pools) == ("many", 1)


async def test_it_is_told_who_holds_how_many(fleet: Fleet) -> None:
    await fleet.token("good", "alice")
    line = QueuedCheckouts(fleet)
    await line.coming("one")
    assert await line.ask("many", want("one", 3), token="good") is None
    assert await line.ask("next", want("one", 9)) is None
    await fleet.ready("one", "a", "b", "c", "d")
    await fleet.store.checkouts.renew({"many": "192.0.2.1", "next": "192.0.2.2"}, pools=["one"])
    assert len(await line.ask("many", want("one", 3), token="good") or ()) == 3
    found = await fleet.store.views.holders(["one", "two"], token="good")
    assert found.viewer == "alice"
    ((one, (holder,)),) = found.pools.items()
    assert (one, holder.user, holder.address, holder.vms) == ("one", None, "192.0.2.2", 1)
