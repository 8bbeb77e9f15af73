"""Waiting for VMs at several API processes: one line for all, and one that is killed holds nobody up."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack

import pytest
from redis.asyncio import Redis

from tests.api.connections import answer_of, joined
from tests.store.fleet import Fleet, want
from tests.store.queued_checkouts import QueuedCheckouts
from tests.support.documents import pooler_document
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service
from tests.support.stores import open_store

CROWD = 100


@pytest.fixture
async def processes(
    redis_server: RedisServer, redis_prefix: str, make_service: MakeService
) -> AsyncIterator[Sequence[Service]]:
    """Yield two API processes on one Redis."""
    document = pooler_document(
        redis_url=redis_server.url, prefix=redis_prefix, pools={"pool1": {"size": CROWD}}
    )
    made = [make_service("api", document=document, label=f"api-{number}") for number in range(2)]
    async with AsyncExitStack() as stack:
        for service in made:
            await stack.enter_async_context(service)
        yield made


@pytest.fixture
async def fleet(redis_server: RedisServer, redis_prefix: str) -> AsyncIterator[Fleet]:
    async with (
        open_store(redis_server.url, redis_prefix) as store,
        Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as client,
    ):
        yield Fleet(store, client, redis_prefix)


async def test_a_hundred_clients_of_two_processes_are_served_in_the_order_in_which_they_came(
    processes: Sequence[Service], fleet: Fleet
) -> None:
    line = QueuedCheckouts(fleet)
    connections = [await joined(processes[number % 2], line) for number in range(CROWD)]
    for number, connection in enumerate(connections):
        await fleet.ready("pool1", f"vm-{number}")
        answer = await answer_of(connection)
        assert answer.startswith("HTTP/1.1 200 "), answer
        assert f'"vm-{number}.' in answer


async def test_what_a_killed_process_held_is_free_again(processes: Sequence[Service], fleet: Fleet) -> None:
    line = QueuedCheckouts(fleet)
    await line.coming("pool1")
    to_destroy, other = processes
    lost = [await joined(to_destroy, line, names="pool1+pool1") for _ in range(5)]
    waiting = await joined(other, line)
    await fleet.ready("pool1", "a")
    to_destroy.kill()
    assert await line.take("plain", want("pool1")) is None, "it is owed while it is held"
    assert '"a.' in await answer_of(waiting)
    assert await line.take("plain", want("pool1")) is None
    await fleet.ready("pool1", "b")
    assert await line.take("plain", want("pool1")) == ["b"]
    for reader, writer in lost:
        assert await reader.read() == b""
        writer.close()


async def test_a_client_that_leaves_gives_its_place_up_at_once(
    processes: Sequence[Service], fleet: Fleet
) -> None:
    line = QueuedCheckouts(fleet)
    _, writer = await joined(processes[0], line, names="pool1+pool1")
    waiting = await joined(processes[1], line)
    await fleet.ready("pool1", "a")
    writer.transport.abort()
    assert '"a.' in await answer_of(waiting)


async def test_two_who_wait_under_one_key_at_two_processes_get_the_same_vm(
    processes: Sequence[Service], fleet: Fleet
) -> None:
    line = QueuedCheckouts(fleet)
    twins = [await joined(process, line, key="a-key-of-16-bytes") for process in processes]
    await fleet.ready("pool1", "a", "b")
    assert [('"a.' in answer, '"b.' in answer) for answer in [await answer_of(twin) for twin in twins]] == [
        (True, False),
        (True, False),
    ]
    assert (await fleet.dataset()).states == {"a": "running", "b": "ready"}


async def test_a_process_that_stops_answers_those_who_wait(
    processes: Sequence[Service], fleet: Fleet
) -> None:
    line = QueuedCheckouts(fleet)
    connections = [await joined(processes[0], line) for _ in range(3)]
    stopping = asyncio.create_task(processes[0].stop())
    answers = [await answer_of(connection) for connection in connections]
    assert {answer.split(" ")[1] for answer in answers} == {"503"}
    assert await stopping == 0
    assert await line.places() == set()
