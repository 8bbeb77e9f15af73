"""Tokens: who may take and give back what."""

from tests.api.conftest import WithApi
from tests.api.in_process import Api

GOOD = {"X-AUTH-TOKEN": "good"}
BAD = {"X-AUTH-TOKEN": "bad"}
HOUR_MS = 3600 * 1000


async def test_an_empty_token_is_none(secured_api: Api) -> None:
    await secured_api.fleet.ready("pool1", "one")
    answer = await secured_api.client.post("/api/v3/vm/pool1", headers={"X-AUTH-TOKEN": ""})
    assert answer.status_code == 200


async def test_a_vm_taken_with_a_token_is_only_given_back_with_one(secured_api: Api) -> None:
    await secured_api.fleet.running("pool1", "one", token="good")
    refused = [await secured_api.client.delete("/api/v3/vm/one", headers=headers) for headers in ({}, BAD)]
    assert [(answer.status_code, answer.json()) for answer in refused] == [(401, {"ok": False})] * 2
    assert refused[0].headers["WWW-Authenticate"] == 'Basic realm="Authentication required"'
    assert await secured_api.fleet.state("one") == "running"
    assert (await secured_api.client.delete("/api/v3/vm/one", headers=GOOD)).status_code == 200
    assert await secured_api.fleet.state("one") == "completed"


async def test_an_anonymous_vm_is_given_back_without_a_token(secured_api: Api) -> None:
    await secured_api.fleet.running("pool1", "one", "two")
    assert (await secured_api.client.delete("/api/v3/vm/one")).status_code == 200
    assert (await secured_api.client.delete("/api/v3/vm/two", headers=BAD)).status_code == 200


async def test_a_token_is_needed_even_when_authentication_was_turned_off(api: Api) -> None:
    await api.fleet.token("good", "alice")
    await api.fleet.running("pool1", "one", token="good")
    assert (await api.client.delete("/api/v3/vm/one")).status_code == 401
    assert (await api.client.delete("/api/v3/vm/one", headers=GOOD)).status_code == 200


async def test_an_absent_lifetime_with_token_is_the_one_without(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"vm_lifetime": 7}) as api:
        await api.fleet.token("good", "alice")
        await api.fleet.ready("pool1", "one")
        await api.client.post("/api/v3/vm/pool1", headers=GOOD)
        record = (await api.fleet.dataset()).records["one"]
    assert int(record["ends"]) - int(record["checkout"]) == 7 * HOUR_MS
