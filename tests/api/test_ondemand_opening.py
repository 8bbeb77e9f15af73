"""Requesting VMs on demand: what is answered, and that a refusal leaves nothing behind."""

import uuid
from collections import Counter
from typing import Any

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api
from tests.api.ondemand import BAD, GOOD, PATH, Customer

NOT_PARSED = {"ok": False, "message": "JSON payload could not be parsed"}


@pytest.fixture
def customer(api: Api) -> Customer:
    return Customer(api)


@pytest.fixture
def secured(secured_api: Api) -> Customer:
    return Customer(secured_api)


@pytest.mark.parametrize("count", [1, "1", "01"])
async def test_a_request_gets_an_id_of_its_own(customer: Customer, count: int | str) -> None:
    answer = await customer.ask({"pool1": count})
    assert answer.status_code == 201
    assert list(answer.json()) == ["ok", "request_id"]
    assert answer.json()["ok"] is True
    request = answer.json()["request_id"]
    assert str(uuid.UUID(request)) == request
    assert await customer.wanted(request) == [("pool1", "pool1")]


async def test_a_request_is_open_until_the_configured_time_is_over(with_api: WithApi) -> None:
    async with with_api(config={"ondemand_request_ttl": 7}) as api:
        request = (await Customer(api).ask({"pool1": 1})).json()["request_id"]
        found = await Customer(api).demand.seen(request)
    assert (found.deadline - found.created).total_seconds() == 7 * 60


async def test_a_request_is_left_in_the_managers_inbox(customer: Customer) -> None:
    request = (await customer.ask({"pool1": 1})).json()["request_id"]
    await customer.api.fleet.store.request_queue.prepare()
    assert [named for _, named in await customer.demand.entries()] == [request]


async def test_the_client_may_choose_the_id(customer: Customer) -> None:
    answer = await customer.ask({"request_id": "1234", "pool1": 1})
    assert answer.text == '{\n  "ok": true,\n  "request_id": "1234"\n}'


@pytest.mark.parametrize("request_id", ["a", "A-b_c-9", "x" * 64, "_", "-"])
async def test_an_id_is_letters_digits_hyphens_and_single_underscores(
    customer: Customer, request_id: str
) -> None:
    answer = await customer.ask({"request_id": request_id, "pool1": 1})
    assert (answer.status_code, answer.json()["request_id"]) == (201, request_id)


@pytest.mark.parametrize(
    "request_id",
    ["", "a:b", "a__b", "__", "x" * 65, "a b", "a#1", "é", "a\n", "\ud800", 1234, 1.5, True, False, [], {}],
)
async def test_any_other_id_is_refused(customer: Customer, request_id: Any) -> None:
    answer = await customer.ask({"request_id": request_id, "pool1": 1})
    assert (answer.status_code, list(answer.json())) == (400, ["ok", "message"])
    assert "request_id must be" in answer.json()["message"]
    assert await customer.requests() == set()


async def test_an_id_of_null_is_none(customer: Customer) -> None:
    answer = await customer.ask({"request_id": None, "pool1": 1})
    assert uuid.UUID(answer.json()["request_id"])


async def test_an_id_in_use_is_a_conflict(customer: Customer) -> None:
    await customer.ask({"request_id": "1234", "pool1": 1})
    answer = await customer.ask({"request_id": "1234", "pool2": 2})
    assert answer.status_code == 409
    assert list(answer.json().items()) == [
        ("ok", False),
        ("request_id", "1234"),
        ("message", "request_id '1234' has already been created"),
    ]
    assert await customer.wanted("1234") == [("pool1", "pool1")]


@pytest.mark.parametrize(
    "body", [b"", b"{bad", b"pool1=1", b'{"pool1\xff": 1}', b"[" * 5000, '{"pool1": 1}'.encode("utf-16")]
)
async def test_what_is_no_json_is_refused(customer: Customer, body: bytes) -> None:
    answer = await customer.ask(body)
    assert (answer.status_code, answer.json()) == (400, NOT_PARSED)


async def test_a_huge_body_is_refused(customer: Customer) -> None:
    answer = await customer.ask(b"{" + b" " * 1_000_000 + b"}")
    assert (answer.status_code, answer.json()["message"]) == (400, "the request body is too large")


@pytest.mark.parametrize("body", [b"null", b"false"])
async def test_a_body_of_nothing_is_not_found(customer: Customer, body: bytes) -> None:
    answer = await customer.ask(body)
    assert (answer.status_code, answer.json()) == (404, {"ok": False})


@pytest.mark.parametrize("body", [b"[]", b'["pool1"]', b"5", b"1e400", b'"pool1"', b"true"])
async def test_a_body_is_an_object(customer: Customer, body: bytes) -> None:
    answer = await customer.ask(body)
    assert (answer.status_code, answer.json()["message"]) == (400, "the request must be a JSON object")


@pytest.mark.parametrize("body", [{}, {"request_id": "x"}])
async def test_a_request_for_nothing_is_refused(customer: Customer, body: dict[str, Any]) -> None:
    answer = await customer.ask(body)
    assert (answer.status_code, answer.json()["message"]) == (400, "the request names no pool or alias")
    assert await customer.requests() == set()


