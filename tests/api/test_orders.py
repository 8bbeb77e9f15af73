"""What is read from bodies and paths of checkouts, and what clients are told when it can't be."""

import pytest

from vmpooler_api.selection.request import order_from_body, order_from_path
from vmpooler_api.web.errors import BadRequest, UnknownName

NAMES = frozenset({"pool1", "pool2", "ubuntu-20.04-x86_64"})


def read(body: str | bytes) -> dict[str, int]:
    content = body.encode() if isinstance(body, str) else body
    return dict(order_from_body(content, NAMES, most=200))


def reason_of(body: str | bytes) -> str:
    with pytest.raises(BadRequest) as caught:
        read(body)
    return str(caught.value)


def test_all_counts_together_have_a_limit_in_a_body() -> None:
    with pytest.raises(BadRequest, match="At most 3 VMs"):
        order_from_body(b'{"pool1": 2, "pool2": 2}', NAMES, most=3)


def test_all_counts_together_have_a_limit_in_a_path() -> None:
    with pytest.raises(BadRequest, match="At most 3 VMs"):
        order_from_path("pool1+pool1+pool2+pool2", NAMES, most=3)


@pytest.mark.parametrize("body", ["", "{}", '{"nope": 1}', '{"pool1": 1, "nope": 1}', '{"ok": 1}'])
def test_nothing_and_unknown_names_are_not_found(body: str) -> None:
    with pytest.raises(UnknownName):
        read(body)


@pytest.mark.parametrize("body", ["[" * 10_000, '{"a":' * 2_000, '{"pool1":' + "[" * 4000 + "]" * 4000 + "}"])
def test_a_nesting_bomb_is_a_bad_request(body: str) -> None:
    assert reason_of(body)


def test_of_a_key_that_is_repeated_the_last_value_counts() -> None:
    assert read('{"pool1": 1, "pool1": 3}') == {"pool1": 3}


@pytest.mark.parametrize("path", ["+", "+pool1", "pool1++pool2", "nope", "pool1+nope", "pool1 "])
def test_a_path_with_an_empty_or_unknown_name_is_not_found(path: str) -> None:
    with pytest.raises(UnknownName):
        order_from_path(path, NAMES, most=200)
