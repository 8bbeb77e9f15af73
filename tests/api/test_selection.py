"""Which pool serves a name."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import yaml

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.support.documents import pooler_document
from tests.support.refusals import refusal_of
from vmpooler_api.selection.candidates import PoolSelector
from vmpooler_common.config import Settings, load

WEIGHTED = {
    "small": {"size": 1, "alias": "mix", "clone_target": "rare"},
    "large": {"size": 1, "alias": "mix", "clone_target": "often"},
}


def settings_of(pools: Mapping[str, Mapping[str, Any]], config: Mapping[str, Any]) -> Settings:
    """Read the settings of an API with these pools."""
    document = pooler_document(redis_url="redis://127.0.0.1:1", prefix="{x}", pools=pools, config=config)
    environ = {"VMPOOLER_CONFIG": yaml.safe_dump(document)}
    return load(path=None, host=None, port=None, environ=environ, service="api").settings


async def draw(api: Api, name: str, times: int) -> Counter[str]:
    """Fill both pools, take from them and count by pool, told apart by the VMs' names."""
    for pool in ("small", "large"):
        await api.fleet.ready(pool, *(f"{pool}-{number}" for number in range(times)))
    answer = await api.client.post("/api/v3/vm", json={name: times})
    return Counter(vm.partition("-")[0] for vm in answer.json()[name]["hostname"])


async def test_a_weight_of_nothing_is_the_way_out(with_api: WithApi) -> None:
    async with with_api(pools=WEIGHTED, config={"backend_weight": {"rare": 0, "often": 1}}) as api:
        drawn = await draw(api, "mix", 100)
        assert drawn == {"large": 100}
        answer = await api.client.post("/api/v3/vm/mix")
    assert answer.json()["mix"]["hostname"].startswith("small-")


async def test_a_mix_of_a_pool_and_its_alias_is_met_when_it_can_be(api: Api) -> None:
    await api.fleet.ready("pool1", "one")
    await api.fleet.ready("pool2", "two")
    answer = await api.client.post("/api/v3/vm", json={"both": 1, "pool1": 1})
    assert answer.json() == {
        "ok": True,
        "both": {"hostname": "two.example.test"},
        "pool1": {"hostname": "one.example.test"},
    }


async def test_a_paused_pool_gives_nothing(with_api: WithApi) -> None:
    async with with_api(pools={"still": {"size": 1, "paused": True, "alias": "any"}}) as api:
        await api.fleet.ready("still", "one")
        answers = [await api.client.post(f"/api/v3/vm/{name}") for name in ("still", "any")]
        assert [refusal_of(answer) for answer in answers] == [(503, {"ok": False})] * 2
        assert await api.fleet.state("one") == "ready"


async def test_an_alias_passes_a_paused_pool_over(with_api: WithApi) -> None:
    pools = {"still": {"size": 1, "paused": True, "alias": "any"}, "other": {"size": 1, "alias": "any"}}
    async with with_api(pools=pools) as api:
        await api.fleet.ready("still", "one")
        await api.fleet.ready("other", "two")
        answer = await api.client.post("/api/v3/vm/any")
        assert answer.json()["any"] == {"hostname": "two.example.test"}


async def test_the_pools_of_a_paused_provider_are_paused(with_api: WithApi) -> None:
    async with with_api(pools={"still": 1}, provider={"paused": True}) as api:
        await api.fleet.ready("still", "one")
        assert (await api.client.post("/api/v3/vm/still")).status_code == 503


async def test_vms_on_demand_come_from_a_pool_that_works(api: Api) -> None:
    await api.fleet.store.views.mark_broken("pool1", "no template")
    answers = [await api.client.post("/api/v3/ondemandvm", json={"both": 1}) for _ in range(12)]
    requests = [(await api.fleet.store.requests.look_up(one.json()["request_id"])) for one in answers]
    assert {item.pool for request in requests if request for item in request.items} == {"pool2"}
    only = await api.client.post("/api/v3/ondemandvm", json={"poolone": 1})
    request = await api.fleet.store.requests.look_up(only.json()["request_id"])
    assert request is not None
    assert [item.pool for item in request.items] == ["pool1"]


async def test_pools_on_demand_are_drawn_by_their_weights() -> None:
    settings = settings_of(WEIGHTED, config={"backend_weight": {"rare": 1, "often": 3}})
    drawn = Counter(pool for _, pool, _ in PoolSelector(settings).select({"mix": 4000}))
    assert 2700 < drawn["large"] < 3300


async def test_a_weight_of_nothing_is_the_way_out_on_demand_too() -> None:
    settings = settings_of(WEIGHTED, config={"backend_weight": {"rare": 0, "often": 1}})
    assert PoolSelector(settings).select({"mix": 2}) == [("mix", "large", "small")] * 2


async def test_a_checkout_that_finds_nothing_is_a_use_of_its_token(secured_api: Api) -> None:
    refused = await secured_api.client.post("/api/v3/vm/pool1", headers={"X-AUTH-TOKEN": "good"})
    assert refused.status_code == 503
    shown = (await secured_api.client.get("/api/v3/token/good")).json()
    assert "last" in shown["good"]
