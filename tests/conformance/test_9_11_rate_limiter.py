"""Section 9.11 of the checklist: limits of requests."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.api.conftest import WithApi
from tests.api.in_process import POOLS, Api, open_api
from tests.api.limits import LIST, ON, age, limits, statuses
from tests.conformance.over_http import over_http
from tests.store.dataset import ask
from tests.support.documents import pooler_document
from tests.support.redis_server import RedisServer

GOOD = {"X-AUTH-TOKEN": "good"}


async def test_255_without_limits_a_thousand_requests_are_answered(api: Api) -> None:
    """[C] Given the limiter off (default), when 1000 requests, then no 429."""
    assert await statuses(api, "GET", LIST, times=1000) == {200: 1000}


async def test_255_without_limits_no_answer_speaks_of_them(api: Api) -> None:
    assert not [name for name in (await api.client.get(LIST)).headers if "ratelimit" in name]


async def test_256_the_hundred_and_first_anonymous_request_is_refused(with_api: WithApi) -> None:
    """[C] Given it on, when 101 anonymous GETs come from one address, then the 101st is 429."""
    async with with_api(config=ON) as api:
        assert await statuses(api, "GET", LIST, times=100) == {200: 100}
        assert (await api.client.get(LIST)).status_code == 429


async def test_257_a_refusal_says_what_the_limit_is_and_when_to_come_back(with_api: WithApi) -> None:
    """[C] Given a 429, then headers `X-RateLimit-Limit: 100`, `X-RateLimit-Remaining: 0`,
    `X-RateLimit-Reset`, `Retry-After`, and body ok, error `Rate limit exceeded`, limit, period,
    retry_after in this order.
    """
    async with with_api(config=ON) as api:
        before = await api.fleet.server_ms() / 1000
        await statuses(api, "GET", LIST, times=100)
        answer = await api.client.get(LIST)
        after = await api.fleet.server_ms() / 1000
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-RateLimit-Limit"] == "100"
    assert answer.headers["X-RateLimit-Remaining"] == "0"
    assert before + 60 <= int(answer.headers["X-RateLimit-Reset"]) <= after + 61
    retry_after = int(answer.headers["Retry-After"])
    assert 1 <= retry_after <= 60
    assert list(answer.json().items()) == [
        ("ok", False),
        ("error", "Rate limit exceeded"),
        ("limit", 100),
        ("period", 60),
        ("retry_after", retry_after),
    ]


async def test_258_the_twenty_first_checkout_is_refused(with_api: WithApi) -> None:
    """[C] Given 21 POSTs to `/vm/pool1`, then the 21st is 429 with limit 20."""
    async with with_api(config=ON) as api:
        assert await statuses(api, "POST", "/api/v3/vm/pool1", times=20) == {503: 20}
        answer = await api.client.post("/api/v3/vm/pool1")
    assert (answer.status_code, answer.json()["limit"]) == (429, 20)


async def test_258_both_forms_of_a_checkout_are_counted_together(with_api: WithApi) -> None:
    async with with_api(config=ON, sections=limits(vm_creation=2)) as api:
        assert (await api.client.post("/api/v3/vm/pool1")).status_code == 503
        assert (await api.client.post("/api/v3/vm", json={"pool1": 1})).status_code == 503
        assert (await api.client.post("/api/v3/vm", json={"pool1": 1})).status_code == 429


async def test_259_the_fifty_first_return_is_refused(with_api: WithApi) -> None:
    """[C] Given 51 DELETEs to `/vm/x`, then the 51st is 429 with limit 50."""
    async with with_api(config=ON) as api:
        assert await statuses(api, "DELETE", "/api/v3/vm/x", times=50) == {404: 50}
        answer = await api.client.delete("/api/v3/vm/x")
    assert (answer.status_code, answer.json()["limit"]) == (429, 50)


async def test_260_with_a_valid_token_five_hundred_requests_are_answered(with_api: WithApi) -> None:
    """[C] Given requests with a valid token, then up to 500 GETs pass."""
    async with with_api(auth="dummy", config=ON) as api:
        await api.fleet.token("good", "alice")
        assert await statuses(api, "GET", LIST, times=501, headers=GOOD) == {200: 500, 429: 1}


async def test_261_while_redis_is_away_requests_pass_and_that_is_counted_and_told_once(
    own_redis_server: RedisServer, redis_prefix: str, tmp_path: Path
) -> None:
    """[C] Given Redis errors inside the limiter, then requests pass."""
    document = pooler_document(
        redis_url=own_redis_server.url, prefix=redis_prefix, pools=POOLS, config=ON
    ) | limits(global_per_ip=1)
    async with open_api(document, tmp_path, reach=over_http) as api:
        own_redis_server.kill()
        with capture_logs() as logged:
            assert await statuses(api, "GET", LIST, times=5) == {200: 5}
        assert api.metric("rate_limit_unchecked_total") == 5
        assert len([entry for entry in logged if entry.get("what") == "rate limits"]) == 1


async def test_261_a_script_that_fails_lets_requests_pass(with_api: WithApi) -> None:
    async with with_api(config=ON) as api:
        await ask(api.fleet.client, "SET", f"{api.fleet.prefix}:rate:global_per_ip:address:127.0.0.1", "odd")
        assert await statuses(api, "GET", LIST, times=3) == {200: 3}
        assert api.metric("rate_limit_unchecked_total") == 3


@pytest.mark.parametrize("path", ["/healthcheck", "/healthcheck/", "/ready", "/prometheus", "/prometheus/"])
async def test_262_health_and_metrics_are_never_refused(with_api: WithApi, path: str) -> None:
    """[C] Given `/healthcheck` and the exposition endpoint, then never 429."""
    async with with_api(config=ON, sections=limits(global_per_ip=1)) as api:
        assert await statuses(api, "GET", LIST, times=2) == {200: 1, 429: 1}
        assert await statuses(api, "GET", path, times=5) == {200: 5}


async def test_263_one_request_every_half_minute_is_never_refused(with_api: WithApi) -> None:
    """[H] Given one request every 30 s for an hour, then never 429."""
    async with with_api(config=ON) as api:
        seen: Counter[int] = Counter()
        for _ in range(120):
            seen += await statuses(api, "GET", LIST, times=1)
            await age(api, 30)
    assert seen == {200: 120}


async def test_263_room_comes_back_as_requests_leave_the_period(with_api: WithApi) -> None:
    async with with_api(config=ON, sections=limits(global_per_ip=3)) as api:
        await statuses(api, "GET", LIST, times=2)
        await age(api, 40)
        assert await statuses(api, "GET", LIST, times=2) == {200: 1, 429: 1}
        await age(api, 40)
        assert await statuses(api, "GET", LIST, times=3) == {200: 2, 429: 1}


async def test_264_of_two_hundred_parallel_requests_a_hundred_pass(with_api: WithApi) -> None:
    """[H] Given 200 parallel requests, then at most 100 pass.

    Forty at a time: what the limiter can't ask Redis within a second passes, as it may on a busy machine.
    """
    seen: Counter[int] = Counter()
    async with with_api(config=ON) as api:
        for _ in range(5):
            answers = await asyncio.gather(*(api.client.get(LIST) for _ in range(40)))
            seen += Counter(answer.status_code for answer in answers)
    assert seen == {200: 100, 429: 100}


async def test_265_tokens_that_are_made_up_are_counted_by_address(with_api: WithApi) -> None:
    """[H] Given a different random token on each of 200 requests, then limited by address."""
    async with with_api(auth="dummy", config=ON) as api:
        seen: Counter[int] = Counter()
        for number in range(200):
            seen += await statuses(api, "GET", LIST, times=1, headers={"X-AUTH-TOKEN": f"random-{number}"})
    assert seen == {200: 100, 429: 100}


async def test_265_no_token_is_part_of_a_key(with_api: WithApi) -> None:
    async with with_api(auth="dummy", config=ON) as api:
        await api.fleet.token("good", "alice")
        await statuses(api, "GET", LIST, times=1, headers=GOOD)
        keys = (await api.fleet.dataset()).entries
    assert [key for key in keys if key.startswith("rate:authenticated:user:")]
    assert not [key for key in keys if "good" in key]


@pytest.mark.parametrize("path", ["/api/v3/ondemandvm", "/api/v3/ondemandvm/pool1"])
async def test_266_on_demand_requests_are_limited_like_checkouts(with_api: WithApi, path: str) -> None:
    """[H] Given 21 POSTs to `/ondemandvm`, then limited like creation."""
    async with with_api(config=ON) as api:
        await statuses(api, "POST", path, times=20)
        answer = await api.client.post(path)
        assert (answer.status_code, answer.json()["limit"]) == (429, 20)
        assert (await api.client.post("/api/v3/vm/pool1")).status_code == 429


async def test_266_taking_back_an_on_demand_request_is_limited_like_a_return(with_api: WithApi) -> None:
    async with with_api(config=ON, sections=limits(vm_deletion=1)) as api:
        await api.client.delete("/api/v3/ondemandvm/some-id")
        assert (await api.client.delete("/api/v3/vm/x")).status_code == 429


async def test_266_a_snapshot_is_not_limited_like_a_checkout(with_api: WithApi) -> None:
    async with with_api(config=ON, sections=limits(vm_creation=1)) as api:
        await api.client.post("/api/v3/vm/pool1")
        answer = await api.client.post("/api/v3/vm/x/snapshot")
    assert answer.headers["X-RateLimit-Limit"] == "100"


async def test_267_what_is_refused_moves_no_vm(with_api: WithApi) -> None:
    """[C] Given a 429, then the handler has not run (no VM moved)."""
    async with with_api(config=ON, sections=limits(vm_creation=1, vm_deletion=1)) as api:
        await api.fleet.ready("pool1", "one")
        await api.fleet.running("pool2", "two")
        await api.client.post("/api/v3/vm/pool3")
        await api.client.delete("/api/v3/vm/x")
        before = await api.fleet.dataset()
        assert (await api.client.post("/api/v3/vm/pool1")).status_code == 429
        assert (await api.client.delete("/api/v3/vm/two")).status_code == 429
        assert await api.fleet.dataset() == before
