"""JSON bodies: numbers stay as they were written, and nothing makes the parser work for long."""

from typing import Any

import pytest

from vmpooler_api.web.errors import BadRequest
from vmpooler_api.web.request import LARGEST_BODY, Numeral, as_text, parse_json, parse_object


@pytest.mark.parametrize("text", ["1", "-0", "1.50", "1e400", "9" * 5000, "NaN", "Infinity", "-Infinity"])
def test_a_number_stays_as_it_was_written(text: str) -> None:
    value = parse_json(text.encode())
    assert isinstance(value, Numeral)
    assert value == text


def test_a_text_of_digits_is_no_number() -> None:
    assert not isinstance(parse_json(b'"1"'), Numeral)


def test_an_object_keeps_the_order_of_its_members() -> None:
    assert list(parse_object(b'{"b": "1", "a": null}').items()) == [("b", "1"), ("a", None)]


def test_of_a_member_that_is_repeated_the_last_value_counts() -> None:
    assert parse_object(b'{"a": 1, "a": 3}') == {"a": "3"}


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", "Invalid JSON at line 1 column 1"),
        (b" ", "Invalid JSON at line 1 column 2"),
        (b"{bad", "Invalid JSON at line 1 column 2"),
        (b'{\n"pool1" 1}', "Invalid JSON at line 2 column 9"),
        (b'{"pool1": 1}x', "Invalid JSON at line 1 column 13"),
        (b'{"pool1\xff": 1}', "Invalid JSON: byte 7 isn't UTF-8"),
        ('{"pool1": 1}'.encode("utf-16"), "Invalid JSON: byte 0 isn't UTF-8"),
        *((text, "Request body must be a JSON object") for text in (b"null", b"[]", b"5", b'"x"', b"true")),
        (b'{"a": [[[[[]]]]]}', "Request body too complex"),
        (b'{"a": {"a": {"b": {"c": {"d": {}}}}}}', "Request body too complex"),
        (b"[" * 10_000, "Request body too complex"),
        (b'{"a":' * 2_000, "Request body too complex"),
        (b"{}".ljust(LARGEST_BODY + 1), "Request body too large"),
    ],
)
def test_what_is_wrong_with_a_body_is_explained(body: bytes, error: str) -> None:
    with pytest.raises(BadRequest, match=rf"^{error}$"):
        parse_object(body)


@pytest.mark.parametrize("body", [b'{"a": [[[[]]]]}', b"{}".ljust(LARGEST_BODY), b" {}\n"])
def test_a_body_at_the_limits_is_fine(body: bytes) -> None:
    assert isinstance(parse_object(body), dict)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ("x", "x"),
        (Numeral("1e400"), "1e400"),
        (True, "true"),
        ([], "[]"),
        ([Numeral("1"), {"a": "b", "c": None}], '[1, {"a": "b", "c": null}]'),
        ({"a": [False, "\u00e9"]}, '{"a": [false, "\\u00e9"]}'),
        ("\ud800", "?"),
    ],
)
def test_a_value_is_shown_as_it_was_written(value: Any, text: str) -> None:
    assert as_text(value) == text
