"""The history on the dashboard, asked of a graph server over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from structlog.testing import capture_logs

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.support.graph_server import GraphServerDouble, graph_server
from tests.support.ports import free_port
from vmpooler_api.dashboard.graph_server import GraphSource, graph_source
from vmpooler_common.config import load
from vmpooler_common.model.overrides import Property
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.pools.overrides import Permission, PoolChange

POOL, RUNNING = "/dashboard/stats/vmpooler/pool?history=1", "/dashboard/stats/vmpooler/running?history=1"
POOLS = {"debian-12": 3, "debian-13": 2, "rocky.9": 4}


@pytest.fixture
async def graphs() -> AsyncIterator[GraphServerDouble]:
    async with graph_server() as double:
        yield double


@pytest.fixture
async def api(with_api: WithApi, graphs: GraphServerDouble) -> AsyncIterator[Api]:
    """Yield an API that is configured to ask that server."""
    section = {"server": f"127.0.0.1:{graphs.port}", "prefix": "lab"}
    async with with_api(pools=POOLS, sections={"graphs": section}) as api:
        yield api


async def histories(api: Api, path: str) -> dict[str, Any]:
    """Give the histories that are told, by pool or platform."""
    answer = await api.client.get(path)
    assert answer.status_code == 200
    return {name: figures["history"] for name, figures in answer.json().items() if "history" in figures}


async def test_ready_vms_of_the_past_hour_come_from_the_graph_server(
    api: Api, graphs: GraphServerDouble
) -> None:
    graphs.draws(**{"lab__ready__debian-12": [1, 2], "lab__ready__other": [9]})
    assert await histories(api, POOL) == {"debian-12": [1] * 8 + [2] * 8}
    query = {"target": "lab.ready.*", "from": "-1hour", "format": "json"}
    assert graphs.asked == [("/render", query)]


async def test_a_gap_repeats_what_was_before_and_at_the_beginning_the_size(
    api: Api, graphs: GraphServerDouble
) -> None:
    graphs.draws(**{"lab__ready__debian-12": [None, 1, None]})
    assert await histories(api, POOL) == {"debian-12": [3] * 8 + [1] * 16}


async def test_a_size_that_was_set_goes_before_the_configured_one(
    api: Api, graphs: GraphServerDouble
) -> None:
    await api.fleet.store.overrides.override(
        Property.SIZE, [PoolChange("debian-12", "3", "7")], permission=Permission(), operation=new_operation()
    )
    graphs.draws(**{"lab__ready__debian-12": [None]})
    answer = await api.client.get(POOL)
    assert answer.json()["debian-12"] == {"size": 7, "ready": 0, "history": [7] * 8}


async def test_a_pools_name_is_found_as_the_metrics_spell_it(api: Api, graphs: GraphServerDouble) -> None:
    graphs.draws(lab__ready__rocky_9=[4])
    assert await histories(api, POOL) == {"rocky.9": [4] * 8}


async def test_running_vms_are_added_up_sample_by_sample(api: Api, graphs: GraphServerDouble) -> None:
    graphs.draws(**{"lab__running__debian-12": [None, 1, 2], "lab__running__debian-13": [10, None]})
    assert await histories(api, RUNNING) == {"debian": [10] * 8 + [11] * 8 + [12] * 8}
    assert graphs.asked[0][1]["target"] == "lab.running.*"


async def test_who_wants_no_history_asks_nobody(api: Api, graphs: GraphServerDouble) -> None:
    await api.client.get("/dashboard/stats/vmpooler/pool")
    await api.client.get("/dashboard/stats/vmpooler/running")
    assert graphs.asked == []


async def test_many_dashboards_ask_once(api: Api, graphs: GraphServerDouble) -> None:
    graphs.draws(**{"lab__ready__debian-12": [1]})
    for _ in range(3):
        assert await histories(api, POOL) == {"debian-12": [1] * 8}
    assert len(graphs.asked) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"[]"),
        (404, b"not found"),
        (302, b""),
        (200, b""),
        (200, b"<html>"),
        (200, b"{}"),
        (200, b'[{"target": "lab.ready.debian-12"}]'),
        (200, b'[{"target": "lab.ready.debian-12", "datapoints": [["many", 1]]}]'),
        (200, b'[{"target": "lab.ready.debian-12", "datapoints": [[Infinity, 1]]}]'),
        (200, b"[" + b" " * (9 << 20) + b"]"),
        (200, b"\xff"),
    ],
)
async def test_what_is_no_answer_is_no_history(
    api: Api, graphs: GraphServerDouble, status: int, body: bytes
) -> None:
    graphs.status, graphs.body = status, body
    with capture_logs() as logs:
        assert await histories(api, POOL) == {}
        assert await histories(api, RUNNING) == {}
    assert [line["event"] for line in logs if "server" in line] == ["outage.began"]


async def test_a_graph_server_that_says_nothing_is_not_waited_for(
    api: Api, graphs: GraphServerDouble
) -> None:
    graphs.is_silent = True
    with capture_logs() as logs:
        assert await histories(api, POOL) == {}
    (line,) = [line for line in logs if "server" in line]
    assert line["event"] == "outage.began"


async def test_a_graph_server_that_is_not_there_is_no_trouble(with_api: WithApi) -> None:
    for server in (f"127.0.0.1:{free_port()}", "graphs.invalid"):
        async with with_api(pools=POOLS, sections={"graphs": {"server": server}}) as api:
            assert await histories(api, POOL) == {}


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ({}, None),
        ({"graphs": {"prefix": "lab"}}, None),
        ({"graphs": {"server": "g"}}, GraphSource("g", "vmpooler")),
        ({"graphs": {"server": "g", "prefix": "lab"}}, GraphSource("g", "lab")),
        ({"graphite": {"server": "h", "prefix": "sent"}}, GraphSource("h", "sent")),
        ({"graphite": {"server": "h"}, "graphs": {"prefix": "lab"}}, GraphSource("h", "lab")),
        ({"graphite": {"server": "h", "prefix": "sent"}, "graphs": {}}, GraphSource("h", "sent")),
        (
            {"graphite": {"server": "h", "prefix": "x"}, "graphs": {"server": "g"}},
            GraphSource("g", "vmpooler"),
        ),
    ],
)
def test_the_history_is_where_the_configuration_says(
    tmp_path: Path, sections: dict[str, Any], expected: GraphSource | None
) -> None:
    path = tmp_path / "vmpooler.yaml"
    document = {"config": {"site_name": "t"}, "redis": {"server": "r"}, "pools": [], **sections}
    path.write_text(yaml.safe_dump(document))
    settings = load(path=path, host=None, port=None, environ={}, service="api").settings
    assert graph_source(settings) == expected
