"""What is read from bodies that set sizes, templates and clone targets of pools, or reset pools."""

import json
from typing import Any

import pytest

from vmpooler_api.pools.request import LARGEST_ORDER, LONGEST_TEXT, read_pools, read_values
from vmpooler_api.web.errors import Unacceptable, UnknownName, UnusableEntries
from vmpooler_common.model.overrides import Property

POOLS = frozenset({"pool1", "pool2"})
TEXTS = (Property.TEMPLATE, Property.CLONE_TARGET)


def values(what: Property, **body: Any) -> dict[str, str]:
    return read_values(what, json.dumps(body).encode(), POOLS)


def refused(what: Property, body: str | bytes) -> tuple[str, tuple[str, ...]]:
    """Give the answer's member that lists what is refused, and the pools in it."""
    with pytest.raises(UnusableEntries) as caught:
        read_values(what, body.encode() if isinstance(body, str) else body, POOLS)
    return caught.value.member, caught.value.names


@pytest.mark.parametrize(
    ("size", "stored"),
    [(0, "0"), ("00", "0"), (3, "3"), ("007", "7"), ("0" * 50 + "7", "7"), (10_000, "10000")],
)
def test_a_size_is_kept_in_its_shortest_form(size: Any, stored: str) -> None:
    assert values(Property.SIZE, pool1=size, pool2="1") == {"pool1": stored, "pool2": "1"}


@pytest.mark.parametrize(
    "size",
    [
        *('"four"', '"-1"', "-1", "null", "true", "[2]", '{"a": 2}', '""', '" 3"', '"3\\n"', "10001"),
        *('"0x10"', "3.7", '"1_0"', "1e1", "1e400", "NaN", "9" * 5000),
    ],
)
def test_anything_but_decimal_digits_up_to_a_limit_is_no_size(size: str) -> None:
    assert refused(Property.SIZE, f'{{"pool2": 1, "pool1": {size}}}') == ("not_configured", ("pool1",))


@pytest.mark.parametrize("template", ["template", "/templates/a", "templates/a/", "/templates/a/", "/"])
def test_a_template_is_a_path_with_a_slash_in_it(template: str) -> None:
    assert refused(Property.TEMPLATE, json.dumps({"pool1": template})) == ("bad_templates", ("pool1",))
    assert values(Property.CLONE_TARGET, pool1=template) == {"pool1": template}


@pytest.mark.parametrize("what", TEXTS)
@pytest.mark.parametrize(
    "value", [None, 3, 3.5, True, False, ["a/b"], {"a/b": 1}, "", " ", "a/\ud800b", "a/\nb", "a/\0b"]
)
def test_a_template_or_clone_target_is_a_text(what: Property, value: Any) -> None:
    assert refused(what, json.dumps({"pool1": value})) == ("bad_templates", ("pool1",))


@pytest.mark.parametrize("what", TEXTS)
def test_a_text_may_be_of_any_script_up_to_a_length(what: Property) -> None:
    longest = "模板/".ljust(LONGEST_TEXT, "ä")
    assert values(what, pool1=longest) == {"pool1": longest}
    assert refused(what, json.dumps({"pool1": longest + "ä"})) == ("bad_templates", ("pool1",))


@pytest.mark.parametrize("what", list(Property))
def test_pools_that_are_unknown_are_listed_once_and_as_well_as_they_can_be_told(what: Property) -> None:
    _, names = refused(what, b'{"pool10": null, "": 1, "pool\\ud800": 1}')
    assert names == ("pool10", "", "pool?")


def test_pools_to_be_reset_are_named_whatever_their_values() -> None:
    assert read_pools(b'{"pool2": null, "pool1": [1]}', POOLS) == ["pool2", "pool1"]
    assert read_pools(b"{}", POOLS) == []


def test_unknown_pools_are_not_reset() -> None:
    with pytest.raises(UnusableEntries) as caught:
        read_pools(b'{"pool1": 1, "pool10": 1}', POOLS)
    assert (caught.value.member, caught.value.names) == ("bad_pools", ("pool10",))


@pytest.mark.parametrize(
    ("body", "error"),
    [
        *(
            (body, "JSON payload could not be parsed")
            for body in (b"", b"{bad", b"\xff", b'{"pool1": 1e', b"[" * 100_000, b"{}x")
        ),
        *(
            (body, "the request must be a JSON object")
            for body in (b"[]", b'["pool1"]', b'[["pool1", 3]]', b"3", b'"pool1"', b"true")
        ),
        (b"{}".ljust(LARGEST_ORDER + 1), "the request body is too large"),
    ],
)
def test_a_body_that_is_no_object_is_explained(body: bytes, error: str) -> None:
    for read in (lambda: read_values(Property.SIZE, body, POOLS), lambda: read_pools(body, POOLS)):
        with pytest.raises(Unacceptable, match=rf"^{error}$"):
            read()


@pytest.mark.parametrize("body", [b"null", b"false"])
def test_null_and_false_name_no_pool(body: bytes) -> None:
    for read in (lambda: read_values(Property.SIZE, body, POOLS), lambda: read_pools(body, POOLS)):
        with pytest.raises(UnknownName):
            read()
