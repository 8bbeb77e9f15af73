"""Checkouts whose answer didn't arrive: the client gets a VM or 503, and nothing stays handed out."""

import asyncio

import pytest

from tests.api.in_process import Api
from tests.store.fleet import Fleet
from tests.support.eventually import eventually
from tests.support.faults import Moment, contains
from tests.support.http import patient_client
from tests.support.proxy import Proxy
from tests.support.services import Service

AWAY = {"ok": False, "message": "Redis can't be used for now; try again"}


async def wait_for_states(fleet: Fleet, expected: dict[str, str]) -> None:
    """Wait until the VMs are in these states."""

    async def are_so() -> bool:
        return (await fleet.dataset()).states == expected

    await eventually(are_so)


def digest(api: Api, script: str) -> str:
    return api.fleet.store.scripts.digests[script]


@pytest.mark.parametrize("moment", Moment)
async def test_a_connection_that_breaks_once_is_no_trouble(
    cut_api: Api, proxy: Proxy, moment: Moment
) -> None:
    await cut_api.fleet.ready("pool1", "one", "two")
    fault = proxy.cut(contains(digest(cut_api, "checkout")), moment)
    answer = await cut_api.client.post("/api/v3/vm/pool1")
    assert (answer.status_code, fault.hits) == (200, 1)
    assert answer.json()["pool1"] == {"hostname": "one.example.test"}
    assert (await cut_api.fleet.dataset()).states == {"one": "running", "two": "ready"}


async def test_a_checkout_that_is_done_but_never_answered_is_withdrawn(cut_api: Api, proxy: Proxy) -> None:
    await cut_api.fleet.ready("pool1", "one", "two")
    proxy.cut(contains(digest(cut_api, "checkout")), Moment.AFTER, times=3)
    answer = await cut_api.client.post("/api/v3/vm/pool1")
    assert (answer.status_code, answer.json()) == (503, AWAY)
    assert answer.headers["Retry-After"] == "1"
    await wait_for_states(cut_api.fleet, {"one": "completed", "two": "ready"})


async def test_a_checkout_that_arrives_late_takes_nothing(cut_api: Api, proxy: Proxy) -> None:
    await cut_api.fleet.ready("pool1", "one")
    held = asyncio.Event()

    async def hold() -> None:
        await held.wait()

    proxy.on_match(contains(digest(cut_api, "checkout")), Moment.BEFORE, callback=hold)
    assert (await cut_api.client.post("/api/v3/vm/pool1")).status_code == 503

    async def is_withdrawn() -> bool:
        return any(name.startswith("op:") for name in (await cut_api.fleet.dataset()).entries)

    async def has_arrived() -> bool:
        return await scripts_run(cut_api) > before

    await eventually(is_withdrawn)
    before = await scripts_run(cut_api)
    held.set()
    await eventually(has_arrived)
    assert await cut_api.fleet.state("one") == "ready"


async def scripts_run(api: Api) -> int:
    """Give how many scripts the server has run; looking doesn't count."""
    statistics = await api.fleet.client.info("commandstats")
    return int(statistics["cmdstat_evalsha"]["calls"])


async def test_withdrawing_goes_on_until_redis_is_back(cut_api: Api, proxy: Proxy) -> None:
    await cut_api.fleet.ready("pool1", "one")
    proxy.cut(contains(digest(cut_api, "checkout")), Moment.AFTER, callback=proxy.down)
    assert (await cut_api.client.post("/api/v3/vm/pool1")).status_code == 503
    assert await cut_api.fleet.state("one") == "running"
    await proxy.up()
    await wait_for_states(cut_api.fleet, {"one": "completed"})


async def test_a_return_that_was_cut_off_is_done_once(cut_api: Api, proxy: Proxy) -> None:
    await cut_api.fleet.running("pool1", "one")
    proxy.cut(contains(digest(cut_api, "release")), Moment.AFTER)
    assert (await cut_api.client.delete("/api/v3/vm/one")).status_code == 200
    assert cut_api.metric("vm_deletes_total", result="success") == 1


@pytest.mark.parametrize("request_line", ["POST /api/v3/vm/pool1", "POST /api/v3/vm"])
async def test_a_checkout_whose_client_left_is_withdrawn(
    process: Service, proxy: Proxy, process_fleet: Fleet, request_line: str
) -> None:
    await process_fleet.ready("pool1", "one", "two")
    _, writer = await asyncio.open_connection("127.0.0.1", process.port)

    async def leave() -> None:
        writer.transport.abort()
        # The answer is held back until the service has been round its event loop, so that it knows.
        async with patient_client(process.base_url) as client:
            for _ in range(3):
                await client.get("/healthcheck")

    checkout = contains(process_fleet.store.scripts.digests["checkout"])
    fault = proxy.on_match(checkout, Moment.AFTER, callback=leave)
    body = '{"pool1": 1}'
    request = f"{request_line} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    writer.write(request.encode())
    await wait_for_states(process_fleet, {"one": "completed", "two": "ready"})
    assert fault.hits == 1


async def test_who_leaves_before_the_end_of_the_request_takes_nothing(
    process: Service, process_fleet: Fleet
) -> None:
    await process_fleet.ready("pool1", "one")
    _, writer = await asyncio.open_connection("127.0.0.1", process.port)
    writer.write(b'POST /api/v3/vm HTTP/1.1\r\nHost: a\r\nContent-Length: 99\r\n\r\n{"pool1": 1}')
    await writer.drain()
    writer.transport.abort()
    async with patient_client(process.base_url) as client:
        metrics = (await client.get("/prometheus")).text
    assert await process_fleet.state("one") == "ready"
    assert "http_exceptions_total{" not in metrics


async def test_a_service_that_is_stopped_answers_what_it_has_begun(
    process: Service, proxy: Proxy, process_fleet: Fleet
) -> None:
    await process_fleet.ready("pool1", "one")
    stopping: list[asyncio.Task[int]] = []

    async def stop() -> None:
        stopping.append(asyncio.create_task(process.stop()))
        await eventually(is_closing)  # it has the signal and waits for this answer

    async def is_closing() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", process.port)
        except ConnectionRefusedError:
            return True
        writer.close()
        await writer.wait_closed()
        return False

    checkout = contains(process_fleet.store.scripts.digests["checkout"])
    proxy.on_match(checkout, Moment.AFTER, callback=stop)
    async with patient_client(process.base_url) as client:
        answer = await client.post("/api/v3/vm/pool1")
    assert answer.json()["pool1"] == {"hostname": "one.example.test"}
    assert await stopping[0] == 0
    assert await process_fleet.state("one") == "running"


async def test_what_is_not_answered_when_the_service_ends_is_withdrawn(
    process: Service, proxy: Proxy, process_fleet: Fleet
) -> None:
    await process_fleet.ready("pool1", "one")
    stopping: list[asyncio.Task[int]] = []

    async def stop_and_hold() -> None:
        stopping.append(asyncio.create_task(process.stop()))
        await asyncio.shield(stopping[0])

    checkout = contains(process_fleet.store.scripts.digests["checkout"])
    proxy.on_match(checkout, Moment.AFTER, callback=stop_and_hold)
    async with patient_client(process.base_url) as client:
        answer = await client.post("/api/v3/vm/pool1")
    assert answer.status_code == 503
    assert await stopping[0] == 0
    assert await process_fleet.state("one") == "completed"
