"""Section 9.2 of the checklist: the dashboard, and whether the service lives; item 14, which leads there."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api

POOL, RUNNING = "/dashboard/stats/vmpooler/pool", "/dashboard/stats/vmpooler/running"
TWO_POOLS = {"pool1": 5, "pool2": 1}
PLATFORMS = {"pool-1": 5, "pool-2": 5, "diffpool-1": 5}


async def test_014_the_root_leads_to_the_dashboard(client: httpx.AsyncClient) -> None:
    """[C] Given `/`, when GET, then 302 to `/dashboard/`.

    On the host that was asked, whatever headers name.
    """
    answer = await client.get("/", headers={"X-Forwarded-Host": "elsewhere.example"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/dashboard/")


@pytest.mark.parametrize(
    ("config", "environ"),
    [
        ({"site_name": "The <best> & only"}, {}),
        ({"site_name": "other"}, {"SITE_NAME": "The <best> & only"}),
    ],
)
async def test_015_the_dashboard_has_the_sites_name(
    with_api: WithApi, config: Mapping[str, Any], environ: Mapping[str, str]
) -> None:
    """[C] Given a site name in the environment, when GET `/dashboard/`, then 200 HTML containing it and
    not the default title.

    Escaped, which is better than 3.x.
    """
    async with with_api(config=config, environ=environ) as api:
        answer = await api.client.get("/dashboard/")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "<h1>The &lt;best&gt; &amp; only</h1>" in answer.text
    assert "<h1>vmpooler</h1>" not in answer.text


async def test_015_without_a_name_it_has_a_title_of_its_own(with_api: WithApi) -> None:
    async with with_api(config={"site_name": ""}) as api:
        answer = await api.client.get("/dashboard/")
    assert "<h1>vmpooler</h1>" in answer.text


async def test_016_the_dashboard_needs_no_slash(client: httpx.AsyncClient) -> None:
    """[C] Given GET `/dashboard` (no slash), then 200 HTML."""
    answer = await client.get("/dashboard")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text == (await client.get("/dashboard/")).text


async def test_017_size_and_ready_vms_of_each_pool_are_told(with_api: WithApi) -> None:
    """[C] Given 3 ready VMs in pool1 (size 5) and 2 in pool2 (size 1), when GET
    `/dashboard/stats/vmpooler/pool`, then `{"pool1": {"size": 5, "ready": 3}, "pool2": {"size": 1,
    "ready": 2}}` in this order.
    """
    async with with_api(pools=TWO_POOLS) as api:
        await api.fleet.ready("pool2", "a", "b")
        await api.fleet.ready("pool1", "c", "d", "e")
        for query in ("", "?history", "?hist=1"):
            answer = await api.client.get(f"{POOL}{query}")
            assert answer.status_code == 200
            assert list(answer.json().items()) == [
                ("pool1", {"size": 5, "ready": 3}),
                ("pool2", {"size": 1, "ready": 2}),
            ]


@pytest.mark.parametrize("query", ["history=1", "history=", "x=1&history=yes"])
async def test_018_without_a_graph_server_the_history_is_the_present(with_api: WithApi, query: str) -> None:
    """[C] Given no graph server, when the same with `?history=1`, then each pool additionally has
    `history` with exactly one element equal to `ready`.
    """
    async with with_api(pools=TWO_POOLS) as api:
        await api.fleet.ready("pool1", "a", "b", "c")
        await api.fleet.ready("pool2", "d", "e")
        answer = await api.client.get(f"{POOL}?{query}")
    assert answer.json() == {
        "pool1": {"size": 5, "ready": 3, "history": [3]},
        "pool2": {"size": 1, "ready": 2, "history": [2]},
    }


async def test_019_the_history_of_nothing_is_nothing(client: httpx.AsyncClient) -> None:
    """[C] Given no ready VMs and `history`, then `history` is `[0]`."""
    pools = (await client.get(f"{POOL}?history=1")).json()
    assert [pool["history"] for pool in pools.values()] == [[0], [0], [0]]


async def test_020_running_vms_are_added_up_by_platform(with_api: WithApi) -> None:
    """[C] Given pools `pool-1`, `pool-2`, `diffpool-1` with 3, 5, 2 running VMs, when GET
    `/dashboard/stats/vmpooler/running`, then `{"pool": {"running": 8}, "diffpool": {"running": 2}}`.
    """
    async with with_api(pools=PLATFORMS) as api:
        await api.fleet.running("pool-1", "a", "b", "c")
        await api.fleet.running("pool-2", "d", "e", "f", "g", "h")
        await api.fleet.running("diffpool-1", "i", "j")
        await api.fleet.ready("pool-1", "k")
        answer = await api.client.get(f"{RUNNING}?history=1")
    assert list(answer.json().items()) == [("pool", {"running": 8}), ("diffpool", {"running": 2})]


async def test_021_platforms_without_running_vms_are_told_too(with_api: WithApi) -> None:
    """[C] Given the same pools without running VMs, then both values are 0."""
    async with with_api(pools=PLATFORMS) as api:
        answer = await api.client.get(RUNNING)
    assert answer.json() == {"pool": {"running": 0}, "diffpool": {"running": 0}}


async def test_022_a_pool_without_a_hyphen_is_its_own_platform(with_api: WithApi) -> None:
    """[H] Given a pool without hyphen, then its major is its full name."""
    async with with_api(pools={"alone": 1, "other": 1, "a.b-c": 1, "-x": 1}) as api:
        await api.fleet.running("alone", "a")
        answer = await api.client.get(RUNNING)
    numbers = {platform: figures["running"] for platform, figures in answer.json().items()}
    assert numbers == {"alone": 1, "other": 0, "a.b-c": 0, "-x": 0}


async def test_023_the_running_statistics_change_nothing_that_others_show(api: Api) -> None:
    """[H] Given the running statistics were fetched, when GET `/config`, then no member appeared
    because of it.
    """
    paths = ("/api/v3/config", "/api/v3/full_config", "/api/v3/poolstat?pool=pool1", POOL)
    before = [(await api.client.get(path)).text for path in paths]
    assert (await api.client.get(RUNNING)).status_code == 200
    assert [(await api.client.get(path)).text for path in paths] == before


@pytest.mark.parametrize("path", ["/healthcheck", "/healthcheck/"])
async def test_024_a_process_that_lives_says_so(client: httpx.AsyncClient, path: str) -> None:
    """[C] Given the service runs, when GET `/healthcheck` or `/healthcheck/`, then 200 `{"ok": true}`
    as `application/json`.
    """
    answer = await client.get(path)
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
    assert answer.headers["Content-Type"] == "application/json"


async def test_025_metrics_are_shown_as_prometheus_reads_them(client: httpx.AsyncClient) -> None:
    """[C] Given Prometheus metrics, when GET `/prometheus`, then 200 text exposition format version
    0.0.4.
    """
    answer = await client.get("/prometheus")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "vmpooler_connection_available" in answer.text
    assert 'type="redis_connection_pool"' in answer.text


async def test_026_metrics_are_not_shown_to_who_wants_no_text(client: httpx.AsyncClient) -> None:
    """[C] Given `Accept: application/json`, when GET `/prometheus`, then 406."""
    answer = await client.get("/prometheus", headers={"Accept": "application/json"})
    assert answer.status_code == 406
