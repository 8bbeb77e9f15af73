"""What one greedy client gets: by a checkout that waits, by orders without a token, by deleting requests.

The same program, run before these were bounded, printed what the documentation of performance says of it.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from uuid import uuid4

import httpx
from redis.asyncio import Redis

from benchmarks.figures import Figure
from benchmarks.stage import Installation, Stage, say
from tests.support.eventually import eventually

WAITING_SECONDS = 20
REQUESTS = 1000
DELETING_SECONDS = 20
CLIENTS = 8
FULL = 10
_HOUR = 3600


async def run(stage: Stage) -> list[Figure]:
    """Attack in three ways; about 60 s."""
    return [
        *await _wait_for_what_never_comes(stage),
        *await _order_without_a_token(stage),
        *await _open_and_delete(stage),
    ]


async def _wait_for_what_never_comes(stage: Stage) -> list[Figure]:
    """Wait for VMs of three pools, one of which is never filled, while others ask for single ones."""
    pools = {"p1": 5, "p3": 5, "p4": 1}
    installation = await stage.install("api", pools=pools)
    manager = stage.describe("manager", installation.prefix, pools={"p1": 5, "p3": 5})
    served = asked = 0
    async with _client(installation) as client:
        await manager.start()
        await eventually(lambda: _are_full(client))
        say(f"  one checkout waits {WAITING_SECONDS} s for what never comes")
        order = {"p1": 5, "p3": 5, "p4": 1}
        attack = asyncio.create_task(client.post(f"/api/v3/vm?wait={WAITING_SECONDS}", json=order))
        ends = time.monotonic() + WAITING_SECONDS
        while time.monotonic() < ends:
            answer = await client.post("/api/v3/vm/p1")
            asked += 1
            served += answer.status_code == httpx.codes.OK
            await asyncio.sleep(1)
        await attack
    await manager.stop()
    await installation.service.stop()
    return [Figure("checkouts refused beside one that waits in vain", "%", (100 - 100 * served / asked,), 50)]


async def _are_full(client: httpx.AsyncClient) -> bool:
    capacity = (await client.get("/api/v3/status?view=capacity")).json()["capacity"]
    return int(capacity["current"]) == FULL


async def _order_without_a_token(stage: Stage) -> list[Figure]:
    """Open as many requests as it likes, each for twenty VMs."""
    installation = await stage.install("api", pools={"p1": 0, "p2": 0})
    say(f"  {REQUESTS} requests for 20 VMs each, without a token")
    accepted = 0

    async def order() -> None:
        nonlocal accepted
        answer = await client.post("/api/v3/ondemandvm", json={"p1": 10, "p2": 10})
        accepted += 20 * (answer.status_code == httpx.codes.CREATED)

    async with _client(installation) as client:
        await _side_by_side([order] * REQUESTS)
    await installation.service.stop()
    return [Figure(f"VMs on order after {REQUESTS} requests without a token", "VMs", (accepted,), 500)]


async def _open_and_delete(stage: Stage) -> list[Figure]:
    """Open requests and delete them again, as fast as it can."""
    installation = await stage.install("api", pools={"p1": 0, "p2": 0})
    say(f"  requests that are opened and deleted for {DELETING_SECONDS} s")
    over = 0

    async def open_and_delete() -> None:
        nonlocal over
        request = str(uuid4())
        body = {"p1": 10, "p2": 10, "request_id": request}
        if (await client.post("/api/v3/ondemandvm", json=body)).status_code == httpx.codes.CREATED:
            await client.delete(f"/api/v3/ondemandvm/{request}")
            over += 1

    async with _client(installation) as client:
        before = await _memory(stage)
        ends = time.monotonic() + DELETING_SECONDS
        while time.monotonic() < ends:
            await _side_by_side([open_and_delete] * 100)
        grown = await _memory(stage) - before
    await installation.service.stop()
    return [
        Figure(f"requests that were over after {DELETING_SECONDS} s", "", (over,), 1000),
        Figure("memory of Redis that they keep", "MB", (grown / 1e6,)),
        Figure("  each", "KB", (grown / over / 1e3,)),
        Figure("  in an hour, at that rate or the limit", "MB", (_in_an_hour(grown, over),), 5),
    ]


def _in_an_hour(grown: float, over: int) -> float:
    """Give megabytes: a client that was stopped at a limit gets no more within the hour."""
    is_stopped = over < 1000 + CLIENTS
    return grown / 1e6 * (1 if is_stopped else _HOUR / DELETING_SECONDS)


async def _memory(stage: Stage) -> int:
    async with Redis(port=stage.redis_port) as redis:
        return int((await redis.info("memory"))["used_memory"])


@asynccontextmanager
async def _client(installation: Installation) -> AsyncIterator[httpx.AsyncClient]:
    """Start the installation's API and give a client of it."""
    await installation.service.start()
    url = installation.service.base_url
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        yield client


async def _side_by_side(calls: Sequence[Callable[[], Awaitable[None]]]) -> None:
    """Make the calls, so many at a time as there are clients."""
    waiting = list(calls)

    async def client() -> None:
        while waiting:
            await waiting.pop()()

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
