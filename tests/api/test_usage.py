"""The use of VMs is counted by user where that is wished."""

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.store.ondemand import OnDemand

GOOD = {"X-AUTH-TOKEN": "good"}


async def use(api: Api, *, url: str | None = None) -> None:
    """Take a VM, tag it, and give it back."""
    await api.fleet.token("good", "alice")
    await api.fleet.ready("pool1", "one")
    await api.client.post("/api/v3/vm/poolone", headers=GOOD)
    if url is not None:
        await api.client.put("/api/v3/vm/one", json={"tags": {"jenkins_build_url": url}}, headers=GOOD)
    await api.client.delete("/api/v3/vm/one", headers=GOOD)


async def test_nothing_is_counted_unless_it_is_wished(secured_api: Api) -> None:
    await use(secured_api, url="https://ci/job/litmus/x/")
    assert secured_api.counted() == {"checkout.success.pool1": 1, "delete.success": 1}


async def test_a_users_vms_are_counted_by_the_pool_that_they_come_from(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"usage_stats": True}) as api:
        await use(api)
        for operation in ("allocate", "destroy"):
            assert api.metric("user_total", user="alice", operation=operation, pool="pool1") == 1


async def test_a_url_of_another_form_counts_only_for_the_user(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"usage_stats": True}) as api:
        await use(api, url="not a url")
        counted = api.counted()
        assert not [name for name in counted if name.startswith("usage_")]
        assert counted["user.alice.destroy.pool1"] == 1


async def test_what_was_not_handed_out_is_not_counted(with_api: WithApi) -> None:
    async with with_api(config={"usage_stats": True}) as api:
        await api.client.post("/api/v3/vm/pool1")
        await api.client.delete("/api/v3/vm/unknown")
        assert api.counted() == {"checkout.empty.pool1": 1, "delete.failed": 1}


async def test_a_checkout_that_is_told_again_is_counted_once(with_api: WithApi) -> None:
    async with with_api(config={"usage_stats": True}) as api:
        await api.fleet.ready("pool1", "one", "two")
        for _ in range(2):
            await api.client.post("/api/v3/vm/pool1", headers={"Idempotency-Key": "a-key-of-16-bytes"})
        assert api.counted()["user.unauthenticated.allocate.pool1"] == 1


async def test_the_vms_of_a_deleted_request_are_counted_as_returned(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"usage_stats": True}) as api:
        await api.fleet.token("good", "alice")
        demand = OnDemand(api.fleet)
        await demand.accepted("r", "pool1", "pool1", "pool2", token="good")
        await demand.booted("pool1", "one")
        await demand.booted("pool1", "two")
        tags = {"tags": {"jenkins_build_url": "https://ci/job/litmus/x/"}}
        await api.client.put("/api/v3/vm/two", json=tags, headers=GOOD)
        for _ in range(2):
            await api.client.delete("/api/v3/ondemandvm/r", headers=GOOD)
        assert api.counted() == {"user.alice.destroy.pool1": 2, "usage_litmus.alice.destroy.pool1": 1}
