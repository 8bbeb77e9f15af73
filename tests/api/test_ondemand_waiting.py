"""Waiting for an on-demand request: answered when it is over, and by one reader for all who wait."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from redis.asyncio import Redis

from tests.api.in_process import POOLS, open_api
from tests.api.ondemand import PATH, Requester
from tests.store.fleet import Fleet, attempt_of
from tests.store.ondemand import OnDemand
from tests.support.documents import pooler_document
from tests.support.eventually import eventually
from tests.support.http import patient_client
from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service
from tests.support.stores import open_store

PATIENCE = 20.0
WAITING = "ondemand_waiting_clients"
ROUND_TRIPS = "redis_round_trips_total"
CROWD = 1000
REQUESTS = 100


async def waiting(customer: Requester, request: str, *, clients: int = 1) -> "asyncio.Task[httpx.Response]":
    """Begin to wait for a request; return when so many clients wait in all."""
    task = asyncio.create_task(customer.look(request, "?wait=60"))

    async def is_seated() -> bool:
        return customer.api.metric(WAITING) == clients

    await eventually(is_seated)
    return task


async def answer_of(task: "asyncio.Task[httpx.Response]") -> httpx.Response:
    async with asyncio.timeout(PATIENCE):
        return await task


async def test_a_wait_ends_when_the_last_vm_is_there_and_not_before(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 2})
    task = await waiting(customer, "r")
    trips = customer.api.metric(ROUND_TRIPS)
    await customer.demand.booted("pool1", "a")

    async def was_noticed() -> bool:
        return customer.api.metric(ROUND_TRIPS) > trips

    await eventually(was_noticed)
    assert not task.done()
    await customer.demand.booted("pool1", "b")
    answer = await answer_of(task)
    assert answer.status_code == 200
    assert answer.json()["pool1"] == {"hostname": ["a.example.test", "b.example.test"]}
    assert customer.api.metric(WAITING) == 0


async def test_a_wait_ends_when_the_request_fails(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 1})
    task = await waiting(customer, "r")
    await customer.demand.failed("pool1", "a", "no disk", most=1)
    assert (await answer_of(task)).json()["message"] == "no disk"


async def test_a_wait_ends_when_the_request_is_deleted(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 1})
    task = await waiting(customer, "r")
    await customer.api.client.delete(f"{PATH}/r")
    assert (await answer_of(task)).json()["message"] == "The request has been deleted"


async def test_a_wait_ends_when_its_time_is_over(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 2})
    await customer.demand.booted("pool1", "a")
    answer = await customer.look("r", "?wait=0.05")
    assert (answer.status_code, answer.json()["pool1"]) == (202, {"ready": "1", "pending": "1"})


async def test_there_is_no_wait_for_what_is_over(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 1})
    await customer.demand.booted("pool1", "a")
    async with asyncio.timeout(PATIENCE):
        assert (await customer.look("r", "?wait=60")).status_code == 200


@pytest.mark.parametrize("wait", ["-1", ""])
async def test_a_wait_is_a_number_of_seconds(customer: Requester, wait: str) -> None:
    await customer.ask({"request_id": "r", "pool1": 1})
    answer = await customer.api.client.get(f"{PATH}/r", params={"wait": wait})
    assert (answer.status_code, answer.json()) == (
        400,
        {"ok": False, "message": "wait must be a number of seconds, 0 or more"},
    )


async def test_a_wait_of_0_is_none(customer: Requester) -> None:
    await customer.ask({"request_id": "r", "pool1": 1})
    assert (await customer.look("r", "?wait=0")).status_code == 202


async def test_only_those_are_called_whose_request_is_over(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 1})
    await customer.accepted("other", {"pool2": 1})
    task = await waiting(customer, "r")
    other = await waiting(customer, "other", clients=2)
    await customer.demand.booted("pool1", "a")
    await answer_of(task)
    assert not other.done()
    await customer.demand.booted("pool2", "b")
    assert (await answer_of(other)).json()["pool2"] == {"hostname": ["b.example.test"]}


async def test_all_who_wait_share_one_reader_of_events(customer: Requester) -> None:
    tasks = []
    for number in range(20):
        await customer.ask({"request_id": f"r-{number}", "pool1": 1})
        tasks.append(await waiting(customer, f"r-{number}", clients=number + 1))

    async def reads_events() -> bool:
        return bool((await customer.api.fleet.client.info("clients"))["blocked_clients"])

    await eventually(reads_events)
    assert (await customer.api.fleet.client.info("clients"))["blocked_clients"] == 1
    for number in range(20):
        await customer.api.client.delete(f"{PATH}/r-{number}")
    assert [(await answer_of(task)).status_code for task in tasks] == [200] * 20


async def test_an_end_that_no_event_tells_of_is_seen_in_a_few_seconds(customer: Requester) -> None:
    await customer.accepted("r", {"pool1": 1})
    task = await waiting(customer, "r")
    await customer.api.fleet.client.hset(f"{customer.api.fleet.prefix}:request:r", "status", "deleted")
    assert (await answer_of(task)).json()["message"] == "The request has been deleted"


async def test_an_end_during_an_outage_of_redis_is_told_after_it(
    redis_server: RedisServer, redis_prefix: str, tmp_path: Path
) -> None:
    async with (
        Proxy(redis_server.port) as proxy,
        open_api(pooler_document(redis_url=proxy.url, prefix=redis_prefix, pools=POOLS), tmp_path) as api,
        open_store(redis_server.url, redis_prefix) as store,
        Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as client,
    ):
        demand = OnDemand(Fleet(store, client, redis_prefix))
        await demand.accepted("r", "pool1")
        task = await waiting(Requester(api), "r")
        await api.client.get(f"{PATH}/r")  # answered after what the waiter asked first of all
        await proxy.down()
        await demand.booted("pool1", "a")
        await proxy.up()
        assert (await answer_of(task)).json()["pool1"] == {"hostname": ["a.example.test"]}


# With connections of their own


@pytest.fixture
async def service(
    redis_server: RedisServer, redis_prefix: str, make_service: MakeService
) -> AsyncIterator[Service]:
    document = pooler_document(redis_url=redis_server.url, prefix=redis_prefix, pools=POOLS)
    async with make_service("api", document=document) as service:
        yield service


@pytest.fixture
async def demand(redis_server: RedisServer, redis_prefix: str, service: Service) -> AsyncIterator[OnDemand]:
    async with (
        open_store(redis_server.url, redis_prefix) as store,
        Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as client,
    ):
        yield OnDemand(Fleet(store, client, redis_prefix))


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def connected(service: Service, request: str) -> Connection:
    """Send a question that is answered when the request is over."""
    reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    writer.write(f"GET {PATH}/{request}?wait=60 HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n".encode())
    await writer.drain()
    return reader, writer


async def status_of(connection: Connection) -> int:
    reader, writer = connection
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return int(answer.split(b" ", 2)[1])


async def until_so_many_wait(service: Service, clients: int) -> None:
    async with patient_client() as client:

        async def so_many_wait() -> bool:
            text = (await client.get(f"{service.base_url}/prometheus")).text
            return f'vmpooler_{WAITING}{{vmpooler_instance="test"}} {clients}.0\n' in text

        await eventually(so_many_wait)


async def test_a_thousand_clients_may_wait(service: Service, demand: OnDemand) -> None:
    vms = [f"vm-{number}" for number in range(REQUESTS)]
    for vm in vms:
        await demand.accepted(f"for-{vm}", "pool1")
    connections = [await connected(service, f"for-{vms[at % REQUESTS]}") for at in range(CROWD)]
    await until_so_many_wait(service, CROWD)
    await demand.fleet.created("pool1", *vms)
    for vm in vms:
        await demand.fleet.store.clones.promote(vm, attempt_of(vm), operation=f"promote-{vm}")
    async with asyncio.timeout(PATIENCE):
        statuses = await asyncio.gather(*map(status_of, connections))
    assert statuses == [200] * CROWD
    await until_so_many_wait(service, 0)


async def test_a_client_that_leaves_frees_its_place(service: Service, demand: OnDemand) -> None:
    await demand.accepted("r", "pool1")
    _, writer = await connected(service, "r")
    await until_so_many_wait(service, 1)
    writer.close()
    await writer.wait_closed()
    await until_so_many_wait(service, 0)


async def test_a_service_that_stops_answers_those_who_wait(service: Service, demand: OnDemand) -> None:
    await demand.accepted("r", "pool1")
    connection = await connected(service, "r")
    await until_so_many_wait(service, 1)
    stopping = asyncio.create_task(service.stop())
    assert await status_of(connection) == 202
    assert await stopping == 0
