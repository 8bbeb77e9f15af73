"""On-demand requests whose id was not delivered: none stays open, unless the client chose the id."""

import asyncio

import pytest

from tests.api.in_process import Api
from tests.api.ondemand import PATH
from tests.store.fleet import Fleet
from tests.store.ondemand import OnDemand
from tests.support.eventually import eventually
from tests.support.faults import Moment, contains
from tests.support.http import patient_client
from tests.support.proxy import Proxy
from tests.support.services import Service
from vmpooler_common.store.requests.requests import RequestStatus


async def requests_of(fleet: Fleet) -> list[str]:
    """Give the ids of all requests that the store knows."""
    names = (await fleet.dataset()).entries
    return [name.removeprefix("request:") for name in names if name.startswith("request:")]


async def wait_for_status(fleet: Fleet, expected: RequestStatus) -> None:
    """Wait until there is one request, and it is so."""

    async def is_so() -> bool:
        (request,) = await requests_of(fleet)
        return (await OnDemand(fleet).seen(request)).status is expected

    await eventually(is_so)


@pytest.mark.parametrize("path", ["", "/pool1"])
async def test_a_request_whose_answer_was_lost_is_withdrawn(cut_api: Api, proxy: Proxy, path: str) -> None:
    opening = contains(cut_api.fleet.store.scripts.digests["open_request"])
    proxy.cut(opening, Moment.AFTER, times=3)
    answer = await cut_api.client.post(PATH + path, content=b'{"pool1": 1}')
    assert answer.status_code == 503
    await wait_for_status(cut_api.fleet, RequestStatus.DELETED)


async def test_withdrawing_a_request_goes_on_until_redis_is_back(cut_api: Api, proxy: Proxy) -> None:
    opening = contains(cut_api.fleet.store.scripts.digests["open_request"])
    proxy.cut(opening, Moment.AFTER, callback=proxy.down)
    assert (await cut_api.client.post(f"{PATH}/pool1")).status_code == 503
    (request,) = await requests_of(cut_api.fleet)
    assert (await OnDemand(cut_api.fleet).seen(request)).status is RequestStatus.OPEN
    await proxy.up()
    await wait_for_status(cut_api.fleet, RequestStatus.DELETED)


async def test_a_request_that_arrives_late_is_not_opened(cut_api: Api, proxy: Proxy) -> None:
    held = asyncio.Event()

    async def hold() -> None:
        await held.wait()

    proxy.on_match(
        contains(cut_api.fleet.store.scripts.digests["open_request"]), Moment.BEFORE, callback=hold
    )
    assert (await cut_api.client.post(f"{PATH}/pool1")).status_code == 503

    async def is_withdrawn() -> bool:
        return any(name.startswith("op:") for name in (await cut_api.fleet.dataset()).entries)

    async def has_arrived() -> bool:
        return await scripts_run(cut_api) > before

    await eventually(is_withdrawn)
    before = await scripts_run(cut_api)
    held.set()
    await eventually(has_arrived)
    assert await requests_of(cut_api.fleet) == []


async def scripts_run(api: Api) -> int:
    """Give how many scripts the server has run; looking doesn't count."""
    statistics = await api.fleet.client.info("commandstats")
    return int(statistics["cmdstat_evalsha"]["calls"])


async def test_a_request_under_the_clients_own_id_stays_and_is_found_by_asking_again(
    cut_api: Api, proxy: Proxy
) -> None:
    opening = contains(cut_api.fleet.store.scripts.digests["open_request"])
    body = {"pool1": 1, "request_id": "mine"}
    proxy.cut(opening, Moment.AFTER, times=3)
    assert (await cut_api.client.post(PATH, json=body)).status_code == 503
    again = await cut_api.client.post(PATH, json=body)
    assert (again.status_code, again.json()["request_id"]) == (409, "mine")

    proxy.cut(opening, Moment.AFTER, times=3)
    assert (await cut_api.client.post(f"{PATH}/pool1")).status_code == 503

    async def only_it_is_open() -> bool:
        return set((await cut_api.fleet.dataset()).members("open")) == {"mine"}

    await eventually(only_it_is_open)  # what was lost later is withdrawn by now


async def ask_and_leave(process: Service, proxy: Proxy, fleet: Fleet, request_line: str, body: bytes) -> None:
    """Ask for a VM, and close the connection when the store has the request but the service not its reply."""
    _, writer = await asyncio.open_connection("127.0.0.1", process.port)
    gone = asyncio.Event()

    async def leave() -> None:
        writer.transport.abort()
        # The answer is held back until the service has been round its event loop, so that it knows.
        async with patient_client(process.base_url) as client:
            for _ in range(3):
                await client.get("/healthcheck")
        gone.set()

    proxy.on_match(contains(fleet.store.scripts.digests["open_request"]), Moment.AFTER, callback=leave)
    head = f"{request_line} HTTP/1.1\r\nHost: api.test\r\nContent-Length: {len(body)}\r\n\r\n"
    writer.write(head.encode() + body)
    await gone.wait()


@pytest.mark.parametrize("request_line", [f"POST {PATH}", f"POST {PATH}/pool1"])
async def test_a_request_whose_client_left_is_withdrawn(
    process: Service, proxy: Proxy, process_fleet: Fleet, request_line: str
) -> None:
    await ask_and_leave(process, proxy, process_fleet, request_line, b'{"pool1": 1}')
    await wait_for_status(process_fleet, RequestStatus.DELETED)


async def test_what_is_not_answered_when_the_service_ends_is_withdrawn(
    process: Service, proxy: Proxy, process_fleet: Fleet
) -> None:
    stopping: list[asyncio.Task[int]] = []

    async def stop_and_hold() -> None:
        stopping.append(asyncio.create_task(process.stop()))
        await asyncio.shield(stopping[0])

    proxy.on_match(
        contains(process_fleet.store.scripts.digests["open_request"]), Moment.AFTER, callback=stop_and_hold
    )
    async with patient_client(process.base_url) as client:
        answer = await client.post(f"{PATH}/pool1")
    assert answer.status_code == 503
    assert await stopping[0] == 0
    (request,) = await requests_of(process_fleet)
    assert (await OnDemand(process_fleet).seen(request)).status is RequestStatus.DELETED
