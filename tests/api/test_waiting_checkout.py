"""Waiting for VMs: `?wait=` answers when they are there, first come, first served."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import POOLS, Api
from tests.api.queueing import VMS, WAITING, Queue, vms_of
from tests.store.fleet import want
from tests.store.ondemand import OnDemand
from tests.store.queued_checkouts import QueuedCheckouts
from tests.support.eventually import eventually
from tests.support.refusals import refusal_of


@pytest.fixture
async def queue(api: Api) -> AsyncIterator[Queue]:
    queue = Queue(api)
    yield queue
    for task in queue.tasks:
        task.cancel()
    await asyncio.gather(*queue.tasks, return_exceptions=True)


def waited(api: Api, result: str) -> float:
    return api.metric("checkout_wait_seconds_count", result=result)


async def test_who_waits_gets_the_vm_that_becomes_ready(queue: Queue) -> None:
    task = await queue.join("pool1")
    await queue.api.fleet.ready("pool1", "a")
    assert await vms_of(task) == ["a"]
    assert (queue.waiting, await queue.places()) == (0, 0)
    assert waited(queue.api, "granted") == 1
    assert queue.api.metric("checkouts_total", pool="pool1", result="success") == 1


async def test_a_body_may_wait_as_a_path_may(queue: Queue) -> None:
    task = asyncio.create_task(queue.api.client.post(f"{VMS}?wait=60", json={"pool1": 2}))
    await queue.until_so_many_places(1)
    await queue.api.fleet.ready("pool1", "a", "b")
    assert sorted(await vms_of(task)) == ["a", "b"]


async def test_who_finds_vms_ready_is_answered_at_once_in_one_round_trip(api: Api) -> None:
    await api.fleet.ready("pool1", "a")
    before = api.metric("redis_round_trips_total")
    assert (await api.client.post(f"{VMS}/pool1?wait=60")).status_code == 200
    assert api.metric("redis_round_trips_total") == before + 1
    assert waited(api, "granted") == 0


async def test_vms_go_out_in_the_order_in_which_clients_came(queue: Queue) -> None:
    tasks = [await queue.join("pool1") for _ in range(5)]
    for number, task in enumerate(tasks):
        await queue.api.fleet.ready("pool1", f"vm-{number}")
        assert await vms_of(task) == [f"vm-{number}"]


async def test_several_at_once_serve_several(queue: Queue) -> None:
    tasks = [await queue.join("pool1") for _ in range(5)]
    await queue.api.fleet.ready("pool1", *(f"vm-{number}" for number in range(5)))
    assert len({vm for task in tasks for vm in await vms_of(task)}) == 5


async def coming(queue: Queue, *pools: str) -> None:
    """Have VMs pending, so that orders can be met soon."""
    for pool in pools:
        await queue.api.fleet.reserved(pool, *(f"{pool}-{number}" for number in range(5)))


async def test_all_or_nothing(queue: Queue) -> None:
    await coming(queue, "pool1", "pool2")
    task = await queue.join("pool1+pool1+pool2")
    await queue.api.fleet.ready("pool1", "a", "b")
    other = await queue.join("pool1")
    assert (await queue.api.fleet.dataset()).members("ready", "pool1").keys() == {"a", "b"}
    await queue.api.fleet.ready("pool2", "c")
    assert sorted(await vms_of(task)) == ["a", "b", "c"]
    await queue.api.fleet.ready("pool1", "d")
    assert await vms_of(other) == ["d"]


async def test_what_the_first_can_not_use_goes_to_the_second(queue: Queue) -> None:
    first = await queue.join("pool1+pool2")
    second = await queue.join("pool1")
    await queue.api.fleet.ready("pool1", "a")
    await queue.api.fleet.ready("pool1", "b")
    assert len(await vms_of(second)) == 1
    await queue.api.fleet.ready("pool2", "c")
    assert "c" in await vms_of(first)


async def test_who_does_not_wait_does_not_overtake(queue: Queue) -> None:
    await coming(queue, "pool1")
    task = await queue.join("pool1+pool1")
    await queue.api.fleet.ready("pool1", "a")
    answer = await queue.api.client.post(f"{VMS}/pool1")
    assert refusal_of(answer) == (503, {"ok": False})
    await queue.api.fleet.ready("pool1", "b", "c")
    await vms_of(task)
    assert (await queue.api.client.post(f"{VMS}/pool1")).status_code == 200


async def test_an_alias_waits_for_all_of_its_pools(queue: Queue) -> None:
    task = await queue.join("both")
    await queue.api.fleet.ready("pool2", "a")
    assert await vms_of(task) == ["a"]


async def test_a_wait_in_vain_ends_as_if_there_had_been_none(api: Api) -> None:
    answer = await api.client.post(f"{VMS}/pool1?wait=0.05")
    assert refusal_of(answer) == (503, {"ok": False})
    assert await Queue(api).places() == 0
    assert waited(api, "empty") == 1
    assert api.metric("checkouts_total", pool="pool1", result="empty") == 1


async def test_vms_that_were_kept_for_who_waited_in_vain_go_to_the_next(queue: Queue) -> None:
    first = await queue.join("pool1+pool1", seconds="0.5")
    second = await queue.join("pool1")
    await queue.api.fleet.ready("pool1", "a")
    assert (await first).status_code == 503
    assert await vms_of(second) == ["a"]


@pytest.mark.parametrize("names", ["pool3", "pool1+" * 6, "both+" * 16])
async def test_what_full_pools_could_not_meet_is_not_waited_for(api: Api, names: str) -> None:
    """The sizes are 5, 10 and 0."""
    answer = await api.client.post(f"{VMS}/{names}?wait=60")
    assert refusal_of(answer) == (503, {"ok": False})
    assert waited(api, "empty") == 0


async def test_long_waits_are_cut(with_api: WithApi) -> None:
    async with with_api(config={"longest_wait": 0.05}) as api:
        answer = await api.client.post(f"{VMS}/pool1?wait=3600")
        assert refusal_of(answer) == (503, {"ok": False})
        assert waited(api, "empty") == 1
        demand = {"request_id": "r", "pool1": 1}
        assert (await api.client.post("/api/v3/ondemandvm", json=demand)).status_code == 201
        assert (await api.client.get("/api/v3/ondemandvm/r?wait=3600")).status_code == 202


@pytest.mark.parametrize("wait", ["-1", ""])
async def test_a_wait_is_a_number_of_seconds(api: Api, wait: str) -> None:
    await api.fleet.ready("pool1", "a")
    answer = await api.client.post(f"{VMS}/pool1", params={"wait": wait})
    assert (answer.status_code, answer.json()) == (
        400,
        {"ok": False, "error": "wait must be a number of seconds, 0 or more"},
    )
    assert await api.fleet.state("a") == "ready"


async def test_a_wait_of_0_is_none(api: Api) -> None:
    assert (await api.client.post(f"{VMS}/pool1?wait=0")).status_code == 503
    assert await Queue(api).places() == 0


async def test_a_client_that_leaves_gives_its_place_up(queue: Queue) -> None:
    first = await queue.join("pool1+pool1")
    second = await queue.join("pool1")
    first.cancel()
    await queue.until_so_many_places(1)
    await queue.api.fleet.ready("pool1", "a")
    assert await vms_of(second) == ["a"]


async def test_an_unknown_token_does_not_wait(secured_api: Api) -> None:
    answer = await secured_api.client.post(f"{VMS}/pool1?wait=60", headers={"X-AUTH-TOKEN": "bad"})
    assert answer.status_code == 401


async def test_two_who_wait_under_one_key_get_the_same_vm(queue: Queue) -> None:
    headers = {"Idempotency-Key": "a-key-of-16-bytes"}
    tasks = [
        await queue.join("pool1", headers=headers),
        await queue.join("pool1"),
        await queue.join("pool1", headers=headers),
    ]
    await queue.api.fleet.ready("pool1", "a", "b")
    first, other, twin = [await vms_of(task) for task in tasks]
    assert first == twin != other


async def test_on_demand_requests_and_waiting_clients_take_turns(queue: Queue) -> None:
    demand = OnDemand(queue.api.fleet)
    await demand.accepted("r", "pool1", "pool1")
    first = await queue.join("pool1")
    second = await queue.join("pool1")
    assert await demand.booted("pool1", "a") == "r"
    assert await demand.booted("pool1", "b") == ""
    assert await vms_of(first) == ["b"]
    assert await demand.booted("pool1", "c") == ""
    assert await vms_of(second) == ["c"]
    assert await demand.booted("pool1", "d") == "r"


async def test_a_place_of_a_process_that_was_killed_is_passed_over_when_it_lapses(queue: Queue) -> None:
    """Nobody tells of a place that lapses: those who wait look again by themselves."""
    dead = QueuedCheckouts(queue.api.fleet)
    assert await dead.ask("dead", want("pool1")) is None
    task = await queue.join("pool1")
    await queue.api.fleet.ready("pool1", "a")
    assert not task.done()
    await dead.lapse("dead")
    assert await vms_of(task) == ["a"]


async def test_a_vm_that_no_event_tells_of_is_seen_in_a_few_seconds(queue: Queue) -> None:
    task = await queue.join("pool1")
    await queue.api.fleet.client.zadd(f"{queue.api.fleet.prefix}:ready:pool1", {"a": 1})
    assert await vms_of(task) == ["a"]


async def test_places_are_kept_as_long_as_their_clients_wait(queue: Queue) -> None:
    await queue.join("pool1")
    fleet = queue.api.fleet
    (place,) = [key async for key in fleet.client.scan_iter(f"{fleet.prefix}:ticket:*")]
    await fleet.client.pexpire(place, 5000)

    async def is_renewed() -> bool:
        return bool(await fleet.client.pttl(place) > 5000)

    await eventually(is_renewed)


async def test_a_size_of_a_pool_with_others_may_be_0(with_api: WithApi) -> None:
    pools = {**POOLS, "pool4": {"size": 1, "alias": ["three"]}}
    async with with_api(pools=pools) as api:
        queue = Queue(api)
        task = await queue.join("three")
        assert api.metric(WAITING) == 1
        await api.fleet.ready("pool3", "a")
        assert await vms_of(task) == ["a"]
