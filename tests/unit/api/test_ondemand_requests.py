"""What is read from bodies and paths of on-demand requests, and what clients are told when it can't be."""

import json
from typing import Any

import pytest

from vmpooler_api.ondemand.request import OnDemandParser
from vmpooler_api.web.errors import TooManyVms, Unacceptable, UnknownName, UnknownTemplates

PARSER = OnDemandParser(frozenset({"pool1", "pool2", "poolone"}), most_of_one=10, most=15)


@pytest.mark.parametrize(
    ("body", "vms", "request_id"),
    [
        ('{"pool1": 1}', {"pool1": 1}, None),
        ('{"pool1": "01"}', {"pool1": 1}, None),
        ('{"poolone": 10, "pool2": 5}', {"poolone": 10, "pool2": 5}, None),
        ('{"request_id": null, "pool1": 1}', {"pool1": 1}, None),
        ('{"pool1": 1, "request_id": "1234"}', {"pool1": 1}, "1234"),
        *(
            (f'{{"request_id": "{text}", "pool1": 1}}', {"pool1": 1}, text)
            for text in ("a", "A-b_c-9", "x" * 64, "_", "-")
        ),
    ],
)
def test_a_body_gives_counts_and_maybe_an_id(body: str, vms: dict[str, int], request_id: str | None) -> None:
    order = PARSER.from_body(body.encode())
    assert (dict(order.vms), order.request_id) == (vms, request_id)


@pytest.mark.parametrize(
    ("path", "vms"),
    [
        ("pool1", {"pool1": 1}),
        ("pool1+", {"pool1": 1}),
        ("pool1+pool2+pool1", {"pool1": 2, "pool2": 1}),
        ("pool1+" * 10, {"pool1": 10}),
    ],
)
def test_a_path_counts_the_names_that_it_repeats(path: str, vms: dict[str, int]) -> None:
    assert PARSER.from_path(path).vms == vms


@pytest.mark.parametrize(
    "body", [b"", b"{bad", b"pool1=1", b'{"pool1\xff": 1}', b"[" * 5000, '{"pool1": 1}'.encode("utf-16")]
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(Unacceptable, match=r"^JSON payload could not be parsed$"):
        PARSER.from_body(body)


@pytest.mark.parametrize("body", [b"[]", b'["pool1"]', b"5", b"0", b"1e400", b'"pool1"', b'""', b"true"])
def test_a_body_is_an_object(body: bytes) -> None:
    with pytest.raises(Unacceptable, match=r"^the request must be a JSON object$"):
        PARSER.from_body(body)


def test_a_huge_body_is_refused() -> None:
    with pytest.raises(Unacceptable, match=r"^the request body is too large$"):
        PARSER.from_body(b'{"pool1": 1}'.ljust(10_241))


@pytest.mark.parametrize("body", [b"null", b"false"])
def test_null_and_false_name_no_pool(body: bytes) -> None:
    with pytest.raises(UnknownName):
        PARSER.from_body(body)


@pytest.mark.parametrize("body", [b"{}", b'{"request_id": "x"}'])
def test_a_request_for_nothing_is_refused(body: bytes) -> None:
    with pytest.raises(Unacceptable, match=r"^the request names no pool or alias$"):
        PARSER.from_body(body)


@pytest.mark.parametrize(
    "count",
    ["0", '"0"', "-1", '"-1"', "null", "true", "false", "2.9", '"2abc"', '""', "1e400", "NaN", "[1]", "{}"],
)
def test_a_count_is_a_whole_number_of_at_least_1(count: str) -> None:
    with pytest.raises(Unacceptable, match=r"^pool1: VM count "):
        PARSER.from_body(b'{"pool2": 1, "pool1": %s}' % count.encode())


@pytest.mark.parametrize(
    "request_id",
    ["", "a:b", "a__b", "__", "x" * 65, "a b", "a#1", "é", "a\n", "\ud800", 1234, 1.5, True, False, [], {}],
)
def test_an_id_is_letters_digits_hyphens_and_single_underscores(request_id: Any) -> None:
    with pytest.raises(Unacceptable, match=r"^request_id must be a text of 1 to 64 letters"):
        PARSER.from_body(json.dumps({"request_id": request_id, "pool1": 1}).encode())


@pytest.mark.parametrize(
    ("body", "names"),
    [
        (b'{"nope": 1, "pool1": "x", "neither": 99}', ("nope", "neither")),
        (b'{"": 1}', ("",)),
        (b'{"\\ud800": 1}', ("?",)),
    ],
)
def test_unknown_names_of_a_body_are_listed(body: bytes, names: tuple[str, ...]) -> None:
    with pytest.raises(UnknownTemplates) as caught:
        PARSER.from_body(body)
    assert caught.value.names == names


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("request_id", ("request_id",)),
        ("pool1+nope", ("nope",)),
        ("pool1++pool2", ("",)),
        ("+pool1", ("",)),
    ],
)
def test_unknown_names_of_a_path_are_listed(path: str, names: tuple[str, ...]) -> None:
    with pytest.raises(UnknownTemplates) as caught:
        PARSER.from_path(path)
    assert caught.value.names == names


@pytest.mark.parametrize("path", ["", "+", "+++"])
def test_a_path_of_plus_signs_names_nothing(path: str) -> None:
    with pytest.raises(UnknownName):
        PARSER.from_path(path)


@pytest.mark.parametrize(
    ("vms", "error"),
    [
        ({"pool1": 11}, "requested amount of instances exceeds the maximum 10"),
        ({"pool1": 1, "pool2": "9" * 3000}, "requested amount of instances exceeds the maximum 10"),
        ({"pool1": 10, "pool2": 6}, "at most 15 VMs can be requested at once"),
    ],
)
def test_more_than_allowed_are_refused(vms: dict[str, Any], error: str) -> None:
    with pytest.raises(TooManyVms, match=rf"^{error}$"):
        PARSER.from_body(json.dumps(vms).encode())


@pytest.mark.parametrize(
    ("path", "error"),
    [
        ("pool1+" * 11, "requested amount of instances exceeds the maximum 10"),
        ("pool1+pool2+" * 8, "at most 15 VMs can be requested at once"),
    ],
)
def test_more_than_allowed_in_a_path_are_refused(path: str, error: str) -> None:
    with pytest.raises(TooManyVms, match=rf"^{error}$"):
        PARSER.from_path(path)
