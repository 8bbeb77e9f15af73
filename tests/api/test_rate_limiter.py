"""Limits of requests: what the conformance checklist doesn't speak of."""

from collections import Counter

import pytest
from jsonschema import Draft202012Validator

from tests.api.conftest import WithApi
from tests.api.in_process import POOLS, Api
from tests.api.limits import LIST, ON, age, limits, statuses
from tests.store.dataset import ask
from tests.support.documents import pooler_document
from tests.support.http import patient_client
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService

GOOD = {"X-AUTH-TOKEN": "good"}


async def test_what_is_left_is_told_with_every_answer(with_api: WithApi) -> None:
    async with with_api(config=ON, sections=limits(global_per_ip=3)) as api:
        answers = [await api.client.get(path) for path in (LIST, "/nothing", LIST)]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0"]
    assert {answer.headers["X-RateLimit-Limit"] for answer in answers} == {"3"}


async def test_the_top_level_turns_limits_off(with_api: WithApi) -> None:
    sections = {"rate_limiting_enabled": False, **limits(global_per_ip=1)}
    async with with_api(config=ON, sections=sections) as api:
        assert await statuses(api, "GET", LIST, times=3) == {200: 3}


async def test_a_client_with_a_token_is_counted_apart_from_its_address(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config=ON, sections=limits(vm_deletion=1)) as api:
        await api.fleet.token("good", "alice")
        assert await statuses(api, "DELETE", "/api/v3/vm/x", times=2) == {404: 1, 429: 1}
        assert await statuses(api, "DELETE", "/api/v3/vm/x", times=2, headers=GOOD) == {404: 1, 429: 1}


async def test_logins_are_counted_apart_from_other_requests(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config=ON, sections=limits(logins=2, global_per_ip=2)) as api:
        alice = {"auth": ("alice", "secret")}
        assert await statuses(api, "POST", "/api/v3/token", times=1, **alice) == {200: 1}
        assert await statuses(api, "DELETE", "/api/v3/token/x", times=1, **alice) == {404: 1}
        assert await statuses(api, "GET", "/api/v1/token", times=2, **alice) == {429: 2}
        assert await statuses(api, "GET", "/api/v3/token/x", times=2) == {404: 2}
        assert await statuses(api, "GET", "/api/v3/token/abcdefgh", times=1, **alice) == {429: 1}
        assert api.metric("rate_limit_refusals_total", category="logins") == 3


async def test_all_tokens_of_a_user_share_a_limit(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config=ON, sections=limits(authenticated=2)) as api:
        for token, user in (("one", "alice"), ("two", "alice"), ("three", "bob")):
            await api.fleet.token(token, user)
        seen = [
            (await api.client.get(LIST, headers={"X-AUTH-TOKEN": token})).status_code
            for token in ("one", "two", "two", "one", "three")
        ]
    assert seen == [200, 200, 429, 429, 200]


async def test_the_counts_are_gone_a_period_after_the_last_request(with_api: WithApi) -> None:
    sections = {"rate_limits": {"global_per_ip": {"limit": 5, "period": 2.5}}}
    async with with_api(config=ON, sections=sections) as api:
        await api.client.get(LIST)
        (key,) = await ask(api.fleet.client, "KEYS", f"{api.fleet.prefix}:rate:*")
        assert 0 < await ask(api.fleet.client, "PTTL", key) <= 2500


async def test_no_more_is_kept_than_the_period_holds(with_api: WithApi) -> None:
    async with with_api(config=ON) as api:
        await statuses(api, "GET", LIST, times=5)
        await age(api, 61)
        await statuses(api, "GET", LIST, times=1)
        (key,) = await ask(api.fleet.client, "KEYS", f"{api.fleet.prefix}:rate:*")
        assert await ask(api.fleet.client, "ZCARD", key) == 1


