"""Clients of a real process that leave while they wait for VMs, or when these are about to be told."""

import pytest

from tests.api.connections import answer_of, joined
from tests.store.fleet import Fleet
from tests.store.queued_checkouts import QueuedCheckouts
from tests.support.eventually import eventually
from tests.support.faults import Moment, contains
from tests.support.http import patient_client
from tests.support.proxy import Proxy
from tests.support.services import Service

KEYS = pytest.mark.parametrize("key", ["", "a-key-of-16-bytes"], ids=["without a key", "with a key"])


async def wait_for_states(fleet: Fleet, expected: dict[str, str]) -> None:
    async def are_so() -> bool:
        return (await fleet.dataset()).states == expected

    await eventually(are_so)


@KEYS
@pytest.mark.parametrize("version", ["v3", "v1"])
async def test_who_leaves_while_it_waits_gives_its_place_up_and_gets_nothing(
    process: Service, process_fleet: Fleet, version: str, key: str
) -> None:
    line = QueuedCheckouts(process_fleet)
    _, writer = await joined(process, line, names="pool1+pool1", version=version, key=key)
    (place,) = [key async for key in process_fleet.client.scan_iter(f"{process_fleet.prefix}:ticket:*")]
    waiting = await joined(process, line)
    await process_fleet.ready("pool1", "a")
    writer.transport.abort()
    await process_fleet.client.persist(place)  # it doesn't lapse: it has to be given up
    assert '"a.' in await answer_of(waiting)
    await process_fleet.ready("pool1", "b", "c")
    assert await line.places() == set()
    assert (await process_fleet.dataset()).states == {"a": "running", "b": "ready", "c": "ready"}


@KEYS
async def test_what_is_granted_to_who_leaves_before_the_answer_is_withdrawn(
    process: Service, process_fleet: Fleet, proxy: Proxy, key: str
) -> None:
    line = QueuedCheckouts(process_fleet)
    _, writer = await joined(process, line, key=key)

    async def leave_when_granted() -> None:
        if await process_fleet.state("a") == "running":
            writer.transport.abort()
            # The answer is held back until the service has been round its event loop, so that it knows.
            async with patient_client(process.base_url) as client:
                for _ in range(3):
                    await client.get("/healthcheck")

    checkout = contains(process_fleet.store.scripts.digests["checkout"])
    proxy.on_match(checkout, Moment.AFTER, callback=leave_when_granted, times=100)
    await process_fleet.ready("pool1", "a")
    await wait_for_states(process_fleet, {"a": "completed"})
    assert await line.places() == set()
    again = await joined(process, line, key=key)
    await process_fleet.ready("pool1", "b")
    assert '"b.' in await answer_of(again), "the key is free again"
