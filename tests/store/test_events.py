"""The stream of what happened: told from the moment it is followed, whatever becomes of Redis's data."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from tests.store.dataset import ask
from tests.store.fleet import Fleet, want
from tests.support.redis_server import RedisServer
from tests.support.stores import make_store, open_store
from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import StoreUnavailable
from vmpooler_common.store.core.events import Event
from vmpooler_common.store.core.times import to_ms

PATIENCE = 10.0


async def following(events: AsyncGenerator[Event, None]) -> Event:
    """Wait for the next event, within reason."""
    async with asyncio.timeout(PATIENCE):
        return await anext(events)


async def told(events: AsyncGenerator[Event, None], count: int) -> list[tuple[str, str, str]]:
    found = [await following(events) for _ in range(count)]
    return [(event.name, event.pool, event.vm) for event in found]


async def test_a_gap_is_told_first_and_then_what_happens(fleet: Fleet) -> None:
    await fleet.ready("one", "earlier")
    async with aclosing(fleet.store.events.follow()) as events:
        assert (await following(events)).name is EventName.EVENTS_MISSED
        await fleet.ready("one", "a")
        await fleet.store.checkouts.check_out([want("one", 2)], operation="take", lifetime=None)
        assert await told(events, 4) == [
            ("vm.reserved", "one", "a"),
            ("vm.ready", "one", "a"),
            ("vm.checked_out", "one", "earlier"),
            ("vm.checked_out", "one", "a"),
        ]


async def test_nothing_is_missed_between_the_gap_and_the_next_look(fleet: Fleet) -> None:
    async with aclosing(fleet.store.events.follow()) as events:
        await following(events)
        await fleet.reserved("one", "a", "b")  # before anyone waits for it
        assert await told(events, 2) == [("vm.reserved", "one", "a"), ("vm.reserved", "one", "b")]


async def test_an_event_carries_the_servers_time(fleet: Fleet) -> None:
    async with aclosing(fleet.store.events.follow()) as events:
        await following(events)
        before = await fleet.server_ms()
        await fleet.reserved("one", "a")
        after = await fleet.server_ms()
        assert before <= to_ms((await following(events)).at) <= after


async def test_every_follower_is_told_everything(fleet: Fleet) -> None:
    async with aclosing(fleet.store.events.follow()) as one, aclosing(fleet.store.events.follow()) as other:
        await following(one)
        await following(other)
        await fleet.reserved("one", "a")
        assert await told(one, 1) == await told(other, 1) == [("vm.reserved", "one", "a")]


@pytest.mark.parametrize("command", ["SCRIPT FLUSH", "FLUSHALL"])
async def test_following_goes_on_after_a_flush(command: str, own_redis_server: RedisServer) -> None:
    async with open_store(own_redis_server.url, "{flushed}") as store:
        fleet = Fleet(store, None, "{flushed}")  # type: ignore[arg-type]
        await fleet.reserved("one", "a")
        async with aclosing(store.events.follow()) as events:
            await following(events)
            await store.connection.call(tuple(command.split()))
            await fleet.reserved("one", "b")
            assert await told(events, 1) == [("vm.reserved", "one", "b")]


async def test_a_follower_that_lags_behind_a_full_read_is_told_of_a_gap(fleet: Fleet) -> None:
    vms = [f"vm-{number}" for number in range(1000)]
    async with aclosing(fleet.store.events.follow()) as events:
        await following(events)
        await fleet.reserved("one", *vms)
        assert (await following(events)).name is EventName.EVENTS_MISSED
        assert await told(events, 1000) == [("vm.reserved", "one", vm) for vm in vms]


async def test_a_server_that_dies_ends_the_following(own_redis_server: RedisServer) -> None:
    async with open_store(own_redis_server.url, "{dies}") as store, aclosing(store.events.follow()) as events:
        await following(events)
        waiting = asyncio.create_task(following(events))
        await asyncio.sleep(0)
        own_redis_server.kill()
        with pytest.raises(StoreUnavailable) as failure:
            await waiting
        assert failure.value.kind == "unreachable"


async def test_a_server_that_is_away_can_not_be_followed(free_port: int) -> None:
    store = make_store(f"redis://127.0.0.1:{free_port}/0", "{away}")
    with pytest.raises(StoreUnavailable):
        await following(store.events.follow())
    await store.close()


async def test_the_stream_stays_short(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    # Ten thousand events by the cheapest pair of verbs that tell one.
    for _ in range(30):
        await asyncio.gather(
            *(
                verb("one", ["a"])
                for _ in range(200)
                for verb in (fleet.store.retirement.mark_suspect, fleet.store.retirement.clear_suspect)
            )
        )
    length = await ask(fleet.client, "XLEN", f"{fleet.prefix}:events")
    # Redis trims by whole nodes of a hundred entries.
    assert 10_000 <= length <= 10_200
