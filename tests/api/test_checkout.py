"""Taking VMs: what is answered, and that all or nothing is taken."""

import httpx

from tests.api.conftest import WithApi
from tests.store.fleet import Fleet


async def test_the_path_form_ignores_a_body(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.ready("pool1", "one")
    assert (await client.post("/api/v3/vm/pool1", content=b"x" * 50_000)).status_code == 200


async def test_the_limit_of_all_vms_is_the_configured_one(with_api: WithApi) -> None:
    async with with_api(config={"max_vms_per_request": 2}) as api:
        answer = await api.client.post("/api/v3/vm/pool1+pool1+pool2")
    assert answer.status_code == 400
    assert answer.json() == {"ok": False, "error": "At most 2 VMs can be requested at once"}


async def test_the_lifetime_is_the_configured_one(with_api: WithApi) -> None:
    async with with_api(config={"vm_lifetime": 3}) as api:
        await api.fleet.ready("pool1", "one")
        await api.client.post("/api/v3/vm/pool1")
        record = (await api.fleet.dataset()).records["one"]
    assert int(record["ends"]) - int(record["checkout"]) == 3 * 3600 * 1000


async def test_too_few_replicas_are_told_and_the_vm_is_retired(with_api: WithApi) -> None:
    async with with_api(redis={"wait_replicas": 1, "wait_timeout": 0.05}) as api:
        await api.fleet.ready("pool1", "one")
        answer = await api.client.post("/api/v3/vm/pool1")
        assert answer.status_code == 503
        assert "replicas" in answer.json()["message"]
        assert await api.fleet.state("one") == "completed"
        assert api.metric("checkouts_total", pool="pool1", result="unsafe") == 1
