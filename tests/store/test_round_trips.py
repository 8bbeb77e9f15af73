"""What a verb costs: one round trip, shared with everything that is asked in the same tick."""

import asyncio

import pytest

from tests.store.fleet import Fleet, want
from tests.store.operation import HOUR, Operation
from tests.store.operations import OPERATIONS
from tests.support.faults import Moment
from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer
from tests.support.stores import Tally, make_store, open_store
from vmpooler_common.store.core.errors import Refused

TRIPS = {
    "prepare": 3,  # reads the schema, names the data and loads the scripts
    "follow the inbox": 0,  # has a connection of its own
    "follow the inbox of tasks": 0,
    # Taking the task, which these do first, is one of its own.
    "do a task": 2,
    "fail a task": 2,
    "put a task off": 2,
}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
async def test_a_verb_is_one_round_trip(
    operation: Operation, fleet: Fleet, redis_server: RedisServer, redis_prefix: str
) -> None:
    await operation.arrange(fleet)
    tally = Tally()
    store = make_store(redis_server.url, redis_prefix, tally=tally)
    try:
        await operation.run(store)
    except Refused:
        pass
    finally:
        await store.close()
    assert tally.round_trips == TRIPS.get(operation.label, 1)


async def test_two_hundred_vms_of_many_pools_and_aliases_are_one_send(
    fleet: Fleet, redis_prefix: str, proxy: Proxy
) -> None:
    pools = [f"pool-{number}" for number in range(50)]
    for pool in pools:
        await fleet.ready(pool, *(f"{pool}-{number}" for number in range(4)))
    wants = [want(pool, 2) for pool in pools] + [
        want(f"alias-{number}", 10, *pools[number * 5 : number * 5 + 5]) for number in range(10)
    ]
    sends: list[bytes] = []

    def listen(request: bytes) -> bool:
        sends.append(request)
        return False

    proxy.cut(listen, Moment.BEFORE)
    store = make_store(proxy.url, redis_prefix)
    checkout = await store.checkouts.check_out(wants, operation="take", lifetime=None)
    await store.close()
    assert len(checkout.grants) == 200
    assert len(sends) == 1


async def test_what_one_tick_asks_for_shares_a_send(fleet: Fleet, tally: Tally) -> None:
    await fleet.ready("one", *(f"vm-{number}" for number in range(100)))
    before = tally.round_trips
    checkouts = await asyncio.gather(
        *(
            fleet.store.checkouts.check_out([want("one")], operation=f"take-{number}", lifetime=None)
            for number in range(100)
        )
    )
    assert tally.round_trips == before + 1
    assert len({grant.vm for checkout in checkouts for grant in checkout.grants}) == 100


async def test_a_burst_beyond_one_send_is_divided_and_answered(fleet: Fleet, tally: Tally) -> None:
    before = tally.round_trips
    numbers = await asyncio.gather(*(fleet.store.views.classify([f"vm-{at}"]) for at in range(1200)))
    assert [list(answer) for answer in numbers] == [[f"vm-{at}"] for at in range(1200)]
    assert tally.round_trips == before + 3


async def test_no_names_are_classified_without_asking(fleet: Fleet, tally: Tally) -> None:
    before = tally.round_trips
    assert await fleet.store.views.classify([]) == {}
    assert tally.round_trips == before


async def test_answers_are_not_mixed_up_between_callers(fleet: Fleet) -> None:
    await asyncio.gather(*(fleet.ready(f"pool-{at}", f"vm-{at}") for at in range(50)))
    records = await asyncio.gather(*(fleet.store.checkouts.look_up(f"vm-{at}") for at in range(50)))
    assert [record.pool for record, _ in records if record] == [f"pool-{at}" for at in range(50)]


async def test_a_store_without_scripts_is_healed_on_the_way(own_redis_server: RedisServer) -> None:
    async with open_store(own_redis_server.url, "{flushed}") as store:
        await store.connection.call(("SCRIPT", "FLUSH"))
        assert (await store.views.counts(["one"])).pools["one"].ready == 0


async def test_after_a_script_flush_every_verb_answers_as_before(own_redis_server: RedisServer) -> None:
    tally = Tally()
    async with open_store(own_redis_server.url, "{flushed}", tally=tally) as store:
        await store.connection.call(("SCRIPT", "FLUSH"))
        before = tally.round_trips
        snapshot, seen = await store.views.observe("one", "dummy", size=1, ready_ttl=HOUR, listed=["unknown"])
        assert snapshot.sizes.ready == 0
        assert seen["unknown"].state is None
        assert tally.round_trips == before + 3  # the attempt, the loading, the repetition
        await store.views.counts(["one"])
        assert tally.round_trips == before + 4


async def test_a_script_that_was_lost_is_run_before_what_was_to_follow_it(
    own_redis_server: RedisServer,
) -> None:
    async with open_store(own_redis_server.url, "{flushed}") as store:
        await store.views.mark_broken("one", "no template")
        await store.connection.call(("SCRIPT", "FLUSH"))
        command = store.scripts.command_named("forget_pool", pool="one")
        forgotten, left = await store.scripts.run_all([command, ("HEXISTS", "{flushed}:broken", "one")])
        assert (forgotten, left) == (1, 0)
