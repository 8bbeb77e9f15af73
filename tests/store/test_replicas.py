"""A grant is told only when enough replicas have it; else it is taken back and its VM never ready again."""

from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from redis.asyncio import Redis

from tests.store.dataset import ask
from tests.store.fleet import Fleet, want
from tests.support.redis_server import RedisServer
from tests.support.replication import a_primary, a_replica
from tests.support.stores import Tally, open_store
from vmpooler_common.store.checkout.idempotency import IdempotencyKey
from vmpooler_common.store.core.errors import NotReplicated, StoreUnavailable
from vmpooler_common.store.store import Store

PREFIX = "{replicated}"


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[RedisServer]:
    with a_primary(tmp_path / "primary") as server:
        yield server


@pytest.fixture
async def replica(primary: RedisServer, tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with a_replica(primary, tmp_path / "replica") as server:
        yield server


@pytest.fixture
async def granting(primary: RedisServer) -> AsyncIterator[Store]:
    """Yield a store that asks for one replica's acknowledgement, for a second."""
    async with open_store(primary.url, PREFIX, wait_replicas=1, wait_timeout=timedelta(seconds=1)) as store:
        yield store


@pytest.fixture
async def fleet(primary: RedisServer, granting: Store) -> AsyncIterator[Fleet]:
    async with connect(primary) as client:
        yield Fleet(granting, client, PREFIX)


def connect(server: RedisServer) -> "Redis":
    return Redis.from_url(server.url, decode_responses=True, protocol=2)


async def refused(fleet: Fleet, count: int = 1) -> NotReplicated:
    with pytest.raises(NotReplicated) as refusal:
        await fleet.store.checkouts.check_out([want("one", count)], operation="take", lifetime=None)
    return refusal.value


async def test_a_grant_that_a_replica_has_is_told(replica: RedisServer, fleet: Fleet) -> None:
    await fleet.running("one", "a")
    async with connect(replica) as client:
        assert await ask(client, "HGET", f"{PREFIX}:vm:a", "state") == "running"


async def test_a_grant_without_any_replica_is_taken_back_and_never_ready_again(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    await refused(fleet, 2)
    data = await fleet.dataset()
    assert data.states == {"a": "completed", "b": "completed"}
    assert data.members("ready", "one") == {}
    assert {record["reason"] for record in data.records.values()} == {"not replicated"}


async def test_a_grant_is_taken_back_when_the_replica_hangs(replica: RedisServer, fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    replica.pause()
    await refused(fleet)
    assert await fleet.state("a") == "completed"
    replica.resume()
    await fleet.running("one", "b")


async def test_the_same_operation_asked_again_does_not_get_what_was_taken_back(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    await refused(fleet)
    with pytest.raises(StoreUnavailable):
        await fleet.store.checkouts.check_out([want("one")], operation="take", lifetime=None)
    assert sorted((await fleet.dataset()).states.values()) == ["completed", "ready"]


async def test_a_repetition_waits_for_the_replica_too(
    primary: RedisServer, replica: RedisServer, fleet: Fleet
) -> None:
    """The first try was granted on the primary alone; what is asked again must not be told either."""
    await fleet.ready("one", "a")
    replica.pause()
    async with open_store(primary.url, PREFIX) as careless:
        await careless.checkouts.check_out([want("one")], operation="take", lifetime=None)
    await refused(fleet)
    replica.resume()


async def test_a_grant_after_a_script_flush_waits_for_the_replica_too(
    replica: RedisServer, fleet: Fleet
) -> None:
    await fleet.ready("one", "a")
    await fleet.store.connection.call(("WAIT", 1, 1000))
    replica.pause()
    await fleet.store.connection.call(("SCRIPT", "FLUSH"))
    await refused(fleet)
    assert await fleet.state("a") == "completed"
    replica.resume()


async def test_waiting_for_a_replica_is_not_a_round_trip_more(
    primary: RedisServer, replica: RedisServer, fleet: Fleet
) -> None:
    await fleet.ready("one", "a")
    tally = Tally()
    async with open_store(primary.url, PREFIX, wait_replicas=1, tally=tally) as store:
        before = tally.round_trips
        await store.checkouts.check_out([want("one")], operation="take", lifetime=None)
        assert tally.round_trips == before + 1


async def test_a_replica_takes_no_writes_and_says_so(replica: RedisServer, fleet: Fleet) -> None:
    async with connect(replica) as client:
        before = await ask(client, "DBSIZE")
        with pytest.raises(StoreUnavailable) as failure:
            async with open_store(replica.url, PREFIX):
                pass
        assert failure.value.kind == "read_only"
        assert await ask(client, "DBSIZE") == before


async def test_what_was_not_replicated_is_forgotten_under_its_key(fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    key = IdempotencyKey("key", "192.0.2.1")
    for operation in ("take", "take again"):
        with pytest.raises(NotReplicated):
            await fleet.store.checkouts.check_out([want("one")], operation=operation, lifetime=None, key=key)
    assert (await fleet.dataset()).states == {"a": "completed", "b": "completed"}
    assert not [name for name in (await fleet.dataset()).entries if name.startswith("idempotency:")]
