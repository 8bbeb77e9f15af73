"""What is asked for of pools, read from a body: sizes, templates, clone targets, or only the pools' names."""

from collections.abc import Callable, Collection, Mapping
from types import MappingProxyType
from typing import Any

from vmpooler_api.web.errors import Unacceptable, UnknownName, UnusableEntries
from vmpooler_api.web.request import Numeral, parse_json
from vmpooler_common.model.overrides import Property, read_size

LARGEST_ORDER = 262_144
"""Bytes: hundreds of pools, each with a long template."""
LONGEST_TEXT = 500
"""Characters of a template or a clone target."""


def read_values(what: Property, body: bytes, pools: Collection[str]) -> dict[str, str]:
    """Read `{"<pool>": <value>, …}`; values are given as they are stored. Aliases are no pools.

    Raises Unacceptable; UnknownName for null and false; UnusableEntries with every pool that isn't known or
    whose value is wrong, each once.
    """
    member, read = _READERS[what]
    entries = _entries(body)
    values = {pool: read(value) for pool, value in entries.items()}
    _refuse(member, (pool for pool, value in values.items() if value is None or pool not in pools))
    return {pool: value for pool, value in values.items() if value is not None}


def read_pools(body: bytes, pools: Collection[str]) -> list[str]:
    """Read `{"<pool>": <anything>, …}`. Raises as `read_values` does."""
    entries = _entries(body)
    _refuse("bad_pools", (pool for pool in entries if pool not in pools))
    return list(entries)


def _entries(body: bytes) -> Mapping[str, Any]:
    if len(body) > LARGEST_ORDER:
        raise Unacceptable("the request body is too large")
    try:
        content = parse_json(body)
    except (ValueError, RecursionError):
        raise Unacceptable("JSON payload could not be parsed") from None
    if content is None or content is False:
        raise UnknownName
    if not isinstance(content, dict):
        raise Unacceptable("the request must be a JSON object")
    return content


def _refuse(member: str, names: Collection[str] | Any) -> None:
    # What is told must be UTF-8, which not every text in JSON can become.
    refused = [name.encode(errors="replace").decode() for name in names]
    if refused:
        raise UnusableEntries(member, refused)


def _size(value: Any) -> str | None:
    size = read_size(value) if isinstance(value, str) else None
    return None if size is None else str(size)


def _template(value: Any) -> str | None:
    text = _text(value)
    if text is None or "/" not in text or text.startswith("/") or text.endswith("/"):
        return None
    return text


def _text(value: Any) -> str | None:
    if not isinstance(value, str) or isinstance(value, Numeral) or len(value) > LONGEST_TEXT:
        return None
    # Printable, so without line ends and lone surrogates, and more than blanks.
    return value if value.isprintable() and value.strip() else None


_READERS: Mapping[Property, tuple[str, Callable[[Any], str | None]]] = MappingProxyType(
    {
        Property.SIZE: ("not_configured", _size),
        Property.TEMPLATE: ("bad_templates", _template),
        Property.CLONE_TARGET: ("bad_templates", _text),
    }
)
"""Member of the answer that lists what is wrong, and how a value is read: None when it is wrong."""
