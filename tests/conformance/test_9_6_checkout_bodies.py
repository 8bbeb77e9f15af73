"""Section 9.6 of the checklist: bodies of checkouts that are refused, and why."""

import json
from collections.abc import AsyncIterator

import pytest

from tests.api.in_process import Api
from tests.support.refusals import refusal_of

LIST = "/api/v3/vm"
NO_COUNTS = (
    *("-1", '"-1"', "1.0", "1.5", "1e0", "1e400", "-1e400", "NaN", "Infinity", "true", "false"),
    *('"abc"', '""', '" 1"', '"1\\n"', '"\\u0661"', "[1]", "[]", "{}"),
)


@pytest.fixture(autouse=True)
async def nothing_is_taken(api: Api) -> AsyncIterator[None]:
    """Have a VM that any of these bodies would take, were it not refused."""
    await api.fleet.ready("pool1", "one")
    before = (await api.fleet.dataset()).entries
    yield
    assert (await api.fleet.dataset()).entries == before


async def refusal(api: Api, body: str | bytes) -> str:
    """Give the error with which a body is refused."""
    answer = await api.client.post(LIST, content=body)
    assert answer.status_code == 400, body
    assert list(answer.json()) == ["ok", "error"]
    assert answer.json()["ok"] is False
    return str(answer.json()["error"])


@pytest.mark.parametrize("body", ["", "{}"])
async def test_123_a_request_for_nothing_is_not_found(api: Api, body: str) -> None:
    """[C] Given an empty body or `{}`, when POST `/vm`, then 404 plain."""
    answer = await api.client.post(LIST, content=body)
    assert refusal_of(answer) == (404, {"ok": False})


async def test_124_a_body_that_is_no_json_is_told_where_it_is_wrong(api: Api) -> None:
    """[C] Given `{bad`, then 400 with `error` starting with `Invalid JSON`."""
    wrong: dict[str | bytes, str] = {
        "{bad": "Invalid JSON at line 1 column 2",
        '{\n"pool1" 1}': "Invalid JSON at line 2 column 9",
        "pool1=1": "Invalid JSON at line 1 column 1",
        b'{"pool1\xff": 1}': "Invalid JSON: byte 7 isn't UTF-8",
        '{"pool1": 1}'.encode("utf-16"): "Invalid JSON: byte 0 isn't UTF-8",
        b"\x00": "Invalid JSON at line 1 column 1",
    }
    assert {body: await refusal(api, body) for body in wrong} == wrong


async def test_125_a_body_is_an_object(api: Api) -> None:
    """[C] Given `null`, `[]`, `5` or `"x"`, then 400 `error` `Request body must be a JSON object`."""
    for body in ("null", "[]", "5", '"x"', "true", "1e400"):
        assert await refusal(api, body) == "Request body must be a JSON object"


async def test_126_five_levels_are_looked_into_and_six_are_not(api: Api) -> None:
    """[C] Given nesting depth 6, then 400 `Request body too complex`."""
    assert await refusal(api, '{"pool1": [[[[]]]]}') == "VM count must be a valid integer"
    assert await refusal(api, '{"pool1": [[[[[]]]]]}') == "Request body too complex"
    assert await refusal(api, '{"pool1": {"a": {"b": {"c": {"d": {}}}}}}') == "Request body too complex"


async def test_127_a_body_has_10240_bytes_at_most(api: Api) -> None:
    """[C] Given a valid object of more than 10240 bytes, then 400 `Request body too large`."""
    assert await refusal(api, '{"pool1": 0}'.ljust(10_240)) == "VM count must be at least 1"
    for body in ('{"pool1": 1}'.ljust(10_241), "{" + " " * 1_000_000 + "}"):
        assert await refusal(api, body) == "Request body too large"


async def test_128_a_count_of_nothing_is_refused(api: Api) -> None:
    """[C] Given count 0, then 400 `VM count must be at least 1`."""
    for count in ("0", '"0"', '"000"'):
        assert await refusal(api, f'{{"pool1": {count}}}') == "VM count must be at least 1"


async def test_129_a_count_above_the_limit_is_refused_however_long_it_is(api: Api) -> None:
    """[C] Given count 101, then 400 `VM count must be at most 100`."""
    for count in ("101", '"101"', "9" * 5000, '"' + "9" * 5000 + '"'):
        assert await refusal(api, f'{{"pool1": {count}}}') == "VM count must be at most 100"


async def test_130_anything_but_a_whole_number_or_its_digits_is_no_count(api: Api) -> None:
    """[C] Given count -1, 1.5, 1.0, true, "abc", "" or a list, then 400 `VM count must be a valid
    integer`.
    """
    for count in NO_COUNTS:
        assert await refusal(api, f'{{"pool1": {count}}}') == "VM count must be a valid integer", count


async def test_131_a_missing_count_is_refused(api: Api) -> None:
    """[C] Given count null, then 400 `VM count is required`."""
    assert await refusal(api, '{"pool1": null}') == "VM count is required"


async def test_133_an_impossible_name_is_explained(api: Api) -> None:
    """[C] Given an empty name, then 400 `Pool name is required`; 101 characters, then `Pool name too
    long`; a space, then `Invalid pool name format`.
    """
    reasons = {
        "": "Pool name is required",
        "a" * 101: "Pool name too long",
        "with space": "Invalid pool name format",
        "ubuntu-99.04": "Invalid pool name format",
        "pool1\n": "Invalid pool name format",
        "\ud800": "Invalid pool name format",
    }
    assert {name: await refusal(api, json.dumps({name: 1})) for name in reasons} == reasons


async def test_136_ok_is_a_name_like_any_other(api: Api) -> None:
    """[H] Given `{"ok": false, "pool1": 1}`, then `ok` is treated like any other name - its value
    `false` is no count, so 400 `VM count must be a valid integer` - and the body is not echoed.
    """
    assert await refusal(api, '{"ok": false, "pool1": 1}') == "VM count must be a valid integer"
