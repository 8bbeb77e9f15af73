"""What is read from bodies and paths of checkouts, and what clients are told when it can't be."""

import json

import pytest

from vmpooler_api.orders import order_from_body, order_from_path
from vmpooler_api.refusals import BadRequest, UnknownName

NAMES = frozenset({"pool1", "pool2", "ubuntu-20.04-x86_64"})


def read(body: str | bytes) -> dict[str, int]:
    content = body.encode() if isinstance(body, str) else body
    return dict(order_from_body(content, NAMES, most=200))


def reason_of(body: str | bytes) -> str:
    with pytest.raises(BadRequest) as caught:
        read(body)
    return str(caught.value)


@pytest.mark.parametrize(
    ("count", "meaning"), [("1", 1), ('"1"', 1), ('"01"', 1), ('"007"', 7), ("100", 100), ('"0100"', 100)]
)
def test_a_count_is_a_whole_number_or_its_digits(count: str, meaning: int) -> None:
    assert read(f'{{"pool1": {count}}}') == {"pool1": meaning}


NO_COUNTS = (
    *("-1", '"-1"', "1.0", "1.5", "1e0", "1e400", "-1e400", "NaN", "Infinity", "true", "false"),
    *('"abc"', '""', '" 1"', '"1\\n"', '"\\u0661"', "[1]", "{}"),
)


@pytest.mark.parametrize("count", NO_COUNTS)
def test_anything_else_is_no_count(count: str) -> None:
    assert reason_of(f'{{"pool1": {count}}}') == "VM count must be a valid integer"


@pytest.mark.parametrize("count", ["0", '"0"', '"000"'])
def test_a_count_of_nothing_is_refused(count: str) -> None:
    assert reason_of(f'{{"pool1": {count}}}') == "VM count must be at least 1"


@pytest.mark.parametrize("count", ["101", '"101"', "9" * 5000, '"' + "9" * 5000 + '"'])
def test_a_count_above_the_limit_is_refused_however_long_it_is(count: str) -> None:
    assert reason_of(f'{{"pool1": {count}}}') == "VM count must be at most 100"


def test_a_missing_count_is_refused() -> None:
    assert reason_of('{"pool1": null}') == "VM count is required"


def test_all_counts_together_have_a_limit_in_a_body() -> None:
    with pytest.raises(BadRequest, match="At most 3 VMs"):
        order_from_body(b'{"pool1": 2, "pool2": 2}', NAMES, most=3)


def test_all_counts_together_have_a_limit_in_a_path() -> None:
    with pytest.raises(BadRequest, match="At most 3 VMs"):
        order_from_path("pool1+pool1+pool2+pool2", NAMES, most=3)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "Pool name is required"),
        ("a" * 101, "Pool name too long"),
        ("with space", "Invalid pool name format"),
        ("ubuntu-99.04", "Invalid pool name format"),
        ("pool1\n", "Invalid pool name format"),
        ("\ud800", "Invalid pool name format"),
    ],
)
def test_an_impossible_name_is_explained(name: str, reason: str) -> None:
    assert reason_of(json.dumps({name: 1})) == reason


def test_a_configured_name_may_hold_any_character() -> None:
    assert read('{"ubuntu-20.04-x86_64": 1}') == {"ubuntu-20.04-x86_64": 1}


@pytest.mark.parametrize("body", ["", "{}", '{"nope": 1}', '{"pool1": 1, "nope": 1}', '{"ok": 1}'])
def test_nothing_and_unknown_names_are_not_found(body: str) -> None:
    with pytest.raises(UnknownName):
        read(body)


def test_ok_is_a_name_like_any_other() -> None:
    assert reason_of('{"ok": false, "pool1": 1}') == "VM count must be a valid integer"


@pytest.mark.parametrize("body", ["null", "[]", "5", '"x"', "true", "1e400"])
def test_a_body_is_an_object(body: str) -> None:
    assert reason_of(body) == "Request body must be a JSON object"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("{bad", "Invalid JSON at line 1 column 2"),
        ('{\n"pool1" 1}', "Invalid JSON at line 2 column 9"),
        ("pool1=1", "Invalid JSON at line 1 column 1"),
        (b'{"pool1\xff": 1}', "Invalid JSON: byte 7 isn't UTF-8"),
        ('{"pool1": 1}'.encode("utf-16"), "Invalid JSON: byte 0 isn't UTF-8"),
        (b"\x00", "Invalid JSON at line 1 column 1"),
    ],
)
def test_a_body_that_is_no_json_is_told_where_it_is_wrong(body: str | bytes, reason: str) -> None:
    assert reason_of(body) == reason


def test_five_levels_are_looked_into_and_six_are_not() -> None:
    assert reason_of('{"pool1": [[[[]]]]}') == "VM count must be a valid integer"
    assert reason_of('{"pool1": [[[[[]]]]]}') == "Request body too complex"


@pytest.mark.parametrize("body", ["[" * 10_000, '{"a":' * 2_000, '{"pool1":' + "[" * 4000 + "]" * 4000 + "}"])
def test_a_nesting_bomb_is_a_bad_request(body: str) -> None:
    assert reason_of(body)


def test_a_body_may_have_10240_bytes() -> None:
    body = '{"pool1": 1}'
    assert read(body.ljust(10_240)) == {"pool1": 1}
    assert reason_of(body.ljust(10_241)) == "Request body too large"


def test_of_a_key_that_is_repeated_the_last_value_counts() -> None:
    assert read('{"pool1": 1, "pool1": 3}') == {"pool1": 3}


def test_a_path_repeats_names_for_more_vms() -> None:
    assert order_from_path("pool1+pool2+pool1", NAMES, most=200) == {"pool1": 2, "pool2": 1}


def test_plus_signs_at_the_end_of_a_path_are_dropped() -> None:
    assert order_from_path("pool1++", NAMES, most=200) == {"pool1": 1}


@pytest.mark.parametrize("path", ["+", "+pool1", "pool1++pool2", "nope", "pool1+nope", "pool1 "])
def test_a_path_with_an_empty_or_unknown_name_is_not_found(path: str) -> None:
    with pytest.raises(UnknownName):
        order_from_path(path, NAMES, most=200)
