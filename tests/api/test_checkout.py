"""Taking VMs: what is answered, and that all or nothing is taken."""

import httpx
import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api, make_ready
from tests.store.fleet import Fleet


async def test_one_vm_is_a_name(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.ready("pool1", "abcdefghijkl")
    answer = await client.post("/api/v3/vm", json={"pool1": "1"})
    assert answer.status_code == 200
    assert answer.text == (
        '{\n  "ok": true,\n  "pool1": {\n    "hostname": "abcdefghijkl.example.test"\n  }\n}'
    )


async def test_an_alias_is_answered_under_its_own_name(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.ready("pool1", "one")
    answer = await client.post("/api/v3/vm", json={"poolone": 1})
    assert answer.json() == {"ok": True, "poolone": {"hostname": "one.example.test"}}


async def test_each_vm_has_the_domain_of_its_pool(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await make_ready(fleet, "pool1", "one", domain="one.example.com")
    await make_ready(fleet, "pool2", "two", domain="two.example.com")
    answer = await client.post("/api/v3/vm", json={"pool2": 1, "pool1": 1})
    assert list(answer.json()) == ["ok", "pool2", "pool1"]
    assert answer.json()["pool1"]["hostname"] == "one.one.example.com"
    assert answer.json()["pool2"]["hostname"] == "two.two.example.com"


async def test_a_vm_without_domain_has_a_short_name(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await make_ready(fleet, "pool1", "one", domain="")
    assert (await client.post("/api/v3/vm/pool1")).json()["pool1"] == {"hostname": "one"}


async def test_several_vms_are_a_list(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.ready("pool1", "a1", "a2")
    await fleet.ready("pool2", "b1")
    answer = (await client.post("/api/v3/vm", json={"pool1": "2", "pool2": "1"})).json()
    assert sorted(answer["pool1"]["hostname"]) == ["a1.example.test", "a2.example.test"]
    assert answer["pool2"]["hostname"] == "b1.example.test"


async def test_an_alias_takes_from_all_its_pools(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.ready("pool1", "a1")
    await fleet.ready("pool2", "b1")
    answer = (await client.post("/api/v3/vm", json={"both": 2})).json()
    assert sorted(answer["both"]["hostname"]) == ["a1.example.test", "b1.example.test"]


async def test_the_path_form_takes_several(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.ready("pool1", "a1", "a2")
    await fleet.ready("pool2", "b1", "b2", "b3")
    answer = (await client.post("/api/v3/vm/pool1+pool1+pool2+pool2+pool2")).json()
    assert (len(answer["pool1"]["hostname"]), len(answer["pool2"]["hostname"])) == (2, 3)


async def test_the_path_form_ignores_a_body(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.ready("pool1", "one")
    assert (await client.post("/api/v3/vm/pool1", content=b"x" * 50_000)).status_code == 200


@pytest.mark.parametrize(
    "wanted", [{"pool1": 1, "pool2": 1}, {"pool1": 2}, {"pool1": 1, "pool3": 1}, {"both": 1, "pool1": 1}]
)
async def test_nothing_is_taken_when_one_vm_is_missing(api: Api, wanted: dict[str, int]) -> None:
    await api.fleet.ready("pool1", "one")
    answer = await api.client.post("/api/v3/vm", json=wanted)
    assert (answer.status_code, answer.json()) == (503, {"ok": False})
    assert await api.fleet.state("one") == "ready"
    assert "Retry-After" not in answer.headers


async def test_nothing_is_taken_when_one_name_is_unknown(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.ready("pool1", "one")
    answer = await client.post("/api/v3/vm", json={"pool1": 1, "nope": 1})
    assert (answer.status_code, answer.json()) == (404, {"ok": False})
    assert await fleet.state("one") == "ready"


@pytest.mark.parametrize("body", [b"", b"{}"])
async def test_an_empty_request_is_not_found(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/api/v3/vm", content=body)
    assert (answer.status_code, answer.json()) == (404, {"ok": False})


async def test_a_mistake_is_explained(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v3/vm", content=b"{bad")
    assert answer.status_code == 400
    assert answer.json() == {"ok": False, "error": "Invalid JSON at line 1 column 2"}


async def test_a_huge_body_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post("/api/v3/vm", content=b"{" + b" " * 1_000_000 + b"}")
    assert (answer.status_code, answer.json()["error"]) == (400, "Request body too large")


async def test_the_limit_of_all_vms_is_the_configured_one(with_api: WithApi) -> None:
    async with with_api(config={"max_vms_per_request": 2}) as api:
        answer = await api.client.post("/api/v3/vm/pool1+pool1+pool2")
    assert answer.status_code == 400
    assert answer.json() == {"ok": False, "error": "At most 2 VMs can be requested at once"}


@pytest.mark.parametrize("name", ["ubuntu-20.04", "a~b!c$d&e'f(g)h*i;j=k@l"])
async def test_a_pool_may_have_any_name_that_can_be_configured(with_api: WithApi, name: str) -> None:
    async with with_api(pools={name: 1}) as api:
        await api.fleet.ready(name, "one", "two")
        by_body = await api.client.post("/api/v3/vm", json={name: 1})
        by_path = await api.client.post(f"/api/v3/vm/{name}")
    assert (by_body.status_code, by_path.status_code) == (200, 200)


async def test_a_second_checkout_finds_the_pool_empty(client: httpx.AsyncClient, fleet: Fleet) -> None:
    await fleet.ready("pool1", "one")
    answers = [await client.post("/api/v3/vm/pool1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 503]


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


async def test_what_became_of_requests_is_counted(api: Api) -> None:
    await api.fleet.ready("pool1", "one")
    for name in ("poolone", "poolone", "nope"):
        await api.client.post(f"/api/v3/vm/{name}")
    await api.client.post("/api/v3/vm", content=b"{bad")
    assert api.metric("checkouts_total", pool="pool1", result="success") == 1
    assert api.metric("checkouts_total", pool="poolone", result="empty") == 1
    assert api.metric("checkouts_total", pool="unknown", result="invalid") == 2
