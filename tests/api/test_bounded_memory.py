"""What a storm of requests leaves in Redis is bounded by what exists, whatever was asked for."""

import asyncio
from collections import Counter
from uuid import uuid4

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.api.test_round_trips import REQUESTS

STORM = 60
LARGE = {"pool1": 40, "pool2": 40}
OUTCOME = 700
"""Bytes that the outcome of one request may take, with the key that marks its operation."""


async def bytes_by_kind(api: Api) -> Counter[str]:
    """Give the bytes of Redis by the first part of the keys' names."""
    found: Counter[str] = Counter()
    client, prefix = api.fleet.client, api.fleet.prefix
    async for key in client.scan_iter(f"{prefix}:*", count=1000):
        name = key.decode() if isinstance(key, bytes) else key
        found[name.removeprefix(f"{prefix}:").split(":")[0]] += await client.memory_usage(key, samples=0) or 0
    return found


async def test_requests_that_are_over_leave_their_outcome_only(with_api: WithApi) -> None:
    config = {"max_ondemand_instances_per_request": 50}
    async with with_api(config=config, sections={"limits": {"anonymous_ondemand_vms": 0}}) as api:

        async def open_and_delete() -> None:
            request = str(uuid4())
            opened = await api.client.post("/api/v3/ondemandvm", json={**LARGE, "request_id": request})
            assert opened.status_code == 201
            assert (await api.client.delete(f"/api/v3/ondemandvm/{request}")).status_code == 200

        await asyncio.gather(*(open_and_delete() for _ in range(STORM)))
        left = await bytes_by_kind(api)
        assert left["items"] == left["wanted"] == left["backlog"] == left["user_queue"] == 0
        assert left["request"] + left["op"] + left["finished"] < STORM * 2 * OUTCOME


async def test_checkouts_returns_and_refusals_leave_nothing_but_operations(with_api: WithApi) -> None:
    async with with_api(auth="dummy", sections={"limits": {"running_vms": 3}}) as api:
        await api.fleet.token("alices", "alice")
        await api.fleet.ready("pool1", *(f"vm{number}" for number in range(STORM)))
        headers = {"X-AUTH-TOKEN": "alices"}

        async def take_and_return() -> None:
            answer = await api.client.post("/api/v3/vm/pool1", headers=headers)
            if answer.status_code == 200:
                name = answer.json()["pool1"]["hostname"]
                assert (await api.client.delete(f"/api/v3/vm/{name}", headers=headers)).status_code == 200
            else:
                assert answer.status_code == 403

        await asyncio.gather(*(take_and_return() for _ in range(STORM)))
        left = await bytes_by_kind(api)
        assert left["taken"] == left["running"] == left["queue"] == left["ticket"] == left["tickets"] == 0


async def test_tags_in_the_statistics_are_bounded_per_pool(with_api: WithApi) -> None:
    async with with_api() as api:
        await api.fleet.running("pool1", "one", "two")
        day = (await api.fleet.server_ms()) // 86_400_000
        counted = f"{api.fleet.prefix}:stats:tags:{day}"
        put = api.client.put
        assert (await put("/api/v3/vm/one", json={"tags": {"a": "1", "b": "2"}})).status_code == 200
        assert _text(await api.fleet.client.hget(counted, "pool1")) == "2"
        await api.fleet.client.hset(counted, "pool1", 10_000)
        assert (await put("/api/v3/vm/two", json={"tags": {"c": "3"}})).status_code == 200
        assert (await put("/api/v3/vm/one", json={"tags": {"a": "4"}})).status_code == 200
        tagged = await api.fleet.client.hgetall(f"{api.fleet.prefix}:stats:tag:{day}")
        values = {_text(name): _text(value) for name, value in tagged.items()}
        assert values == {"one:a": "4", "one:b": "2"}
        assert (await api.client.get("/api/v3/vm/two")).json()["two"]["tags"] == {"c": "3"}


def _text(value: object) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


KEPT_FOR_A_WHILE = {"op", "request", "finished", "idempotency", "token", "events", "vm", "stats"}
"""Kinds of keys that tell for some time what was done; each has its bound in docs/architecture.md."""


async def test_a_storm_of_every_route_leaves_no_more_than_a_single_round(secured_api: Api) -> None:
    """Whatever lasts is of things that exist, and those are as many after five rounds as after one."""
    fleet = secured_api.fleet
    await fleet.ready("pool1", *(f"a{number}" for number in range(40)))
    await fleet.ready("pool2", *(f"b{number}" for number in range(40)))
    await fleet.running("pool3", "mine", token="good")
    await fleet.token("roots", "root")

    async def rounds(count: int) -> Counter[str]:
        for _ in range(count):
            for method, path, arguments, _ in REQUESTS:
                await secured_api.client.request(method, path, **arguments)
        found: Counter[str] = Counter()
        async for key in fleet.client.scan_iter(f"{fleet.prefix}:*", count=1000):
            found[_text(key).removeprefix(f"{fleet.prefix}:").split(":")[0]] += 1
        return found

    once, often = await rounds(1), await rounds(4)
    grown = {kind: (once[kind], often[kind]) for kind in often if often[kind] > once[kind]}
    assert grown.keys() <= KEPT_FOR_A_WHILE | {"items"}, grown
    assert often["items"] == await fleet.client.zcard(f"{fleet.prefix}:open"), "of open requests only"
    assert often["finished"] <= 3