@pytest.mark.parametrize(
    "count",
    ["0", '"0"', "-1", '"-1"', "null", "true", "false", "2.9", '"2abc"', '""', "1e400", "NaN", "[1]", "{}"],
)
async def test_a_count_is_a_whole_number_of_at_least_1(customer: Customer, count: str) -> None:
    answer = await customer.ask(b'{"pool2": 1, "pool1": %s}' % count.encode())
    assert (answer.status_code, list(answer.json())) == (400, ["ok", "message"])
    assert answer.json()["message"].startswith("pool1: VM count ")
    assert await customer.requests() == set()


async def test_unknown_names_are_listed(customer: Customer) -> None:
    answer = await customer.ask({"nope": 1, "pool1": 1, "neither": 99})
    assert (answer.status_code, answer.json()) == (404, {"ok": False, "bad_templates": ["nope", "neither"]})
    assert await customer.requests() == set()


async def test_a_name_that_is_no_text_of_unicode_is_told_all_the_same(customer: Customer) -> None:
    answer = await customer.ask(b'{"\\ud800": 1}')
    assert (answer.status_code, answer.json()["bad_templates"]) == (404, ["?"])


async def test_more_of_one_name_than_allowed_are_forbidden(with_api: WithApi) -> None:
    async with with_api(config={"max_ondemand_instances_per_request": 50}) as api:
        customer = Customer(api)
        assert (await customer.ask({"pool1": 50, "pool2": 50})).status_code == 201
        before = await customer.requests()
        for count in ("51", "9" * 3000):
            answer = await customer.ask({"pool1": count, "pool2": 1})
            assert answer.status_code == 403
            assert answer.json() == {
                "ok": False,
                "message": "requested amount of instances exceeds the maximum 50",
            }
        assert await customer.requests() == before


async def test_more_of_all_names_than_allowed_are_forbidden(with_api: WithApi) -> None:
    async with with_api(config={"max_vms_per_request": 5}) as api:
        by_body = await Customer(api).ask({"pool1": 3, "pool2": 3})
        by_path = await api.client.post(f"{PATH}/" + "pool1+pool2+" * 3)
        assert (await Customer(api).ask({"pool1": 3, "pool2": 2})).status_code == 201
    for answer in (by_body, by_path):
        assert (answer.status_code, answer.json()["message"]) == (
            403,
            "at most 5 VMs can be requested at once",
        )


# In the path


async def test_a_path_names_as_many_vms_as_it_repeats_names(customer: Customer) -> None:
    answer = await customer.api.client.post(f"{PATH}/pool1+pool2+pool1")
    assert answer.status_code == 201
    wanted = Counter(await customer.wanted(answer.json()["request_id"]))
    assert wanted == {("pool1", "pool1"): 2, ("pool2", "pool2"): 1}


async def test_a_path_needs_no_body_and_ignores_one(customer: Customer) -> None:
    assert (await customer.api.client.post(f"{PATH}/pool1", content=b"{bad")).status_code == 201


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("request_id", {"ok": False, "bad_templates": ["request_id"]}),
        ("pool1+nope", {"ok": False, "bad_templates": ["nope"]}),
        ("pool1++pool2", {"ok": False, "bad_templates": [""]}),
        ("+", {"ok": False}),
        ("+++", {"ok": False}),
    ],
)
async def test_a_path_with_anything_else_is_not_found(
    customer: Customer, path: str, answer: dict[str, Any]
) -> None:
    response = await customer.api.client.post(f"{PATH}/{path}")
    assert (response.status_code, response.json()) == (404, answer)
    assert await customer.requests() == set()


async def test_more_in_a_path_than_allowed_are_forbidden(customer: Customer) -> None:
    assert (await customer.api.client.post(f"{PATH}/" + "pool1+" * 11)).status_code == 403
    assert (await customer.api.client.post(f"{PATH}/" + "pool1+" * 10)).status_code == 201


async def test_a_slash_at_the_end_changes_nothing(customer: Customer) -> None:
    assert (await customer.api.client.post(f"{PATH}/", json={"pool1": 1})).status_code == 201
    assert (await customer.api.client.post(f"{PATH}/pool1/")).status_code == 201


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"])
async def test_without_an_id_there_is_only_opening(customer: Customer, method: str) -> None:
    assert (await customer.api.client.request(method, PATH)).status_code == 404


# Which pool makes the VMs


async def test_an_alias_is_made_by_its_pool(customer: Customer) -> None:
    await customer.ask({"request_id": "r", "poolone": 1})
    assert await customer.wanted("r") == [("poolone", "pool1")]


async def share_of_the_first(
    with_api: WithApi, pools: dict[str, dict[str, Any]], weights: dict[str, int], name: str
) -> float:
    config = {
        "backend_weight": weights,
        "max_ondemand_instances_per_request": 1000,
        "max_vms_per_request": 1000,
    }
    async with with_api(pools=pools, config=config) as api:
        await Customer(api).ask({"request_id": "r", name: 1000})
        wanted = await Customer(api).wanted("r")
    assert len(wanted) == 1000
    return wanted.count((name, "pool1")) / 1000


