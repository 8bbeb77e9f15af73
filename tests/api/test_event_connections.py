"""How many connections a process keeps to follow events."""

import asyncio

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.api.queueing import Queue, vms_of
from tests.support.eventually import eventually

WEIGHTED = {"one": {"size": 1, "alias": "both", "clone_target": "red"}}


async def follow_events(api: Api, *, connections: int) -> bool:
    """Say whether so many connections wait for events."""
    clients = await api.fleet.client.client_list()
    return sum(client["cmd"] == "xread" for client in clients) == connections


async def test_a_process_has_one_reader_of_events_for_its_weights_and_its_clients(with_api: WithApi) -> None:
    async with with_api(pools=WEIGHTED, config={"backend_weight": {"red": 1}}) as api:
        await eventually(lambda: follow_events(api, connections=1))
        task = await Queue(api).join("one")
        await api.fleet.ready("one", "a")
        assert await vms_of(task) == ["a"]
        await eventually(lambda: follow_events(api, connections=1), within=5)


async def test_a_process_without_weights_follows_no_events_until_a_client_waits(with_api: WithApi) -> None:
    async with with_api() as api:
        await eventually(lambda: follow_events(api, connections=0))
        task = await Queue(api).join("pool1")
        await eventually(lambda: follow_events(api, connections=1))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
