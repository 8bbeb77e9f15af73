"""What an on-demand request asks for, read from a body or from a path."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vmpooler_api.selection.names import NO_NAMES, unknown_name
from vmpooler_api.selection.request import Order
from vmpooler_api.web.errors import TooManyVms, Unacceptable, UnknownName, UnknownTemplates
from vmpooler_api.web.parameters import read_count
from vmpooler_api.web.request import LARGEST_BODY, Numeral, parse_json

REQUEST_ID = "request_id"
"""The one member of a body that isn't the name of a pool or an alias."""
_ID = re.compile(r"(?!.*__)[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class OnDemandOrder:
    """What is asked for, and the id that the client chose, if it did."""

    vms: Order
    request_id: str | None


class OnDemandParser:
    """Reads orders. `names`: all pools and aliases; `most_of_one`: VMs of one name, `most`: of all names."""

    def __init__(self, names: frozenset[str], *, most_of_one: int, most: int) -> None:
        self._names = names
        self._most_of_one = most_of_one
        self._most = most

    def from_body(self, body: bytes) -> OnDemandOrder:
        """Read `{"<pool or alias>": <count>, …, "request_id": "<optional>"}`.

        Raises Unacceptable, UnknownName for null and false, UnknownTemplates, TooManyVms.
        """
        content = _parse(body)
        if content is None or content is False:
            raise UnknownName(NO_NAMES)
        if not isinstance(content, dict):
            raise Unacceptable("the request must be a JSON object")
        request_id = _request_id(content.pop(REQUEST_ID, None))
        if not content:
            raise Unacceptable("the request names no pool or alias")
        self._check_names(content)
        vms = {name: _count(name, value) for name, value in content.items()}
        self._check_amount(vms)
        return OnDemandOrder(vms, request_id)

    def from_path(self, text: str) -> OnDemandOrder:
        """Read names joined by plus signs; a name may be repeated, plus signs at the end are dropped.

        Raises UnknownName when there is none, UnknownTemplates, TooManyVms.
        """
        listed = text.rstrip("+")
        if not listed:
            raise UnknownName(NO_NAMES)
        vms = Counter(listed.split("+"))
        self._check_names(vms)
        self._check_amount(vms)
        return OnDemandOrder(vms, None)

    def _check_names(self, entries: Mapping[str, Any]) -> None:
        unknown = [name for name in entries if name not in self._names]
        if unknown:
            # What is told must be UTF-8, which not every text in JSON can become.
            raise UnknownTemplates(
                [name.encode(errors="replace").decode() for name in unknown],
                unknown_name(unknown[0], self._names),
            )

    def _check_amount(self, vms: Order) -> None:
        if any(count > self._most_of_one for count in vms.values()):
            raise TooManyVms(f"requested amount of instances exceeds the maximum {self._most_of_one}")
        if sum(vms.values()) > self._most:
            raise TooManyVms(f"at most {self._most} VMs can be requested at once")


def _parse(body: bytes) -> Any:
    if len(body) > LARGEST_BODY:
        raise Unacceptable("the request body is too large")
    try:
        return parse_json(body)
    except (ValueError, RecursionError):
        raise Unacceptable("JSON payload could not be parsed") from None


def _request_id(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or isinstance(value, Numeral) or not _ID.fullmatch(value):
        raise Unacceptable(
            "request_id must be a text of 1 to 64 letters, digits, hyphens and single underscores"
        )
    return value


def _count(name: str, value: Any) -> int:
    try:
        return read_count(value)
    except ValueError as error:
        raise Unacceptable(f"{name}: {error}") from None
