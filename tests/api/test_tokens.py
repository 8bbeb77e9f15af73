"""Tokens: who may take what."""

from tests.api.conftest import WithApi
from tests.api.in_process import Api

GOOD = {"X-AUTH-TOKEN": "good"}
HOUR_MS = 3600 * 1000


async def test_an_empty_token_is_none(secured_api: Api) -> None:
    await secured_api.fleet.ready("pool1", "one")
    answer = await secured_api.client.post("/api/v3/vm/pool1", headers={"X-AUTH-TOKEN": ""})
    assert answer.status_code == 200


async def test_an_absent_lifetime_with_token_is_the_one_without(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config={"vm_lifetime": 7}) as api:
        await api.fleet.token("good", "alice")
        await api.fleet.ready("pool1", "one")
        await api.client.post("/api/v3/vm/pool1", headers=GOOD)
        record = (await api.fleet.dataset()).records["one"]
    assert int(record["ends"]) - int(record["checkout"]) == 7 * HOUR_MS
