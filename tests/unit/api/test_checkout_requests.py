"""What is read from bodies and paths of checkouts, and what clients are told when it can't be."""

import json

import pytest

from vmpooler_api.selection.request import order_from_body, order_from_path
from vmpooler_api.web.errors import BadRequest, UnknownName

NAMES = frozenset({"pool1", "pool2", "ubuntu-20.04-x86_64"})


def from_body(body: str | bytes) -> list[tuple[str, int]]:
    content = body.encode() if isinstance(body, str) else body
    return list(order_from_body(content, NAMES, most=200).items())


def from_path(path: str) -> list[tuple[str, int]]:
    return list(order_from_path(path, NAMES, most=200).items())


@pytest.mark.parametrize(
    ("body", "items"),
    [
        ('{"pool1": 1}', [("pool1", 1)]),
        ('{"pool1": "1"}', [("pool1", 1)]),
        ('{"pool1": "01"}', [("pool1", 1)]),
        ('{"pool2": 2, "pool1": 100}', [("pool2", 2), ("pool1", 100)]),
        ('{"ubuntu-20.04-x86_64": 1}', [("ubuntu-20.04-x86_64", 1)]),
        ('{"pool1": 1, "pool1": 3}', [("pool1", 3)]),
    ],
)
def test_a_body_gives_a_count_for_each_name_in_its_order(body: str, items: list[tuple[str, int]]) -> None:
    assert from_body(body) == items


@pytest.mark.parametrize(
    ("path", "items"),
    [
        ("pool1", [("pool1", 1)]),
        ("pool1+", [("pool1", 1)]),
        ("pool1+++", [("pool1", 1)]),
        ("pool2+pool1", [("pool2", 1), ("pool1", 1)]),
        ("pool1+pool2+pool1", [("pool1", 2), ("pool2", 1)]),
        ("ubuntu-20.04-x86_64", [("ubuntu-20.04-x86_64", 1)]),
        ("pool1+" * 200, [("pool1", 200)]),
    ],
)
def test_a_path_counts_the_names_that_it_repeats(path: str, items: list[tuple[str, int]]) -> None:
    assert from_path(path) == items


@pytest.mark.parametrize(
    ("count", "error"),
    [
        ("0", "VM count must be at least 1"),
        ("101", "VM count must be at most 100"),
        ("9" * 5000, "VM count must be at most 100"),
        ("-1", "VM count must be a valid integer"),
        ("1.0", "VM count must be a valid integer"),
        ("true", "VM count must be a valid integer"),
        ('"abc"', "VM count must be a valid integer"),
        ("[[[[]]]]", "VM count must be a valid integer"),
        ("null", "VM count is required"),
    ],
)
def test_a_count_that_is_none_is_explained(count: str, error: str) -> None:
    with pytest.raises(BadRequest, match=rf"^{error}$"):
        from_body(f'{{"pool1": {count}}}')


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("", "Pool name is required"),
        ("a" * 101, "Pool name too long"),
        ("with space", "Invalid pool name format"),
        ("ubuntu-99.04", "Invalid pool name format"),
        ("pool1\n", "Invalid pool name format"),
        ("\ud800", "Invalid pool name format"),
    ],
)
def test_a_name_that_no_pool_can_have_is_explained(name: str, error: str) -> None:
    with pytest.raises(BadRequest, match=rf"^{error}$"):
        from_body(json.dumps({name: 1}))


@pytest.mark.parametrize("body", ["", "{}", '{"nope": 1}', '{"pool1": 1, "nope": 1}', '{"ok": 1}'])
def test_nothing_and_unknown_names_are_not_found_in_a_body(body: str) -> None:
    with pytest.raises(UnknownName):
        from_body(body)


@pytest.mark.parametrize("path", ["", "+", "+pool1", "pool1++pool2", "nope", "pool1+nope", "pool1 "])
def test_nothing_and_unknown_names_are_not_found_in_a_path(path: str) -> None:
    with pytest.raises(UnknownName):
        from_path(path)


@pytest.mark.parametrize("body", ["{bad", "null", "[" * 10_000, '{"pool1":' + "[" * 4000 + "]" * 4000 + "}"])
def test_a_body_that_is_no_simple_object_is_a_bad_request(body: str) -> None:
    with pytest.raises(BadRequest):
        from_body(body)


def test_all_counts_together_have_a_limit_in_a_body() -> None:
    assert order_from_body(b'{"pool1": 2, "pool2": 1}', NAMES, most=3)
    with pytest.raises(BadRequest, match=r"^At most 3 VMs can be requested at once$"):
        order_from_body(b'{"pool1": 2, "pool2": 2}', NAMES, most=3)


def test_all_counts_together_have_a_limit_in_a_path() -> None:
    assert order_from_path("pool1+pool1+pool2", NAMES, most=3)
    with pytest.raises(BadRequest, match=r"^At most 3 VMs can be requested at once$"):
        order_from_path("pool1+pool1+pool2+pool2", NAMES, most=3)
