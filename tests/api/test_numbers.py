"""The numbers of all pools: /status, /poolstat, /totalrunning."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api

SECTIONS = ["boot", "capacity", "clone", "pools", "queue", "status"]
FINE = "Battle station fully armed and operational."


async def status(api: Api, query: str = "") -> dict[str, Any]:
    answer = await api.client.get(f"/api/v3/status{query}")
    assert answer.status_code == 200
    content: dict[str, Any] = answer.json()
    return content


@pytest.mark.parametrize(
    ("query", "sections"),
    [
        ("", SECTIONS),
        ("?view", SECTIONS),
        ("?view=", ["status"]),
        ("?view=capacity", ["capacity", "status"]),
        ("?view=pools,queue", ["pools", "queue", "status"]),
        ("?view=clone,boot,invalidThingToView", ["boot", "clone", "status"]),
        ("?view=all", ["status"]),
        ("?view=Pools", ["status"]),
        ("?view=queue&view=pools", ["pools", "status"]),
        ("?view[]=x", SECTIONS),
        ("?view[a]=x", SECTIONS),
        ("?view=%ff", ["status"]),
        ("?%zz", SECTIONS),
    ],
)
async def test_the_sections_are_those_of_the_view(api: Api, query: str, sections: list[str]) -> None:
    assert list(await status(api, query)) == sections


async def test_a_narrow_view_changes_nothing_for_the_next_client(api: Api) -> None:
    await status(api, "?view=all")
    assert list(await status(api)) == SECTIONS


async def test_pools_are_counted_by_state(api: Api) -> None:
    await api.fleet.ready("pool1", "a1", "a2", "a3")
    await api.fleet.running("pool2", "b1", "b2")
    await api.fleet.created("pool2", "b3")
    pools = (await status(api))["pools"]
    assert list(pools) == ["pool1", "pool2", "pool3"]
    counts = {
        name: [pools[name][state] for state in ("ready", "running", "pending", "max")] for name in pools
    }
    assert counts == {"pool1": [3, 0, 0, 5], "pool2": [0, 2, 1, 10], "pool3": [0, 0, 0, 0]}


async def test_an_alias_is_shown_as_it_is_configured(with_api: WithApi) -> None:
    pools = {"a": {"size": 1, "alias": ["x", "y"]}, "b": 1, "c": {"size": 1, "alias": "z"}}
    async with with_api(pools=pools) as api:
        shown = (await status(api))["pools"]
    assert (shown["a"]["alias"], shown["c"]["alias"]) == (["x", "y"], "z")
    assert "alias" not in shown["b"]


async def test_members_of_a_pool_stand_in_their_order(api: Api) -> None:
    await api.fleet.store.views.mark_broken("pool1", "no such template")
    pools = (await status(api))["pools"]
    expected = ["ready", "running", "pending", "max", "lastBoot", "alias", "broken"]
    assert list(pools["pool1"]) == expected
    assert pools["pool1"]["broken"] == "no such template"
    assert "broken" not in pools["pool2"]


async def test_the_last_boot_is_told_in_utc(api: Api) -> None:
    await api.fleet.ready("pool1", "one")
    pools = (await status(api))["pools"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000", pools["pool1"]["lastBoot"])
    assert abs((datetime.now(UTC) - datetime.fromisoformat(pools["pool1"]["lastBoot"])).total_seconds()) < 60
    assert pools["pool2"]["lastBoot"] == ""


async def test_empty_pools_are_told_but_not_those_of_size_0(api: Api) -> None:
    verdict = (await status(api))["status"]
    assert list(verdict) == ["ok", "message", "empty", "uptime"]
    assert (verdict["ok"], verdict["message"]) == (False, "Found 2 empty pools.")
    assert verdict["empty"] == ["pool1", "pool2"]


async def test_a_paused_pool_is_told_and_not_found_empty(with_api: WithApi) -> None:
    async with with_api(pools={"pool1": {"size": 1, "paused": True}}) as api:
        report = await status(api)
    assert report["status"]["ok"]
    assert report["pools"]["pool1"]["paused"] is True


async def test_with_a_vm_in_every_pool_all_is_well(api: Api) -> None:
    await api.fleet.ready("pool1", "a1")
    await api.fleet.ready("pool2", "b1")
    verdict = (await status(api))["status"]
    assert (verdict["ok"], verdict["message"]) == (True, FINE)
    assert "empty" not in verdict


async def test_pools_that_are_not_asked_for_are_not_judged(api: Api) -> None:
    assert (await status(api, "?view=queue"))["status"]["ok"] is True


async def test_capacity_is_a_percentage_of_the_sizes(api: Api) -> None:
    await api.fleet.ready("pool2", "b1", "b2")
    assert (await status(api))["capacity"] == {"current": 2, "total": 15, "percent": 13.3}


async def test_without_sizes_there_is_no_percentage(with_api: WithApi) -> None:
    async with with_api(pools={"none": 0}) as api:
        report = await status(api)
    assert report["capacity"] == {"current": 0, "total": 0, "percent": 0}
    assert report["status"]["ok"] is True


async def test_the_queue_sums_each_state_over_the_pools(api: Api) -> None:
    await api.fleet.ready("pool1", "a1")
    await api.fleet.running("pool2", "b1", "b2")
    await api.fleet.completed("pool2", "b3")
    await api.fleet.destroying("pool1", "a2")
    await api.fleet.creating("pool2", "b4")
    await api.fleet.created("pool2", "b5", "b6")
    queue = (await status(api))["queue"]
    assert queue == {
        "requested": 0,
        "pending": 3,
        "cloning": 1,
        "booting": 2,
        "ready": 1,
        "running": 2,
        "completed": 2,
        "total": 8,
    }


async def test_durations_are_nothing_before_the_first_of_the_day(api: Api) -> None:
    nothing = {"duration": {"average": 0, "min": 0, "max": 0, "total": 0}, "count": {"total": 0}}
    report = await status(api)
    assert report["boot"] == report["clone"] == nothing


async def test_durations_of_the_day_are_added_up(api: Api) -> None:
    today = await api.fleet.server_ms() // 86_400_000
    key = f"{api.fleet.prefix}:stats:boot:{today}"
    for pool, milliseconds in (("pool1", 10_500), ("pool2", 20_250)):
        stored = {"n": 1, "sum": milliseconds, "min": milliseconds, "max": milliseconds}
        for kind, value in stored.items():
            await api.fleet.client.hset(key, f"{pool}:{kind}", value)
    assert (await status(api))["boot"] == {
        "duration": {"average": 15.4, "min": 10.5, "max": 20.25, "total": 30.75},
        "count": {"total": 2},
    }


@pytest.mark.parametrize(
    ("query", "pools"),
    [
        ("", []),
        ("?pool=x", []),
        ("?pool=pool1", ["pool1"]),
        ("?pool=pool2,pool1", ["pool1", "pool2"]),
        ("?pool=both", ["pool1", "pool2"]),
        ("?pool=x,three", ["pool3"]),
        ("?pool[]=pool1", []),
        ("?pool=%ff", []),
    ],
)
async def test_poolstat_tells_of_the_pools_that_are_named(api: Api, query: str, pools: list[str]) -> None:
    answer = await api.client.get(f"/api/v3/poolstat{query}")
    assert answer.status_code == 200
    assert list(answer.json()["pools"]) == pools


async def test_poolstat_tells_size_alias_and_ready_vms(api: Api) -> None:
    await api.fleet.ready("pool1", "a1", "a2")
    pools = (await api.client.get("/api/v3/poolstat?pool=pool1")).json()["pools"]
    assert list(pools["pool1"].items()) == [("max", 5), ("alias", ["poolone", "both"]), ("ready", 2)]


async def test_running_vms_of_all_pools_are_added_up(api: Api) -> None:
    await api.fleet.running("pool1", "a1", "a2")
    await api.fleet.running("pool3", "c1")
    answer = await api.client.get("/api/v3/totalrunning")
    assert answer.text == '{\n  "running": 3\n}'


async def test_pools_are_listed_without_aliases(api: Api) -> None:
    assert (await api.client.get("/api/v3/vm")).json() == ["pool1", "pool2", "pool3"]