async def test_a_limit_that_was_lowered_holds_at_once_and_says_when_there_is_room(with_api: WithApi) -> None:
    async with with_api(config=ON, sections=limits(global_per_ip=5)) as api:
        await statuses(api, "GET", LIST, times=2)
        await age(api, 50)
        await statuses(api, "GET", LIST, times=3)
    async with with_api(config=ON, sections=limits(global_per_ip=2)) as api:
        answer = await api.client.get(LIST)
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 50  # not when the oldest leave, for four would be left


async def test_refusals_are_counted_by_category_and_under_their_route(with_api: WithApi) -> None:
    async with with_api(config=ON, sections=limits(vm_deletion=1, global_per_ip=1)) as api:
        await statuses(api, "DELETE", "/api/v3/vm/x", times=3)
        await statuses(api, "GET", "/api/v3/status", times=3)
        assert api.metric("rate_limit_refusals_total", category="vm_deletion") == 2
        assert api.metric("rate_limit_refusals_total", category="global_per_ip") == 2
        counted = [
            api.registry.get_sample_value(
                "vmpooler_http_requests_total", {"code": "429", "method": method, "path": path}
            )
            for method, path in (("delete", "/api/v3/vm/{name}"), ("get", "/api/v3/status"))
        ]
    assert counted == [2, 2]


@pytest.mark.parametrize(
    ("method", "path", "trips"),
    [
        ("POST", "/api/v3/vm/pool1", 2),
        ("DELETE", "/api/v3/vm/x", 2),
        ("GET", "/api/v3/status", 2),
        ("GET", LIST, 1),
        ("GET", "/healthcheck", 0),
        ("GET", "/ready", 1),
    ],
)
async def test_the_limiter_costs_one_round_trip(
    with_api: WithApi, method: str, path: str, trips: int
) -> None:
    async with with_api(config=ON) as api:
        before = api.metric("redis_round_trips_total")
        await api.client.request(method, path, headers=GOOD)
        assert api.metric("redis_round_trips_total") - before == trips


async def test_the_refusal_is_described_where_it_may_come_and_as_it_is(with_api: WithApi) -> None:
    async with with_api(config=ON, sections=limits(vm_creation=1)) as api:
        document = (await api.client.get("/openapi.json")).json()
        await api.client.post(LIST)
        answer = await api.client.post(LIST)
    described = document["paths"][LIST]["post"]["responses"]["429"]
    Draft202012Validator(described["content"]["application/json"]["schema"]).validate(answer.json())
    assert all(name in answer.headers for name in described["headers"])
    without = {path for path, by_method in document["paths"].items() if "429" not in str(by_method)}
    assert without == {"/healthcheck", "/ready"}


async def test_without_limits_no_refusal_is_described(api: Api, with_api: WithApi) -> None:
    async with with_api(config=ON):
        pass
    assert "Rate limit exceeded" not in (await api.client.get("/openapi.json")).text


async def test_an_address_in_a_header_is_believed_from_trusted_proxies_only(with_api: WithApi) -> None:
    for trusted, expected in (("", {200: 1, 429: 2}), ("127.0.0.0/8", {200: 3})):
        config = {**ON, "trusted_proxies": trusted}
        async with with_api(config=config, sections=limits(global_per_ip=1)) as api:
            seen: Counter[int] = Counter()
            for number in range(3):
                headers = {"X-Forwarded-For": f"192.0.2.{number}"}
                seen += await statuses(api, "GET", LIST, times=1, headers=headers)
            assert seen == expected
            for key in await ask(api.fleet.client, "KEYS", f"{api.fleet.prefix}:rate:*"):
                await ask(api.fleet.client, "DEL", key)


async def test_the_server_itself_believes_no_header_either(
    redis_server: RedisServer, redis_prefix: str, make_service: MakeService
) -> None:
    document = pooler_document(
        redis_url=redis_server.url, prefix=redis_prefix, pools=POOLS, config=ON
    ) | limits(global_per_ip=1)
    async with (
        make_service("api", document=document) as service,
        patient_client(service.base_url) as client,
    ):
        answers = [
            await client.get(LIST, headers={"X-Forwarded-For": f"192.0.2.{number}"}) for number in range(3)
        ]
    assert [answer.status_code for answer in answers] == [200, 429, 429]
