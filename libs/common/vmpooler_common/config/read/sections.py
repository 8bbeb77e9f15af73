"""From nodes to sections: values are read, mistakes noted with their place, unknown keys pointed out."""

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from vmpooler_common.config.declare.field import Section, setting_of, subsection_of, walk
from vmpooler_common.config.document.node import Node, plain
from vmpooler_common.config.document.problems import Findings
from vmpooler_common.config.sections.catalogue import places_of

AnySection = TypeVar("AnySection", bound=Section)

_EXPECTED_TYPES = {"tuple_type": "a list", "mapping_type": "a mapping", "dict_type": "a mapping"}


def read_section(node: Node, model: type[AnySection], findings: Findings) -> AnySection:
    """Read the known keys of `node`; a key with a mistake is noted and keeps its default.

    A mistake in a setting that isn't in effect yet is a warning: what nobody uses must stop nothing.
    """
    if node.value is None:
        return model()
    if not isinstance(node.value, dict):
        findings.error(node.origin, f"found {node.describe_type()}", "a mapping of settings")
        return model()
    values: dict[str, Any] = {key: value for key, value in plain(node).items() if key in model.model_fields}
    try:
        return model.model_validate(values)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
    for detail in details:
        path, is_in_effect = _setting_at(model, detail["loc"])
        _note(node, detail, findings, is_in_effect=is_in_effect)
        _remove(values, path)
    return model.model_validate(values)


def _setting_at(model: type[Section], place: tuple[int | str, ...]) -> tuple[tuple[str, ...], bool]:
    """Give the keys that lead to the setting in which a mistake is, and whether it is in effect."""
    key = str(place[0])
    field = model.model_fields[key]
    nested = subsection_of(field)
    if nested is None:
        return (key,), setting_of(field).in_effect
    if len(place) == 1:  # the subsection is no mapping
        return (key,), any(setting_of(inner).in_effect for _, inner in walk(nested, key))
    path, is_in_effect = _setting_at(nested, place[1:])
    return (key, *path), is_in_effect


def _remove(values: dict[str, Any], path: tuple[str, ...]) -> None:
    """Take a setting out, which may have been done for another mistake in it."""
    for key in path[:-1]:
        values = values.get(key, {})
    values.pop(path[-1], None)


def _note(section: Node, detail: ErrorDetails, findings: Findings, *, is_in_effect: bool) -> None:
    """Note one mistake at the innermost place that the document has for it."""
    node = section
    for step in detail["loc"]:
        node = node.find(step) or node
    facts = detail.get("ctx", {})
    is_shown = detail["type"] == "wrong" and not facts["secret"]
    found = node.describe() if is_shown else node.describe_type()
    expected = facts.get("expected") or _EXPECTED_TYPES.get(detail["type"], "a mapping of settings")
    if is_in_effect:
        findings.error(node.origin, f"found {found}", expected)
    else:
        findings.warn(node.origin, f"found {found}, expected {expected}; ignored, for it isn't in effect yet")


def note_not_in_effect(node: Node, model: type[Section], path: str, findings: Findings) -> None:
    """Note which settings of `node` are set and have no effect yet; `path` is the section's dotted name."""
    for key, child in node.children.items():
        field = model.model_fields.get(key)
        if field is None or child.value is None:
            continue
        name = f"{path}.{key}" if path else key
        nested = subsection_of(field)
        if nested is not None:
            note_not_in_effect(child, nested, name, findings)
        elif not setting_of(field).in_effect:
            findings.set_in_vain(name, child.origin.place)


def warn_unknown(node: Node, models: Iterable[type[Section]], findings: Findings) -> None:
    """Point out keys of `node` that none of `models` knows, and what was probably meant."""
    fields = {name: field for model in models for name, field in model.model_fields.items()}
    for key, child in node.children.items():
        if key not in fields:
            findings.warn(child.origin, f"the key is not known and has no effect{suggest(key, fields)}")
        elif nested := subsection_of(fields[key]):
            warn_unknown(child, (nested,), findings)


def suggest(key: str, known: Iterable[str]) -> str:
    """Say which known key was probably meant; empty when none is similar."""
    close = get_close_matches(key, list(known), n=1)
    elsewhere = places_of(key)
    meant = elsewhere[0] if elsewhere else close[0] if close else None
    return f": did you mean {meant}?" if meant else ""
