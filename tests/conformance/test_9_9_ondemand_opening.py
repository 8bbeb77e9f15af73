"""Section 9.9 of the checklist: asking for VMs on demand."""

import uuid
from collections import Counter
from typing import Any

import pytest

from tests.api.conftest import WithApi
from tests.api.ondemand import BAD, GOOD, PATH, Requester
from tests.support.refusals import refusal_of

NOT_PARSED = {"ok": False, "message": "JSON payload could not be parsed"}


@pytest.mark.parametrize("count", [1, "1", "01"])
async def test_200_a_request_gets_an_id_of_its_own(customer: Requester, count: int | str) -> None:
    """[C] Given pool1, when POST `/ondemandvm` `{"pool1":"1"}`, then 201 with `ok` and a UUID
    `request_id` in this order.
    """
    answer = await customer.ask({"pool1": count})
    assert answer.status_code == 201
    assert list(answer.json()) == ["ok", "request_id"]
    assert answer.json()["ok"] is True
    request = answer.json()["request_id"]
    assert str(uuid.UUID(request)) == request
    assert await customer.wanted(request) == [("pool1", "pool1")]


async def test_201_a_request_is_left_in_the_managers_inbox(customer: Requester) -> None:
    """[C] Given success, then the id is in `vmpooler__provisioning__request` with an integer epoch
    score, and `vmpooler__odrequest__R` `requested` = `pool1:pool1:1`.
    """
    request = (await customer.ask({"pool1": 1})).json()["request_id"]
    await customer.api.fleet.store.request_inbox.prepare()
    assert [named for _, named in await customer.demand.entries()] == [request]
    assert await customer.wanted(request) == [("pool1", "pool1")]


async def test_202_an_alias_is_made_by_its_pool(customer: Requester) -> None:
    """[C] Given alias poolone, then `requested` = `poolone:pool1:1`."""
    await customer.ask({"request_id": "r", "poolone": 1})
    assert await customer.wanted("r") == [("poolone", "pool1")]


async def test_203_the_client_may_choose_the_id(customer: Requester) -> None:
    """[C] Given `request_id` "1234" in the body, then it is used and echoed."""
    answer = await customer.ask({"request_id": "1234", "pool1": 1})
    assert answer.text == '{\n  "ok": true,\n  "request_id": "1234"\n}'


async def test_204_an_id_in_use_is_a_conflict(customer: Requester) -> None:
    """[C] Given the same id again, then 409 with ok, request_id, message `request_id '1234' has already
    been created`.
    """
    await customer.ask({"request_id": "1234", "pool1": 1})
    answer = await customer.ask({"request_id": "1234", "pool2": 2})
    assert answer.status_code == 409
    assert list(answer.json().items()) == [
        ("ok", False),
        ("request_id", "1234"),
        ("message", "request_id '1234' has already been created"),
    ]
    assert await customer.wanted("1234") == [("pool1", "pool1")]


async def test_205_more_of_one_name_than_allowed_are_forbidden(with_api: WithApi) -> None:
    """[C] Given maximum 50 and count 51, then 403 with message `requested amount of instances exceeds
    the maximum 50` and no request.
    """
    async with with_api(config={"max_ondemand_instances_per_request": 50}) as api:
        customer = Requester(api)
        for count in ("51", "9" * 3000):
            answer = await customer.ask({"pool1": count, "pool2": 1})
            assert answer.status_code == 403
            assert answer.json() == {
                "ok": False,
                "message": "requested amount of instances exceeds the maximum 50",
            }
        assert await customer.requests() == set()


async def test_206_as_many_of_each_name_as_allowed_are_fine(with_api: WithApi) -> None:
    """[C] Given count equal to the maximum, then 201."""
    async with with_api(config={"max_ondemand_instances_per_request": 50}) as api:
        assert (await Requester(api).ask({"pool1": 50, "pool2": 50})).status_code == 201


async def test_207_unknown_names_are_listed(customer: Requester) -> None:
    """[C] Given an unknown pool, then 404 with `bad_templates` listing it."""
    answer = await customer.ask({"nope": 1, "pool1": 1, "neither": 99})
    assert refusal_of(answer) == (404, {"ok": False, "bad_templates": ["nope", "neither"]})
    assert await customer.requests() == set()


@pytest.mark.parametrize("body", [b"", b"{bad"])
async def test_208_what_is_no_json_is_refused(customer: Requester, body: bytes) -> None:
    """[C] Given malformed JSON or an empty body, then 400 `JSON payload could not be parsed`."""
    answer = await customer.ask(body)
    assert (answer.status_code, answer.json()) == (400, NOT_PARSED)


