"""Settings whose feature doesn't exist yet: a wrong value is told, ignored, and stops nothing."""

from typing import Annotated, Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, mistakes, with_value
from vmpooler_common.config.declare.field import Section, Setting, setting_of
from vmpooler_common.config.declare.types import whole
from vmpooler_common.config.document.node import Node, Origin
from vmpooler_common.config.document.problems import Findings
from vmpooler_common.config.read.sections import read_section
from vmpooler_common.config.sections.catalogue import settings_groups

OF_NO_TYPE = {"of": {"no": ["type"]}}


class Inner(Section):
    working: Annotated[int, whole(), Setting("It works", in_effect=True)] = 1
    later: Annotated[int, whole(), Setting("It will")] = 2


class Outer(Section):
    inner: Annotated[Inner, Setting("Both")] = Inner()
    listed: Annotated[tuple[Annotated[int, whole()], ...], Setting("It will")] = ()
    later: Annotated[int, whole(), Setting("It will")] = 3


def node(value: Any, place: str = "") -> Node:
    if isinstance(value, dict):
        inner = {key: node(item, f"{place}.{key}".lstrip(".")) for key, item in value.items()}
        return Node(inner, Origin("file", place))
    if isinstance(value, list):
        return Node(
            tuple(node(item, f"{place}[{at}]") for at, item in enumerate(value)), Origin("file", place)
        )
    return Node(value, Origin("file", place))


def read(value: dict[str, Any]) -> tuple[Outer, list[str], list[str]]:
    findings = Findings()
    section = read_section(node(value), Outer, findings)
    return (
        section,
        [problem.place for problem in findings.problems],
        [warning.place for warning in findings.warnings],
    )


def test_only_the_value_that_is_wrong_is_ignored() -> None:
    section, wrong, warned = read(
        {"inner": {"working": 7, "later": "soon"}, "listed": [1, "two", "three"], "later": -1}
    )
    assert section == Outer(inner=Inner(working=7))
    assert wrong == []
    assert warned == ["inner.later", "listed[1]", "listed[2]", "later"]


def test_a_mistake_beside_it_is_one() -> None:
    assert read({"inner": {"working": "no", "later": "soon"}})[1:] == (["inner.working"], ["inner.later"])
    assert read({"inner": 5})[1:] == (["inner"], [])


SINGLE = sorted(
    name
    for group in settings_groups()
    if group.is_single
    for name, field in group.settings()
    if not setting_of(field).in_effect
)


def test_no_value_of_any_such_setting_stops_a_start() -> None:
    document: dict[str, Any] = COMPLETE
    for name in SINGLE:
        above, _, key = name.rpartition(".")
        document = with_values(document, above.split("."), key)
    warned = {warning.place for warning in load_text(document).warnings}
    assert {name for name in SINGLE if not any(place.startswith(name) for place in warned)} == set()


def with_values(document: dict[str, Any], path: list[str], key: str) -> dict[str, Any]:
    if not path:
        return document | {key: OF_NO_TYPE}
    return document | {path[0]: with_values(dict(document.get(path[0]) or {}), path[1:], key)}


def test_a_value_that_was_ignored_is_told_with_what_was_expected_and_reaches_no_driver() -> None:
    entry = {"provider_class": "ec2", "circuit_breaker_timeout": "soon", "region": "north"}
    loaded = load_text(with_value(("providers", "ec2"), entry))
    (warning,) = loaded.warnings
    assert warning.place == "providers.ec2.circuit_breaker_timeout"
    assert "found 'soon', expected a number" in warning.found
    assert "isn't in effect yet" in warning.found
    assert dict(loaded.settings.providers["ec2"].options) == {"region": "north"}


@pytest.mark.parametrize("entries", [[""], [None], ["", "vpc-1"]])
def test_the_list_of_drivers_for_ec2_may_hold_empty_entries(entries: list[str | None]) -> None:
    document = with_value(("providers", "ec2"), {"provider_class": "ec2", "resources_allowlist": entries})
    options = load_text(document).settings.providers["ec2"].options
    assert options["resources_allowlist"] == tuple(entry or "" for entry in entries)
    assert mistakes(with_value(("providers", "ec2"), {"resources_allowlist": [{}]})) != ()
