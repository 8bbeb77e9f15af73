"""Changing pools through the API, beyond the checklist: who may, what may be set, what it does at once."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.api.ondemand import Requester
from tests.support.eventually import eventually

SIZE, TEMPLATE, TARGET = (f"/api/v3/config/{name}" for name in ("poolsize", "pooltemplate", "clonetarget"))
RESET, CONFIG, FULL = "/api/v3/poolreset", "/api/v3/config", "/api/v3/full_config"
POSTS = (SIZE, TEMPLATE, TARGET, RESET)
PLAIN = {"ok": False}
ALICE, ROOT = {"X-AUTH-TOKEN": "alices"}, {"X-AUTH-TOKEN": "roots"}
WEIGHTS = {"backend_weight": {"red": 1, "blue": 0}, "experimental_features": True}
TWO = {
    "one": {"size": 1, "alias": "both", "clone_target": "red"},
    "two": {"size": 1, "alias": "both", "clone_target": "blue"},
}


@pytest.fixture
async def changeable(with_api: WithApi) -> AsyncIterator[Api]:
    """Yield an API without authentication whose pools may be changed."""
    async with with_api(config={"experimental_features": True}) as api:
        yield api


def secured(with_api: WithApi, *admins: str, pool_changes: str = "admins") -> Any:
    """Open an API with authentication whose pools may be changed."""
    config = {"experimental_features": True, "admins": list(admins), "pool_changes": pool_changes}
    return with_api(auth="dummy", config=config)


async def tokens(api: Api) -> None:
    await api.fleet.token("alices", "alice")
    await api.fleet.token("roots", "root")


async def status_of(api: Api, method: str, path: str, **arguments: Any) -> int:
    return (await api.client.request(method, path, **arguments)).status_code


# Who may


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", SIZE, {"pool1": 1}),
        ("POST", TEMPLATE, {"pool1": "a/b"}),
        ("POST", TARGET, {"pool1": "a"}),
        ("POST", RESET, {"pool1": 1}),
        ("DELETE", f"{SIZE}/pool2", None),
        ("DELETE", f"{TEMPLATE}/pool2", None),
        ("DELETE", f"{TARGET}/pool2", None),
    ],
)
async def test_where_admins_are_configured_only_they_may_change_pools(
    with_api: WithApi, method: str, path: str, body: Any
) -> None:
    async with secured(with_api, "root") as api:
        await tokens(api)
        assert await status_of(api, method, path, json=body, headers=ALICE) == 403
        assert (await api.fleet.dataset()).events == []
        assert await status_of(api, method, path, json=body, headers=ROOT) in (200, 201)


async def test_without_admins_nobody_may(with_api: WithApi) -> None:
    async with secured(with_api) as api:
        await tokens(api)
        assert await status_of(api, "POST", SIZE, json={"pool1": 1}, headers=ALICE) == 403
        assert await status_of(api, "POST", SIZE, json={"pool1": 1}) == 401


async def test_where_any_user_may_every_valid_token_does_and_its_use_is_noted(with_api: WithApi) -> None:
    async with secured(with_api, "root", pool_changes="any") as api:
        await tokens(api)
        assert await status_of(api, "POST", SIZE, json={"pool1": 1}, headers=ALICE) == 201
        assert (await api.fleet.store.tokens.look_up("alices")).last_used_at is not None


async def test_the_log_tells_who_changed_what(with_api: WithApi) -> None:
    async with secured(with_api, pool_changes="any") as api:
        await tokens(api)
        with capture_logs() as entries:
            await api.client.post(SIZE, json={"pool1": 2}, headers=ALICE)
            await api.client.delete(f"{SIZE}/pool1", headers=ROOT)
            await api.client.post(RESET, json={"pool2": 1}, headers=ALICE)
    told = {"log_level": "info"}
    changed = {"event": "pool.changed", "pool": "pool1", "what": "size"} | told
    assert [entry for entry in entries if entry["event"].startswith("pool.")] == [
        changed | {"before": "5", "now": "2", "user": "alice"},
        changed | {"before": "2", "now": "5", "user": "root"},
        {"event": "pool.drained", "pool": "pool2", "user": "alice"} | told,
    ]


@pytest.mark.parametrize("path", POSTS)
async def test_who_may_not_is_not_told_what_is_wrong_with_the_body(with_api: WithApi, path: str) -> None:
    async with secured(with_api, "root") as api:
        await tokens(api)
        for body in ("{bad", '{"nope": []}', "null"):
            assert await status_of(api, "POST", path, content=body, headers=ALICE) == 403
            assert await status_of(api, "POST", path, content=body) == 401


@pytest.mark.parametrize("admins", [(), ("root",)])
async def test_the_full_configuration_is_for_admins_where_authentication_is_on(
    with_api: WithApi, admins: tuple[str, ...]
) -> None:
    async with secured(with_api, *admins) as api:
        await tokens(api)
        assert await status_of(api, "GET", FULL) == 401
        assert await status_of(api, "GET", FULL, headers={"X-AUTH-TOKEN": "forged"}) == 401
        assert await status_of(api, "GET", FULL, headers=ALICE) == 403
        assert await status_of(api, "GET", FULL, headers=ROOT) == (200 if admins else 403)


async def test_the_pools_are_shown_to_everybody(with_api: WithApi) -> None:
    async with secured(with_api, "root") as api:
        assert await status_of(api, "GET", CONFIG) == 200


async def test_where_pools_can_not_be_changed_no_method_is_allowed(with_api: WithApi) -> None:
    async with with_api() as api:
        answer = await api.client.post(SIZE, json={})
    assert (answer.status_code, answer.headers["Allow"], answer.json()) == (405, "", PLAIN)


# What may be set


async def test_a_size_is_kept_in_its_shortest_form(changeable: Api) -> None:
    assert await status_of(changeable, "POST", SIZE, json={"pool1": "007"}) == 201
    assert (await changeable.fleet.store.overrides.current()).sizes == {"pool1": "7"}


async def test_the_configured_size_is_no_change_however_it_is_spelt(changeable: Api) -> None:
    assert await status_of(changeable, "POST", SIZE, json={"pool1": "05"}) == 200


@pytest.mark.parametrize("path", POSTS)
async def test_a_body_that_is_no_object_is_refused(changeable: Api, path: str) -> None:
    answer = await changeable.client.post(path, content="[]")
    told = {"ok": False, "message": "the request must be a JSON object"}
    assert (answer.status_code, answer.json()) == (400, told)


@pytest.mark.parametrize("path", POSTS)
async def test_null_names_no_pool(changeable: Api, path: str) -> None:
    answer = await changeable.client.post(path, content="null")
    assert (answer.status_code, answer.json()) == (404, PLAIN)


@pytest.mark.parametrize("path", [SIZE, RESET])
async def test_a_body_that_is_too_long_is_refused(changeable: Api, path: str) -> None:
    answer = await changeable.client.post(path, content=b" " * 262_145)
    told = {"ok": False, "message": "the request body is too large"}
    assert (answer.status_code, answer.json()) == (400, told)


@pytest.mark.parametrize("path", [f"{SIZE}/%ff", f"{TEMPLATE}/%00", f"{TARGET}/{'a' * 5000}"])
async def test_a_path_that_names_no_pool_is_not_found(changeable: Api, path: str) -> None:
    answer = await changeable.client.delete(path)
    assert (answer.status_code, answer.json()) == (404, PLAIN)


async def test_a_clone_target_is_taken_back(with_api: WithApi) -> None:
    async with with_api(pools=TWO | {"bare": 1}, config=WEIGHTS) as api:
        await api.client.post(TARGET, json={"one": "blue", "bare": "blue"})
        before, after = "clone_target_before_reset", "clone_target_before_overrides"
        for pool, configured in (("one", "red"), ("bare", None)):
            for status, counted in ((201, "blue"), (200, configured)):
                answer = await api.client.delete(f"{TARGET}/{pool}")
                assert answer.status_code == status
                assert answer.json() == {"ok": True, before: counted, after: configured}
        assert await status_of(api, "DELETE", f"{TARGET}/both") == 404


async def test_whatever_is_sent_is_answered_and_changes_all_that_it_says_or_nothing(changeable: Api) -> None:
    names = st.sampled_from(["pool1", "pool2", "pool3", "poolone", "nope", ""]) | st.text(max_size=5)
    values = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=9),
        st.sampled_from(["3", "a/b", "c"]),
        st.lists(st.integers(), max_size=2),
    )
    bodies = (
        st.dictionaries(names, values, max_size=4).map(json.dumps).map(str.encode)
        | values.map(json.dumps).map(str.encode)
        | st.binary(max_size=40)
    )
    runs: list[tuple[str, bytes]] = []

    @settings(max_examples=150, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(path=st.sampled_from(POSTS), body=bodies)
    def collect(path: str, body: bytes) -> None:
        runs.append((path, body))

    collect()
    for path, body in runs:
        before = (await changeable.fleet.dataset()).entries
        answer = await changeable.client.post(path, content=body)
        assert answer.status_code in (200, 201, 400, 404), body
        assert answer.json()["ok"] is (answer.status_code < 400)
        if answer.status_code in (200, 400, 404):
            assert (await changeable.fleet.dataset()).entries == before, body


# What it does at once


async def test_drained_vms_are_not_handed_out_from_the_answer_on(changeable: Api) -> None:
    await changeable.fleet.ready("pool1", "old")
    await changeable.client.post(TEMPLATE, json={"pool1": "a/b"})
    assert await status_of(changeable, "POST", "/api/v3/vm/pool1") == 503


async def pool_drawn(api: Api) -> str:
    """Ask for a VM on demand and tell which pool is to make it."""
    answer = await api.client.post("/api/v3/ondemandvm/both")
    ((_, pool),) = await Requester(api).wanted(answer.json()["request_id"])
    return pool


async def test_weights_go_by_the_clone_targets_that_were_set_in_every_process(with_api: WithApi) -> None:
    """Those who run already learn of it by an event; one that is started later reads it."""

    async def draws_from_two(api: Api) -> bool:
        return [await pool_drawn(api) for _ in range(5)] == ["two"] * 5

    async with with_api(pools=TWO, config=WEIGHTS) as first, with_api(pools=TWO, config=WEIGHTS) as second:
        assert await pool_drawn(first) == await pool_drawn(second) == "one"
        await first.client.post(TARGET, json={"one": "blue", "two": "red"})
        async with with_api(pools=TWO, config=WEIGHTS) as third:
            for api in (first, second, third):
                await eventually(lambda api=api: draws_from_two(api))  # type: ignore[misc]


async def test_checkouts_follow_the_weights_of_the_clone_targets_too(with_api: WithApi) -> None:
    async with with_api(pools=TWO, config=WEIGHTS) as api:
        await api.client.post(TARGET, json={"one": "blue", "two": "red"})
        await eventually(lambda: _draws(api, "two"))
        for pool in TWO:
            await api.fleet.ready(pool, *(f"{pool}-{number}" for number in range(5)))
        answer = await api.client.post("/api/v3/vm", json={"both": 5})
        assert {name.partition("-")[0] for name in answer.json()["both"]["hostname"]} == {"two"}
        for pool in TWO:
            await api.client.delete(f"{TARGET}/{pool}")
        await eventually(lambda: _draws(api, "one"))


async def _draws(api: Api, pool: str) -> bool:
    return await pool_drawn(api) == pool


async def test_a_change_is_counted_by_pool_and_outcome(changeable: Api) -> None:
    await changeable.client.post(SIZE, json={"pool1": 1, "pool2": 10})
    await changeable.client.post(SIZE, json={"pool1": "x", "nope": 1})
    await changeable.client.post(TARGET, content="{bad")
    await changeable.client.delete(f"{SIZE}/pool1")
    await changeable.client.post(RESET, json={"pool1": 1})
    await changeable.client.post(RESET, json={"nope": 1})
    changes = {
        (pool, result): changeable.metric("config_changes_total", pool=pool, result=result)
        for pool in ("pool1", "pool2", "unknown")
        for result in ("changed", "unchanged", "invalid")
    }
    assert {key: count for key, count in changes.items() if count} == {
        ("pool1", "changed"): 2,
        ("pool2", "unchanged"): 1,
        ("pool1", "invalid"): 1,
        ("unknown", "invalid"): 2,
    }
    assert changeable.metric("pool_resets_total", pool="pool1", result="success") == 1
    assert changeable.metric("pool_resets_total", pool="unknown", result="invalid") == 1


async def test_who_may_not_is_counted(with_api: WithApi) -> None:
    async with secured(with_api, "root") as api:
        await tokens(api)
        await api.client.post(SIZE, json={"pool1": 1})
        await api.client.post(SIZE, json={"pool1": 1}, headers=ALICE)
        await api.client.post(RESET, json={"pool1": 1}, headers=ALICE)
        assert api.metric("config_changes_total", pool="unknown", result="unauthorized") == 2
        assert api.metric("pool_resets_total", pool="unknown", result="unauthorized") == 1
