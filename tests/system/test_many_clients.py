"""More clients than VMs, through two API processes at the same moment."""

import asyncio
from collections import Counter

import httpx

from tests.support.redis_server import RedisServer
from tests.support.refusals import refusal_of
from tests.system.conftest import Install

CLIENTS = 200
SIZE = 100


async def test_of_two_hundred_clients_at_once_exactly_as_many_get_a_vm_as_there_are(
    install: Install, redis_server: RedisServer
) -> None:
    installation = install(redis_server, pools={"wanted": SIZE}, config={"task_limit": SIZE})
    manager = await installation.start_manager()
    await asyncio.gather(installation.start_api(), installation.start_api())
    await installation.settles("at first")
    await manager.service.stop()  # so that nobody refills the pool
    limits = httpx.Limits(max_connections=CLIENTS)
    async with httpx.AsyncClient(timeout=30, trust_env=False, limits=limits) as client:
        urls = [f"{api.base_url}/api/v3/vm/wanted" for api in installation.apis] * (CLIENTS // 2)
        answers = await asyncio.gather(*map(client.post, urls))
    assert Counter(answer.status_code for answer in answers) == {200: SIZE, 503: CLIENTS - SIZE}
    granted = {answer.json()["wanted"]["hostname"] for answer in answers if answer.is_success}
    assert len(granted) == SIZE
    assert all(refusal_of(answer) == (503, {"ok": False}) for answer in answers if answer.is_error)