def weighted(**aliases: str) -> dict[str, dict[str, Any]]:
    """Return two pools with clone targets of their own."""
    return {
        pool: {"size": 1, "clone_target": f"target-{pool}", "alias": alias} for pool, alias in aliases.items()
    }


async def test_an_alias_without_weights_draws_evenly(with_api: WithApi) -> None:
    share = await share_of_the_first(with_api, weighted(pool1="both", pool2="both"), {}, "both")
    assert 0.4 < share < 0.6


async def test_a_paused_pool_is_not_drawn_beside_one_that_works(with_api: WithApi) -> None:
    pools = weighted(pool1="both", pool2="both")
    pools["pool2"]["paused"] = True
    share = await share_of_the_first(with_api, pools, {"target-pool1": 1, "target-pool2": 99}, "both")
    assert share == 1


async def test_paused_pools_are_drawn_where_there_are_no_others(with_api: WithApi) -> None:
    pools = weighted(pool1="both", pool2="both")
    for pool in pools.values():
        pool["paused"] = True
    assert 0.4 < await share_of_the_first(with_api, pools, {}, "both") < 0.6


# Tokens


@pytest.mark.parametrize("headers", [{}, BAD, {"X-AUTH-TOKEN": ""}])
@pytest.mark.parametrize("body", [b'{"pool1": 1}', b"{bad", b"null", b'{"nope": 1}', b'{"pool1": 1000}', b""])
async def test_where_tokens_are_checked_a_valid_one_is_needed_before_anything_else(
    secured: Customer, body: bytes, headers: dict[str, str]
) -> None:
    answer = await secured.ask(body, headers=headers)
    assert (answer.status_code, answer.json()) == (401, {"ok": False})
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Authentication required"'
    assert await secured.requests() == set()


@pytest.mark.parametrize("headers", [{}, BAD])
@pytest.mark.parametrize("path", ["pool1", "nope"])
async def test_a_path_needs_a_valid_token_too(secured: Customer, path: str, headers: dict[str, str]) -> None:
    answer = await secured.api.client.post(f"{PATH}/{path}", headers=headers)
    assert answer.status_code == 401
    assert await secured.requests() == set()


async def test_with_a_token_mistakes_are_told(secured: Customer) -> None:
    statuses = [
        (await secured.ask(body, headers=GOOD)).status_code
        for body in (b"{bad", b"null", b'{"nope": 1}', b'{"pool1": 1000}')
    ]
    assert statuses == [400, 404, 404, 403]


async def test_the_vms_belong_to_the_tokens_user_for_its_lifetime(secured: Customer) -> None:
    await secured.accepted("r", {"pool1": 1}, headers=GOOD)
    await secured.demand.booted("pool1", "one")
    record = (await secured.api.fleet.dataset()).records["one"]
    assert record["user"] == "alice"
    assert int(record["ends"]) - int(record["checkout"]) == 2 * 3600 * 1000


async def test_a_vm_of_a_token_is_only_given_back_with_one(secured: Customer) -> None:
    await secured.accepted("r", {"pool1": 1}, headers=GOOD)
    await secured.demand.booted("pool1", "one")
    assert (await secured.api.client.delete("/api/v3/vm/one")).status_code == 401
    assert (await secured.api.client.delete("/api/v3/vm/one", headers=GOOD)).status_code == 200


async def test_without_authentication_a_token_is_ignored(with_api: WithApi) -> None:
    async with with_api(config={"vm_lifetime": 3}) as api:
        customer = Customer(api)
        await customer.accepted("r", {"pool1": 1}, headers=BAD)
        await customer.demand.booted("pool1", "one")
        record = (await api.fleet.dataset()).records["one"]
    assert (record["user"], record["token"]) == ("", "")
    assert int(record["ends"]) - int(record["checkout"]) == 3 * 3600 * 1000


# Metrics


async def test_what_became_of_requests_is_counted(secured: Customer) -> None:
    await secured.ask({"request_id": "r", "pool1": 1}, headers=GOOD)
    await secured.ask({"request_id": "r", "pool1": 1}, headers=GOOD)
    await secured.ask(b"{bad", headers=GOOD)
    await secured.ask(b"null", headers=GOOD)
    await secured.ask({"nope": 1}, headers=GOOD)
    await secured.ask({"pool1": 11}, headers=GOOD)
    await secured.ask({"pool1": 1})
    await secured.ask({"pool1": 1}, headers=BAD)
    await secured.ask({"nope": 1}, headers=BAD)
    counted = {
        result: secured.api.metric("ondemand_requests_total", result=result)
        for result in ("created", "duplicate", "invalid", "toomany", "unauthorized")
    }
    assert counted == {"created": 1, "duplicate": 1, "invalid": 3, "toomany": 1, "unauthorized": 3}
