"""The numbers of all pools: /status, /poolstat, /totalrunning."""

from typing import Any

from tests.api.conftest import WithApi
from tests.api.in_process import Api


async def status(api: Api, query: str = "") -> dict[str, Any]:
    answer = await api.client.get(f"/api/v3/status{query}")
    assert answer.status_code == 200
    content: dict[str, Any] = answer.json()
    return content


async def test_members_of_a_pool_stand_in_their_order(api: Api) -> None:
    await api.fleet.store.views.mark_broken("pool1", "no such template")
    pools = (await status(api))["pools"]
    expected = ["ready", "running", "pending", "max", "lastBoot", "alias", "broken"]
    assert list(pools["pool1"]) == expected
    assert pools["pool1"]["broken"] == "no such template"
    assert "broken" not in pools["pool2"]


async def test_a_paused_pool_is_told_and_not_found_empty(with_api: WithApi) -> None:
    async with with_api(pools={"pool1": {"size": 1, "paused": True}}) as api:
        report = await status(api)
    assert report["status"]["ok"]
    assert report["pools"]["pool1"]["paused"] is True


async def test_of_a_view_that_is_repeated_the_last_one_counts(api: Api) -> None:
    assert list(await status(api, "?view=queue&view=pools")) == ["pools", "status"]
