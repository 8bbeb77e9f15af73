"""Section 9.6 of the checklist: many clients at once, through several processes."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from redis.asyncio import Redis

from tests.store.fleet import Fleet
from tests.support.documents import pooler_document
from tests.support.redis_server import RedisServer
from tests.support.refusals import refusal_of
from tests.support.services import MakeService, Service
from tests.support.stores import open_store


@pytest.fixture
async def fleet(redis_server: RedisServer, redis_prefix: str) -> AsyncIterator[Fleet]:
    async with (
        open_store(redis_server.url, redis_prefix) as store,
        Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as client,
    ):
        yield Fleet(store, client, redis_prefix)


@pytest.fixture
async def two_services(
    redis_server: RedisServer, redis_prefix: str, make_service: MakeService
) -> AsyncIterator[list[Service]]:
    document = pooler_document(redis_url=redis_server.url, prefix=redis_prefix, pools={"pool1": 100})
    services = [make_service("api", document=document, label=f"api-{number}") for number in (1, 2)]
    async with services[0], services[1]:
        yield services


async def take(services: list[Service], path: str, times: int) -> list[httpx.Response]:
    """Send all requests at once, each on a connection of its own, to the services in turn."""
    limits = httpx.Limits(max_connections=times)
    async with httpx.AsyncClient(limits=limits, timeout=60) as client:
        urls = [services[number % len(services)].base_url + path for number in range(times)]
        return await asyncio.gather(*(client.post(url) for url in urls))


async def test_145_fifty_clients_get_fifty_vms(two_services: list[Service], fleet: Fleet) -> None:
    """[H] Given 50 parallel single checkouts of a pool with 50 ready VMs over several server processes,
    then all succeed with distinct VMs.
    """
    await fleet.ready("pool1", *(f"vm-{number}" for number in range(50)))
    answers = await take(two_services, "/api/v3/vm/pool1", 50)
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.json()["pool1"]["hostname"] for answer in answers}) == 50


async def test_145_of_200_clients_100_get_100_vms(two_services: list[Service], fleet: Fleet) -> None:
    await fleet.ready("pool1", *(f"vm-{number}" for number in range(100)))
    answers = await take(two_services, "/api/v3/vm/pool1", 200)
    given = [answer.json()["pool1"]["hostname"] for answer in answers if answer.status_code == 200]
    refused = [refusal_of(answer) for answer in answers if answer.status_code != 200]
    assert len(set(given)) == len(given) == 100
    assert refused == [(503, {"ok": False})] * 100
    assert set((await fleet.dataset()).states.values()) == {"running"}


async def test_146_pairs_leave_an_odd_vm_behind(two_services: list[Service], fleet: Fleet) -> None:
    """[H] Given 50 parallel checkouts of 2 from a pool with 51 VMs, then exactly 25 succeed, and 1 VM
    is ready afterwards.
    """
    await fleet.ready("pool1", *(f"vm-{number}" for number in range(51)))
    answers = await take(two_services, "/api/v3/vm/pool1+pool1", 50)
    given = [
        vm for answer in answers if answer.status_code == 200 for vm in answer.json()["pool1"]["hostname"]
    ]
    assert len(set(given)) == len(given) == 50
    states = list((await fleet.dataset()).states.values())
    assert (states.count("ready"), states.count("running")) == (1, 50)
