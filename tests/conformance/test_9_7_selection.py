"""Section 9.7 of the checklist: which pool serves a name."""

from collections import Counter
from typing import Any

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.api.ondemand import Requester

Pools = dict[str, dict[str, Any]]


def weighted(**aliases: str) -> Pools:
    """Return pools with clone targets of their own, `target-` and the pool's name."""
    return {
        pool: {"size": 1, "clone_target": f"target-{pool}", "alias": alias} for pool, alias in aliases.items()
    }


def weights(**by_pool: int) -> dict[str, Any]:
    """Return the section `config` that gives pools made by `weighted` these weights, and generous limits."""
    return {
        "backend_weight": {f"target-{pool}": weight for pool, weight in by_pool.items()},
        "max_ondemand_instances_per_request": 1000,
        "max_vms_per_request": 1000,
    }


async def draw(api: Api, name: str, *pools: str, times: int = 100) -> Counter[str]:
    """Fill these pools, take from them and count by pool, told apart by the VMs' names."""
    for pool in pools:
        await api.fleet.ready(pool, *(f"{pool}-{number}" for number in range(times)))
    answer = await api.client.post("/api/v3/vm", json={name: times})
    return Counter(vm.partition("-")[0] for vm in answer.json()[name]["hostname"])


async def drawn_on_demand(api: Api, name: str, count: int) -> Counter[str]:
    """Ask for VMs on demand and count by pool."""
    answer = await Requester(api).ask({"request_id": "r", name: count})
    assert answer.status_code == 201
    wanted = await Requester(api).wanted("r")
    assert {requested for requested, _ in wanted} == {name}
    return Counter(pool for _, pool in wanted)


async def test_149_an_alias_skips_an_empty_pool(api: Api) -> None:
    """[C] Given alias only of pools [pool1, pool2] with pool1 empty, when checkout, then pool2
    delivers.
    """
    await api.fleet.ready("pool2", "two")
    answer = await api.client.post("/api/v3/vm/both")
    assert answer.json()["both"] == {"hostname": "two.example.test"}


MANY = {"limits": {"anonymous_ondemand_vms": 0}}


async def test_150_a_pool_that_is_also_an_alias_follows_the_weights(with_api: WithApi) -> None:
    """[C] Given name `pool2` which is also an alias of pool1, with weights 90 (pool1) and 10 (pool2),
    then about 90 % of checkouts come from pool1.
    """
    pools = weighted(pool1="pool2", pool2="unused")
    async with with_api(pools=pools, config=weights(pool1=90, pool2=10)) as api:
        drawn = await draw(api, "pool2", "pool1", "pool2")
    assert 70 <= drawn["pool1"] <= 99


async def test_151_a_pure_alias_follows_the_weights(with_api: WithApi) -> None:
    """[H] Given a pure alias with weights 90/10, then about 90 % come from the first."""
    pools = weighted(pool1="both", pool2="both")
    async with with_api(pools=pools, config=weights(pool1=90, pool2=10)) as api:
        drawn = await draw(api, "both", "pool1", "pool2")
    assert 70 <= drawn["pool1"] <= 99


async def test_152_without_weights_every_pool_has_the_same_chance(with_api: WithApi) -> None:
    """[H] Given a pure alias without weights, then the distribution is uniform."""
    async with with_api(pools=weighted(pool1="both", pool2="both")) as api:
        drawn = await draw(api, "both", "pool1", "pool2")
    assert 25 <= drawn["pool1"] <= 75


async def test_153_on_demand_an_alias_draws_for_each_vm_by_weight(with_api: WithApi) -> None:
    """[C] Given on-demand for a pure alias with weights 90/10 and a large count, then `requested`
    splits about 90/10.
    """
    pools = weighted(pool1="both", pool2="both")
    async with with_api(pools=pools, config=weights(pool1=90, pool2=10), sections=MANY) as api:
        drawn = await drawn_on_demand(api, "both", 1000)
    assert drawn.total() == 1000
    assert 820 < drawn["pool1"] < 980


async def test_154_on_demand_a_weight_of_0_is_never_drawn_beside_others(with_api: WithApi) -> None:
    """[C] Given on-demand `pool2` (also alias of pool1) with weights pool1 5, pool2 0, then `requested`
    = `pool2:pool1:1`.
    """
    pools = weighted(pool1="pool2", pool2="unused")
    async with with_api(pools=pools, config=weights(pool1=5, pool2=0), sections=MANY) as api:
        assert await drawn_on_demand(api, "pool2", 1000) == {"pool1": 1000}


async def test_155_on_demand_a_single_pool_is_drawn_whatever_its_weight(with_api: WithApi) -> None:
    """[C] Given a single-pool request with weight 0, then on-demand still selects this pool."""
    async with with_api(pools=weighted(pool1="only"), config=weights(pool1=0)) as api:
        assert await drawn_on_demand(api, "only", 2) == {"pool1": 2}


async def test_156_on_demand_an_alias_may_be_a_text(api: Api) -> None:
    """[H] Given a string alias, when on-demand, then 201 with that pool."""
    assert await drawn_on_demand(api, "three", 1) == {"pool3": 1}


async def test_157_an_alias_may_be_a_text(api: Api) -> None:
    """[C] Given a string alias, when checkout, then the pool delivers."""
    await api.fleet.ready("pool3", "one")
    answer = await api.client.post("/api/v3/vm/three")
    assert answer.json()["three"] == {"hostname": "one.example.test"}
