"""Redis fails while clients wait for VMs: they are told in bounded time, and nothing stays with nobody."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.in_process import POOLS, Api, open_api
from tests.api.queueing import Queue, vms_of
from tests.store.fleet import Fleet
from tests.support.documents import pooler_document
from tests.support.eventually import eventually
from tests.support.faults import Moment, contains
from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer
from tests.support.replication import a_primary, a_replica

AWAY = {"ok": False, "message": "Redis can't be used for now; try again"}
BOUND_SECONDS = 20.0
"""Far less than the minute that the clients are willing to wait."""


@pytest.fixture
def lone_redis(own_redis_server: RedisServer, redis_prefix: str) -> dict[str, Any]:
    """Return the document of an API whose Redis may be killed or paused."""
    document = pooler_document(redis_url=own_redis_server.url, prefix=redis_prefix, pools=POOLS)
    document["redis"] |= {"timeout": 2, "reconnect_attempts": [0.1]}
    return document


async def told_that_redis_is_away(task: asyncio.Task[httpx.Response]) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        answer = await task
    assert (answer.status_code, answer.json()) == (503, AWAY)
    assert answer.headers["Retry-After"] == "1"


async def wait_for_states(fleet: Fleet, expected: dict[str, str]) -> None:
    async def are_so() -> bool:
        return (await fleet.dataset()).states == expected

    await eventually(are_so)


async def test_who_waits_is_told_when_redis_was_killed(
    lone_redis: dict[str, Any], own_redis_server: RedisServer, tmp_path: Path
) -> None:
    async with open_api(lone_redis, tmp_path) as api:
        queue = Queue(api)
        tasks = [await queue.join("pool1") for _ in range(3)]
        own_redis_server.kill()
        for task in tasks:
            await told_that_redis_is_away(task)
        assert queue.waiting == 0
        own_redis_server.start()
        for place in [key async for key in api.fleet.client.scan_iter("*:ticket:*")]:
            await api.fleet.client.persist(place)  # they don't lapse: they have to be given up
        await queue.until_so_many_places(0)
        await api.fleet.ready("pool1", "a")
        assert (await api.client.post("/api/v3/vm/pool1")).status_code == 200


async def test_who_waits_is_told_when_redis_hangs(
    lone_redis: dict[str, Any], own_redis_server: RedisServer, tmp_path: Path
) -> None:
    """What had been sent to it is carried out when it goes on, and undone."""
    async with open_api(lone_redis, tmp_path) as api:
        queue = Queue(api)
        task = await queue.join("pool1+pool1")
        await api.fleet.ready("pool1", "a")
        own_redis_server.pause()
        await told_that_redis_is_away(task)
        own_redis_server.resume()
        await queue.until_so_many_places(0)
        assert (await api.fleet.dataset()).states == {"a": "ready"}
        assert (await api.client.post("/api/v3/vm/pool1")).status_code == 200


async def test_what_was_granted_to_who_waits_is_withdrawn_when_the_answer_was_lost(
    cut_api: Api, proxy: Proxy
) -> None:
    queue = Queue(cut_api)
    task = await queue.join("pool1")
    fault = proxy.cut(contains(cut_api.fleet.store.scripts.digests["checkout"]), Moment.AFTER, times=3)
    await cut_api.fleet.ready("pool1", "a")
    await told_that_redis_is_away(task)
    assert fault.hits == 3
    await wait_for_states(cut_api.fleet, {"a": "completed"})
    assert await queue.places() == 0


async def test_who_waits_is_served_in_spite_of_a_connection_that_breaks(cut_api: Api, proxy: Proxy) -> None:
    task = await Queue(cut_api).join("pool1")
    proxy.cut(contains(cut_api.fleet.store.scripts.digests["checkout"]), Moment.AFTER)
    await cut_api.fleet.ready("pool1", "a", "b")
    (vm,) = await vms_of(task)
    assert (await cut_api.fleet.dataset()).states == {"a": "ready", "b": "ready", vm: "running"}


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[RedisServer]:
    with a_primary(tmp_path / "primary") as server:
        yield server


@pytest.fixture
async def replica(primary: RedisServer, tmp_path: Path) -> AsyncIterator[RedisServer]:
    async with a_replica(primary, tmp_path / "replica") as server:
        yield server


async def test_what_no_replica_has_is_not_told_to_who_waits(
    primary: RedisServer, replica: RedisServer, redis_prefix: str, tmp_path: Path
) -> None:
    document = pooler_document(redis_url=primary.url, prefix=redis_prefix, pools=POOLS)
    document["redis"] |= {"wait_replicas": 1, "wait_timeout": 0.3}
    async with open_api(document, tmp_path) as api:
        queue = Queue(api)
        first, second = await queue.join("pool1"), await queue.join("pool1")
        await api.fleet.ready("pool1", "a")
        assert await vms_of(first) == ["a"]
        replica.pause()
        await api.fleet.ready("pool1", "b")
        async with asyncio.timeout(BOUND_SECONDS):
            answer = await second
        assert answer.status_code == 503
        assert "replicas" in answer.json()["message"]
        assert (await api.fleet.dataset()).states == {"a": "running", "b": "completed"}
        assert await queue.places() == 0
        assert api.metric("checkouts_total", pool="pool1", result="unsafe") == 1
        replica.resume()
