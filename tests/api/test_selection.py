"""Which pool serves a name."""

from collections import Counter

from tests.api.conftest import WithApi
from tests.api.in_process import Api

WEIGHTED = {
    "small": {"size": 1, "alias": "mix", "clone_target": "rare"},
    "large": {"size": 1, "alias": "mix", "clone_target": "often"},
}


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
        assert [(answer.status_code, answer.json()) for answer in answers] == [(503, {"ok": False})] * 2
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
