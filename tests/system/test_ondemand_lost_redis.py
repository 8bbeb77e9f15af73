"""Redis dies or is emptied while requests are open: the services recover, and new requests are served."""

import asyncio

import httpx
import pytest

from tests.support.eventually import eventually
from tests.support.http import patient_client
from tests.support.installation import Installation
from tests.support.redis_server import RedisServer
from tests.system.conftest import Install

POOLS = {"left": 1, "right": 1}
REQUESTS = 8


@pytest.fixture
async def installation(install: Install, own_redis_server: RedisServer) -> Installation:
    installation = install(
        own_redis_server,
        pools=POOLS,
        config={"ondemand_clone_limit": 2},
        provider={"createvm_max_time": 0.5, "vmready_max_time": 0.5},
    )
    await asyncio.gather(*(installation.start_manager() for _ in range(2)), installation.start_api())
    await installation.settles("at first")
    for number in range(REQUESTS):
        await opened(installation, f"request-{number}")
    await eventually(lambda: some_wait(installation))
    return installation


async def opened(installation: Installation, request: str) -> None:
    """Open a request over HTTP; an API that has lost Redis for a moment is asked again."""
    body = {**dict.fromkeys(POOLS, 1), "request_id": request}
    installation.ledger.ask(request, POOLS)
    async with patient_client(installation.apis[0].base_url) as client:

        async def is_open() -> bool:
            answer = await client.post("/api/v3/ondemandvm", json=body)
            # What came through without an answer is there when it is asked for again.
            return answer.status_code in (httpx.codes.CREATED, httpx.codes.CONFLICT)

        await eventually(is_open)


async def some_wait(installation: Installation) -> bool:
    """Whether some VMs have been granted and others are still waited for."""
    dataset = await installation.dataset()
    return bool(dataset.members("open")) and any(dataset.members("running", pool) for pool in POOLS)


async def test_requests_that_were_open_when_redis_was_killed_are_served(
    installation: Installation, own_redis_server: RedisServer
) -> None:
    await asyncio.to_thread(own_redis_server.kill)
    await asyncio.to_thread(own_redis_server.start)
    await opened(installation, "afterwards")
    await installation.settles("Redis killed and started")
    assert all(service.is_running for service in installation.services)


async def test_after_everything_was_lost_new_requests_are_served(installation: Installation) -> None:
    await installation.lose_everything()
    await eventually(lambda: has_a_generation(installation))
    await opened(installation, "afterwards")
    await eventually(lambda: is_served(installation, "afterwards"))
    await installation.forget_other_generations()
    await installation.settles("everything lost")
    assert all(service.is_running for service in installation.services)


async def has_a_generation(installation: Installation) -> bool:
    return "generation" in (await installation.dataset()).entries


async def is_served(installation: Installation, request: str) -> bool:
    entry = (await installation.dataset()).entries[f"request:{request}"]
    return bool(entry.value["status"] == "ready")
