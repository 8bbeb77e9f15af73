"""What a checkout asks for, read from a body or from a path: names, and how many VMs of each.

Names that are configured are accepted whatever their characters; the checks of their form only explain
to a client why another one can't exist.
"""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from vmpooler_api.selection.names import NO_NAMES, unknown_name
from vmpooler_api.web.errors import BadRequest, UnknownName
from vmpooler_api.web.parameters import read_count
from vmpooler_api.web.request import parse_object

_LONGEST_NAME = 100
_MOST_OF_ONE_NAME = 100
_NAME = re.compile(r"[A-Za-z0-9_-]+")

Order = Mapping[str, int]
"""Requested name -> number of VMs, at least 1; in the order of the request."""


def order_from_body(body: bytes, names: frozenset[str], *, most: int) -> Order:
    """Read `{"<pool or alias>": <count>, …}`; `most` is the limit of all counts together.

    Raises BadRequest, and UnknownName for a name that isn't in `names` or when there is none.
    """
    if not body:
        raise UnknownName(NO_NAMES)
    entries = parse_object(body)
    order = {name: _count(name, value, names) for name, value in entries.items()}
    return _checked(order, names, most)


def order_from_path(text: str, names: frozenset[str], *, most: int) -> Order:
    """Read names joined by plus signs; a name may be repeated, plus signs at the end are dropped.

    Raises UnknownName and BadRequest like `order_from_body`.
    """
    listed = text.rstrip("+")
    return _checked(Counter(listed.split("+")) if listed else {}, names, most)


def _checked(order: Order, names: frozenset[str], most: int) -> Order:
    if not order:
        raise UnknownName(NO_NAMES)
    unknown = next((name for name in order if name not in names), None)
    if unknown is not None:
        raise UnknownName(unknown_name(unknown, names))
    if sum(order.values()) > most:
        raise BadRequest(f"At most {most} VMs can be requested at once")
    return order


def _count(name: str, value: Any, names: frozenset[str]) -> int:
    if name not in names:
        _explain(name)
    try:
        count = read_count(value)
    except ValueError as error:
        raise BadRequest(str(error)) from None
    if count > _MOST_OF_ONE_NAME:
        raise BadRequest(f"VM count must be at most {_MOST_OF_ONE_NAME}")
    return count


def _explain(name: str) -> None:
    """Raise BadRequest when a name that isn't configured couldn't be."""
    if not name:
        raise BadRequest("Pool name is required")
    if len(name) > _LONGEST_NAME:
        raise BadRequest("Pool name too long")
    if not _NAME.fullmatch(name):
        raise BadRequest("Invalid pool name format")
