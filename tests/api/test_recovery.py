"""Redis goes away and comes back, as itself or as another one: the API recovers by itself."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from tests.api.in_process import POOLS, Api, open_api
from tests.store.dataset import ask
from tests.store.fleet import Fleet
from tests.support.documents import pooler_document
from tests.support.eventually import eventually
from tests.support.http import patient_client
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service
from tests.support.stores import open_store


@pytest.fixture
def service(own_redis_server: RedisServer, redis_prefix: str, make_service: MakeService) -> Service:
    """Return an API process, not started, in front of a Redis of its own."""
    document = pooler_document(redis_url=own_redis_server.url, prefix=redis_prefix, pools=POOLS)
    document["redis"] |= {"reconnect_attempts": [0.1, 0.2], "timeout": 1}
    made: Service = make_service("api", document=document)
    return made


async def fill(server: RedisServer, prefix: str, *vms: str) -> None:
    async with (
        open_store(server.url, prefix) as store,
        Redis.from_url(server.url, decode_responses=True, protocol=2) as client,
    ):
        await Fleet(store, client, prefix).ready("pool1", *vms)


async def wait_until_ready(client: httpx.AsyncClient) -> None:
    """Wait until /ready says so."""

    async def is_ready() -> bool:
        return (await client.get("/ready")).status_code == 200

    await eventually(is_ready)


async def test_it_starts_without_redis_and_serves_when_it_is_there(
    service: Service, own_redis_server: RedisServer, redis_prefix: str
) -> None:
    own_redis_server.stop()
    async with service, patient_client(service.base_url) as client:
        assert (await client.get("/healthcheck")).status_code == 200
        unready, refused = await client.get("/ready"), await client.post("/api/v3/vm/pool1")
        assert (unready.status_code, refused.status_code) == (503, 503)
        assert unready.json()["ok"] is False
        assert unready.json()["message"]
        assert refused.headers["Retry-After"] == "1"
        own_redis_server.start()
        await wait_until_ready(client)
        await fill(own_redis_server, redis_prefix, "one")
        assert (await client.post("/api/v3/vm/pool1")).status_code == 200


async def test_a_redis_that_takes_no_writes_is_told_everywhere_until_it_takes_them(api: Api) -> None:
    await api.fleet.ready("pool1", *(f"vm-{number}" for number in range(5)))
    await ask(api.fleet.client, "CONFIG", "SET", "maxmemory", "1")
    try:
        refused = await api.client.post("/api/v3/vm/pool1")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        status = (await api.client.get("/api/v3/status")).json()
        unready = await api.client.get("/ready")
        assert (api.metric("redis_writable"), api.metric("redis_up")) == (0, 1)
    finally:
        await ask(api.fleet.client, "CONFIG", "SET", "maxmemory", "0")
    assert (status["status"]["ok"], status["redis"]["state"]) == (False, "read-only")
    assert "raise its maxmemory" in status["redis"]["remedy"]
    assert unready.status_code == 503
    for told in (refused.json(), status["status"], unready.json()):
        assert told["message"].startswith("Redis takes no writes")
    await wait_until_ready(api.client)
    assert "redis" not in (await api.client.get("/api/v3/status")).json()
    assert api.metric("redis_writable") == 1


async def test_it_goes_on_when_redis_was_stopped(
    service: Service, own_redis_server: RedisServer, redis_prefix: str
) -> None:
    await fill(own_redis_server, redis_prefix, "one")
    async with service, patient_client(service.base_url) as client:
        own_redis_server.stop()
        for path in ("/ready", "/api/v3/status", "/api/v3/vm/one", "/api/v3/totalrunning"):
            answer = await client.get(path)
            assert (answer.status_code, list(answer.json())) == (503, ["ok", "message"])
        own_redis_server.start()
        await wait_until_ready(client)
        assert (await client.post("/api/v3/vm/pool1")).json()["pool1"] == {"hostname": "one.example.test"}


async def test_it_goes_on_with_a_redis_that_was_replaced_by_an_empty_one(
    service: Service, own_redis_server: RedisServer, redis_prefix: str, tmp_path: Path
) -> None:
    async with service, patient_client(service.base_url) as client:
        own_redis_server.kill()
        own_redis_server.directory = tmp_path / "another"
        own_redis_server.start()
        await wait_until_ready(client)
        refused = await client.post("/api/v3/vm/pool1")
        assert (refused.status_code, "Retry-After" in refused.headers) == (503, False)
        await fill(own_redis_server, redis_prefix, "new")
        assert (await client.post("/api/v3/vm/pool1")).status_code == 200


async def test_it_bears_a_redis_that_answers_nothing(
    service: Service, own_redis_server: RedisServer, redis_prefix: str
) -> None:
    await fill(own_redis_server, redis_prefix, "one", "two")
    async with service, patient_client(service.base_url) as client:
        own_redis_server.pause()
        assert (await client.post("/api/v3/vm/pool1")).status_code == 503
        own_redis_server.resume()
        await wait_until_ready(client)
        answer = await client.post("/api/v3/vm/pool1")
        assert answer.status_code == 200


async def test_no_vm_is_given_twice_when_redis_is_killed_under_load(
    service: Service, own_redis_server: RedisServer, redis_prefix: str
) -> None:
    vms = [f"vm-{number}" for number in range(400)]
    await fill(own_redis_server, redis_prefix, *vms)
    given: Counter[str] = Counter()
    refused = 0
    killed = asyncio.Event()

    async def take_all(client: httpx.AsyncClient) -> None:
        nonlocal refused
        while True:
            answer = await client.post("/api/v3/vm/pool1")
            if answer.status_code == 200:
                given[answer.json()["pool1"]["hostname"].partition(".")[0]] += 1
                if given.total() == 100:
                    own_redis_server.kill()
                    own_redis_server.start()
                    killed.set()
            elif "Retry-After" not in answer.headers and killed.is_set():
                return  # the pool is empty
            else:
                refused += 1
                await asyncio.sleep(0.02)

    async with service, patient_client(service.base_url) as client:
        async with asyncio.timeout(60), asyncio.TaskGroup() as group:
            for _ in range(16):
                group.create_task(take_all(client))
        assert killed.is_set()
        assert set(given.values()) == {1}
        await every_vm_is_given_or_withdrawn(own_redis_server, redis_prefix, set(given), set(vms))


async def every_vm_is_given_or_withdrawn(
    server: RedisServer, prefix: str, given: set[str], vms: set[str]
) -> None:
    """Wait until what runs is exactly what clients were told, and all the rest is to be destroyed."""
    async with (
        open_store(server.url, prefix) as store,
        Redis.from_url(server.url, decode_responses=True, protocol=2) as client,
    ):
        fleet = Fleet(store, client, prefix)

        async def is_so() -> bool:
            states = (await fleet.dataset()).states
            expected = {vm: "running" if vm in given else "completed" for vm in vms}
            return states == expected

        await eventually(is_so)


async def test_data_of_a_newer_schema_is_refused_at_start(
    service: Service, own_redis_server: RedisServer, redis_prefix: str
) -> None:
    async with Redis.from_url(own_redis_server.url) as client:
        await client.set(f"{redis_prefix}:schema", 99)
    service.launch()

    async def has_ended() -> bool:
        return not service.is_running

    await eventually(has_ended)
    assert await service.stop() == 1
    assert "schema 99" in service.log.read_text()


@pytest.fixture
async def api(own_redis_server: RedisServer, redis_prefix: str, tmp_path: Path) -> AsyncIterator[Api]:
    """Yield an API in this process, whose Redis may be stopped."""
    document = pooler_document(redis_url=own_redis_server.url, prefix=redis_prefix, pools=POOLS)
    document["redis"] |= {"reconnect_attempts": [0.1]}
    async with open_api(document, tmp_path) as api:
        yield api


async def test_data_of_a_newer_schema_is_noticed_later_too(
    api: Api, own_redis_server: RedisServer, redis_prefix: str
) -> None:
    await api.fleet.client.set(f"{redis_prefix}:schema", 99)
    own_redis_server.stop()
    assert (await api.client.get("/ready")).status_code == 503
    own_redis_server.start()

    async def is_stopped() -> bool:
        return bool(api.stopped)

    await eventually(is_stopped)
    assert "schema 99" in api.stopped[0]