@pytest.mark.parametrize("body", [b"null", b"false"])
async def test_209_a_body_of_nothing_is_not_found(customer: Requester, body: bytes) -> None:
    """[C] Given JSON null, then 404 plain."""
    answer = await customer.ask(body)
    assert refusal_of(answer) == (404, {"ok": False})


@pytest.mark.parametrize("headers", [{}, BAD, {"X-AUTH-TOKEN": ""}])
@pytest.mark.parametrize("body", [b'{"pool1": 1}', b"{bad", b'{"nope": 1}'])
async def test_210_where_tokens_are_checked_a_valid_one_is_needed_before_anything_else(
    secured: Requester, body: bytes, headers: dict[str, str]
) -> None:
    """[C] Given auth on and no or unknown token, then 401 (before JSON errors)."""
    answer = await secured.ask(body, headers=headers)
    assert refusal_of(answer) == (401, {"ok": False})
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Authentication required"'
    assert await secured.requests() == set()


@pytest.mark.parametrize("headers", [{}, BAD])
@pytest.mark.parametrize("path", ["pool1", "nope"])
async def test_210_a_path_needs_a_valid_token_too(
    secured: Requester, path: str, headers: dict[str, str]
) -> None:
    answer = await secured.api.client.post(f"{PATH}/{path}", headers=headers)
    assert answer.status_code == 401
    assert await secured.requests() == set()


async def test_211_the_vms_belong_to_the_tokens_user_for_its_lifetime(secured: Requester) -> None:
    """[C] Given auth on and a valid token, then the request hash has `token:token` and `token:user`."""
    await secured.accepted("r", {"pool1": 1}, headers=GOOD)
    await secured.demand.booted("pool1", "one")
    record = (await secured.api.fleet.dataset()).records["one"]
    assert record["user"] == "alice"
    assert int(record["ends"]) - int(record["checkout"]) == 2 * 3600 * 1000


async def test_212_a_path_names_as_many_vms_as_it_repeats_names(customer: Requester) -> None:
    """[C] Given POST `/ondemandvm/pool1+pool1`, then 201 and a total of 2 instances."""
    answer = await customer.api.client.post(f"{PATH}/pool1+pool2+pool1")
    assert answer.status_code == 201
    wanted = Counter(await customer.wanted(answer.json()["request_id"]))
    assert wanted == {("pool1", "pool1"): 2, ("pool2", "pool2"): 1}


@pytest.mark.parametrize("body", [{}, {"request_id": "x"}])
async def test_213_a_request_for_nothing_is_refused(customer: Requester, body: dict[str, Any]) -> None:
    """[H] Given `{}`, count 0, negative or null, then 400/404 and no request."""
    answer = await customer.ask(body)
    assert (answer.status_code, answer.json()["message"]) == (400, "the request names no pool or alias")
    assert await customer.requests() == set()


@pytest.mark.parametrize(
    "count",
    ["0", "-1", "null", "true"],
)
async def test_213_a_count_is_a_whole_number_of_at_least_1(customer: Requester, count: str) -> None:
    answer = await customer.ask(b'{"pool2": 1, "pool1": %s}' % count.encode())
    assert (answer.status_code, list(answer.json())) == (400, ["ok", "message"])
    assert answer.json()["message"].startswith("pool1: VM count ")
    assert await customer.requests() == set()


@pytest.mark.parametrize("body", [b"[]", b"5"])
async def test_214_a_body_is_an_object(customer: Requester, body: bytes) -> None:
    """[H] Given a list body, or count `true`, then 400."""
    answer = await customer.ask(body)
    assert (answer.status_code, answer.json()["message"]) == (400, "the request must be a JSON object")


@pytest.mark.parametrize(
    "request_id",
    ["a:b", "a__b", 1234, []],
)
async def test_215_an_id_with_other_signs_or_of_another_type_is_refused(
    customer: Requester, request_id: Any
) -> None:
    """[H] Given a `request_id` with `:` or `__` or of another type than string, then 400."""
    answer = await customer.ask({"request_id": request_id, "pool1": 1})
    assert (answer.status_code, list(answer.json())) == (400, ["ok", "message"])
    assert "request_id must be" in answer.json()["message"]
    assert await customer.requests() == set()


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
async def test_216_a_path_names_pools_and_nothing_else(
    customer: Requester, path: str, answer: dict[str, Any]
) -> None:
    """[H] Given POST `/ondemandvm/request_id`, then 404."""
    response = await customer.api.client.post(f"{PATH}/{path}")
    assert refusal_of(response) == (404, answer)
    assert await customer.requests() == set()
