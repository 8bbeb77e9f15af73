"""Section 9.3 of the checklist: /status, /poolstat and /totalrunning."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from vmpooler_common.model.overrides import Property
from vmpooler_common.store.pools.overrides import Permission, PoolChange

SECTIONS = ["boot", "capacity", "clone", "managers", "pools", "providers", "queue", "status", "verdict"]
FINE = "Battle station fully armed and operational."
NOTHING = {"duration": {"average": 0, "min": 0, "max": 0, "total": 0}, "count": {"total": 0}}


async def status(api: Api, query: str = "") -> dict[str, Any]:
    answer = await api.client.get(f"/api/v3/status{query}")
    assert answer.status_code == 200
    content: dict[str, Any] = answer.json()
    return content


async def in_pools(api: Api, member: str) -> list[Any]:
    """Give a member of each pool in their order."""
    return [pool[member] for pool in (await status(api))["pools"].values()]


async def poolstat(api: Api, query: str = "") -> dict[str, Any]:
    answer = await api.client.get(f"/api/v3/poolstat{query}")
    assert answer.status_code == 200
    content: dict[str, Any] = answer.json()
    assert list(content) == ["pools"]
    pools: dict[str, Any] = content["pools"]
    return pools


async def test_027_all_sections_stand_in_alphabetical_order(api: Api) -> None:
    """[C] Given no `view`, when GET `/status`, then top-level members are exactly boot, capacity,
    clone, pools, queue, status in alphabetical order.

    Beside them are those of the view `health`, which 3.x didn't have: managers, providers, verdict.
    """
    assert list(await status(api)) == SECTIONS


async def test_028_the_size_of_a_pool_is_its_maximum(api: Api) -> None:
    """[C] Given pools of size 5 and 10, then `pools.pool1.max` = 5 and `pools.pool2.max` = 10
    (integers).
    """
    sizes = await in_pools(api, "max")
    assert sizes == [5, 10, 0]
    assert all(isinstance(size, int) for size in sizes)


async def test_029_ready_vms_are_counted_by_pool(api: Api) -> None:
    """[C] Given 3 ready VMs in pool1, then `pools.pool1.ready` = 3 and `pools.pool2.ready` = 0."""
    await api.fleet.ready("pool1", "a1", "a2", "a3")
    assert await in_pools(api, "ready") == [3, 0, 0]


async def test_030_running_vms_are_counted_by_pool(api: Api) -> None:
    """[C] Given 3 running in pool1 and 4 in pool2, then `running` is 3 and 4."""
    await api.fleet.running("pool1", "a1", "a2", "a3")
    await api.fleet.running("pool2", "b1", "b2", "b3", "b4")
    assert await in_pools(api, "running") == [3, 4, 0]


async def test_031_pending_vms_are_counted_by_pool(api: Api) -> None:
    """[C] Given 3 pending in pool1 and 4 in pool2, then `pending` is 3 and 4."""
    await api.fleet.reserved("pool1", "a1")
    await api.fleet.created("pool1", "a2", "a3")
    await api.fleet.creating("pool2", "b1", "b2", "b3", "b4")
    assert await in_pools(api, "pending") == [3, 4, 0]


async def test_032_an_alias_is_shown_as_it_is_configured(with_api: WithApi) -> None:
    """[C] Given pool1 with list alias, pool2 without, pool3 with string alias, then `alias` is the
    list, absent, and the string.
    """
    pools = {"a": {"size": 1, "alias": ["x", "y"]}, "b": 1, "c": {"size": 1, "alias": "z"}}
    async with with_api(pools=pools) as api:
        shown = (await status(api))["pools"]
    assert (shown["a"]["alias"], shown["c"]["alias"]) == (["x", "y"], "z")
    assert "alias" not in shown["b"]


async def test_033_empty_pools_are_told(api: Api) -> None:
    """[C] Given all pools empty with size > 0, then `status.ok` false, `status.empty` lists them,
    `status.message` = `Found N empty pools.`.
    """
    verdict = (await status(api))["status"]
    assert list(verdict) == ["ok", "message", "empty", "uptime"]
    assert (verdict["ok"], verdict["message"]) == (False, "Found 2 empty pools.")
    assert verdict["empty"] == ["pool1", "pool2"]


async def test_034_a_pool_of_size_0_is_not_found_empty(with_api: WithApi) -> None:
    """[C] Given a pool of size 0 without ready VMs, then it is not listed in `status.empty`."""
    async with with_api(pools={"none": 0, "some": 1}) as api:
        assert (await status(api))["status"]["empty"] == ["some"]


async def test_035_with_a_vm_in_every_pool_all_is_well(api: Api) -> None:
    """[C] Given no empty pool, then `status.ok` true, message `Battle station fully armed and
    operational.`, and no `empty` member.
    """
    await api.fleet.ready("pool1", "a1")
    await api.fleet.ready("pool2", "b1")
    await api.fleet.managed("pool1", "pool2", "pool3")
    verdict = (await status(api))["status"]
    assert (verdict["ok"], verdict["message"]) == (True, FINE)
    assert "empty" not in verdict


async def test_036_with_empty_pools_the_answer_is_still_200(api: Api) -> None:
    """[C] Given empty pools, then the HTTP status is still 200."""
    answer = await api.client.get("/api/v3/status")
    assert (answer.status_code, answer.json()["status"]["ok"]) == (200, False)


async def test_037_a_view_is_one_section_and_the_verdict(api: Api) -> None:
    """[C] Given `view=capacity`, then only `capacity` and `status` are present."""
    assert list(await status(api, "?view=capacity")) == ["capacity", "status"]


@pytest.mark.parametrize("query", ["?view=pools,queue", "?view=queue,pools"])
async def test_038_views_are_separated_by_commas(api: Api, query: str) -> None:
    """[C] Given `view=pools,queue`, then only `pools`, `queue`, `status`."""
    assert list(await status(api, query)) == ["pools", "queue", "status"]


@pytest.mark.parametrize(
    ("query", "sections"),
    [
        ("?view=clone,boot,invalidThingToView", ["boot", "clone", "status"]),
        ("?view=all", ["status"]),
        ("?view=Pools", ["status"]),
        ("?view=%ff", ["status"]),
    ],
)
async def test_039_views_that_do_not_exist_are_skipped(api: Api, query: str, sections: list[str]) -> None:
    """[C] Given `view=clone,boot,invalidThingToView`, then only `boot`, `clone`, `status`."""
    assert list(await status(api, query)) == sections


async def test_040_a_view_without_an_equals_sign_is_none(api: Api) -> None:
    """[C] Given `?view` without `=`, then all sections."""
    assert list(await status(api, "?view")) == SECTIONS


async def test_041_an_empty_view_is_the_verdict_alone(api: Api) -> None:
    """[C] Given `?view=`, then only `status`."""
    assert list(await status(api, "?view=")) == ["status"]


async def test_042_pools_that_are_not_asked_for_are_not_judged(api: Api) -> None:
    """[C] Given `view` without `pools` and empty pools, then `status.ok` is true."""
    assert (await status(api, "?view=queue"))["status"]["ok"] is True


async def test_043_capacity_is_a_percentage_of_the_sizes(api: Api) -> None:
    """[C] Given total size 15 and 2 ready, then `capacity` = current 2, total 15, percent 13.3."""
    await api.fleet.ready("pool2", "b1", "b2")
    assert (await status(api))["capacity"] == {"current": 2, "total": 15, "percent": 13.3}


async def test_044_without_sizes_the_percentage_is_0(with_api: WithApi) -> None:
    """[C] Given no pools or total size 0, then `capacity.percent` = 0."""
    async with with_api(pools={"none": 0}) as api:
        report = await status(api)
    assert report["capacity"] == {"current": 0, "total": 0, "percent": 0}
    assert report["status"]["ok"] is True


async def test_045_durations_are_nothing_before_the_first_of_the_day(api: Api) -> None:
    """[C] Given no boots today, then `boot.duration` has average, min, max, total all 0 and
    `boot.count.total` 0.
    """
    report = await status(api)
    assert report["boot"] == report["clone"] == NOTHING


async def test_046_durations_of_the_day_are_added_up(api: Api) -> None:
    """[C] Given boots 10.5 and 20.25 today, then duration average 15.4, min 10.5, max 20.25, total
    30.75, count 2.
    """
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


async def test_047_pending_vms_are_being_cloned_or_boot(with_api: WithApi) -> None:
    """[C] Given `vmpooler__tasks__clone` 2, `vmpooler__tasks__ondemandclone` 1 and one configured pool
    with 5 pending, then `queue.cloning` 3 and `queue.booting` 2.

    3.x keeps counters of clones, of which one is for requests; here a clone is a VM.
    """
    async with with_api(pools={"pool1": 5}) as api:
        await api.fleet.creating("pool1", "a1", "a2", "a3")
        await api.fleet.created("pool1", "a4", "a5")
        queue = (await status(api))["queue"]
    assert (queue["pending"], queue["cloning"], queue["booting"]) == (5, 3, 2)


async def test_048_never_less_than_nothing_boots(api: Api) -> None:
    """[C] Given cloning larger than pending, then `queue.booting` is 0.

    Clones of a pool that left the configuration are in progress, but none of the pending VMs.
    """
    await api.fleet.creating("gone", "x1", "x2")
    await api.fleet.creating("pool1", "a1")
    queue = (await status(api))["queue"]
    assert (queue["pending"], queue["cloning"], queue["booting"]) == (1, 3, 0)


async def test_049_the_queue_sums_each_state_over_the_pools(api: Api) -> None:
    """[H] Given two pools with different numbers per state, then each `queue` number is the per-state
    sum.
    """
    await api.fleet.ready("pool1", "a1")
    await api.fleet.running("pool2", "b1", "b2")
    await api.fleet.completed("pool2", "b3")
    await api.fleet.destroying("pool1", "a2")
    await api.fleet.creating("pool2", "b4")
    await api.fleet.created("pool2", "b5", "b6")
    assert (await status(api))["queue"] == {
        "requested": 0,
        "pending": 3,
        "cloning": 1,
        "booting": 2,
        "ready": 1,
        "running": 2,
        "completed": 2,
        "total": 8,
    }


async def test_050_a_size_that_was_set_is_the_one_that_counts(api: Api) -> None:
    """[C] Given an override in `vmpooler__config__poolsize`, when GET `/status` on a cold cache, then
    `max` shows it.
    """
    change = PoolChange("pool1", "5", "2")
    await api.fleet.store.overrides.override(
        Property.SIZE, [change], permission=Permission(), operation="set"
    )
    await api.fleet.ready("pool1", "a")
    report = await status(api)
    assert report["pools"]["pool1"]["max"] == 2
    assert report["capacity"] == {"current": 1, "total": 12, "percent": 8.3}
    assert (await poolstat(api, "?pool=pool1"))["pool1"]["max"] == 2
    change = PoolChange("pool1", "5", "0")
    await api.fleet.store.overrides.override(
        Property.SIZE, [change], permission=Permission(), operation="set to 0"
    )
    assert "pool1" not in (await status(api))["status"]["empty"]


async def test_051_the_last_boot_is_told_in_utc(api: Api) -> None:
    """[C] Given `vmpooler__lastboot` has pool1, then `lastBoot` is its text; for other pools `""`."""
    await api.fleet.ready("pool1", "one")
    last, none, _ = await in_pools(api, "lastBoot")
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \+0000", last)
    assert abs((datetime.now(UTC) - datetime.fromisoformat(last)).total_seconds()) < 60
    assert none == ""


async def test_052_a_narrow_view_changes_nothing_for_the_next_client(api: Api) -> None:
    """[H] Given `?view=all` was requested first, then a following plain `/status` still contains all
    sections.
    """
    await status(api, "?view=all")
    assert list(await status(api)) == SECTIONS


@pytest.mark.parametrize("query", ["?view[]=x", "?view[a]=x", "?%zz"])
async def test_053_odd_parameters_are_skipped(api: Api, query: str) -> None:
    """[H] Given `?view[]=x`, then not 500."""
    assert list(await status(api, query)) == SECTIONS


async def test_054_poolstat_without_names_tells_of_no_pool(api: Api) -> None:
    """[C] Given no `pool` parameter, when GET `/poolstat`, then 200 with empty `pools`."""
    assert await poolstat(api) == {}


@pytest.mark.parametrize("query", ["?pool=x", "?pool=", "?pool[]=pool1", "?pool=%ff", "?pool=Pool1"])
async def test_055_poolstat_skips_unknown_names(api: Api, query: str) -> None:
    """[C] Given an unknown pool, when GET `/poolstat?pool=x`, then 200 with empty `pools`."""
    assert await poolstat(api, query) == {}


async def test_056_poolstat_tells_size_alias_and_ready_vms(api: Api) -> None:
    """[C] Given `pool=pool1` with aliases, then entry has `max`, `alias`, `ready` in this order."""
    await api.fleet.ready("pool1", "a1", "a2")
    pools = await poolstat(api, "?pool=pool1")
    assert list(pools) == ["pool1"]
    assert list(pools["pool1"].items()) == [("max", 5), ("alias", ["poolone", "both"]), ("ready", 2)]


async def test_057_poolstat_names_no_alias_where_there_is_none(with_api: WithApi) -> None:
    """[C] Given `pool=pool2` without alias, then no `alias` member."""
    async with with_api(pools={"pool1": {"size": 5, "alias": ["poolone"]}, "pool2": 10}) as api:
        assert await poolstat(api, "?pool=pool2") == {"pool2": {"max": 10, "ready": 0}}


async def test_058_poolstat_tells_of_several_pools_in_their_order(api: Api) -> None:
    """[C] Given `pool=pool1,pool2`, then both entries."""
    assert list(await poolstat(api, "?pool=pool2,x,pool1")) == ["pool1", "pool2"]


async def test_059_poolstat_tells_of_all_pools_of_an_alias(api: Api) -> None:
    """[C] Given an alias shared by two pools as parameter, then both pools are returned under their
    pool names.
    """
    assert list(await poolstat(api, "?pool=both")) == ["pool1", "pool2"]
    assert list(await poolstat(api, "?pool=x,three")) == ["pool3"]


async def test_060_running_vms_of_all_pools_are_added_up(api: Api) -> None:
    """[C] Given 5 running in pool1 and 5 in pool3, when GET `/totalrunning`, then `{"running": 10}`."""
    await api.fleet.running("pool1", "a1", "a2", "a3", "a4", "a5")
    await api.fleet.running("pool3", "c1", "c2", "c3", "c4", "c5")
    answer = await api.client.get("/api/v3/totalrunning")
    assert answer.text == '{\n  "running": 10\n}'
