"""Lifetimes and tags, as users give them."""

import math
import re
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from vmpooler_api.web.errors import UnfitChange
from vmpooler_api.web.request import Numeral, as_text
from vmpooler_common.config.declare.types import LONGEST

_HOUR = timedelta(hours=1)
_BEGINNING = re.compile(r"\s*([+-]?)([0-9]+(?:_[0-9]+)*)")
_MOST = LONGEST // _HOUR
_MOST_DIGITS = len(str(_MOST))


class LifetimeParser:
    """Parses lifetimes in hours, as leniently as 3.x. `limit`: it and whatever is longer are refused."""

    def __init__(self, limit: timedelta | None) -> None:
        self._limit = limit

    def parse(self, value: Any) -> timedelta:
        """Parse a value of parsed JSON: a number or a text that begins with one. Raises UnfitChange."""
        hours = _whole(value)
        if hours <= 0:
            raise UnfitChange(f"Lifetime must be a positive integer (got {as_text(value)})")
        if self._limit is not None and hours * _HOUR >= self._limit:
            limit = f"{self._limit / _HOUR:.10g}"
            raise UnfitChange(
                f"You provided a lifetime ({as_text(value)}) that exceeds the configured maximum of {limit}."
            )
        if hours > _MOST:
            raise UnfitChange(f"Lifetime must be at most {_MOST} (got {as_text(value)})")
        return hours * _HOUR


def _whole(value: Any) -> int:
    """Give the whole number that a value begins with; 0 where it begins with none."""
    if isinstance(value, Numeral):
        number = float(value)  # not an int, which has no infinity for numbers of 5,000 digits
        return 0 if math.isnan(number) else int(max(-1.0, min(number, _MOST + 1.0)))
    found = _BEGINNING.match(value) if isinstance(value, str) else None
    if found is None:
        return 0
    digits = found[2].replace("_", "").lstrip("0") or "0"
    hours = int(digits) if len(digits) <= _MOST_DIGITS else _MOST + 1
    return -hours if found[1] == "-" else hours


LONGEST_KEY = 50
LONGEST_VALUE = 255
_KEY = re.compile(r"[A-Za-z0-9_.-]+")
_VALUE = re.compile(r"[A-Za-z0-9\s%._~:/?#\[\]@!$&'()*+,;=-]*", re.ASCII)
"""White space and whatever a URL may hold; neither `<` nor quotation marks, for pages show it."""


class TagParser:
    """Parses tags. `allowed`: their keys, None for any; `filters`: key -> what is kept of its value."""

    def __init__(self, *, allowed: Collection[str] | None, filters: Mapping[str, re.Pattern[str]]) -> None:
        self._allowed = None if allowed is None else frozenset(allowed)
        self._filters = filters

    def parse(self, value: Any) -> Mapping[str, str]:
        """Parse an object of texts, leaving out those without a value. Raises UnfitChange."""
        if not isinstance(value, dict):
            raise UnfitChange(f"You provided tags ({as_text(value)}) as something other than a hash.")
        faults = (_fault(key, text) for key, text in value.items())
        failures = [fault for fault in faults if fault is not None]
        if self._allowed is not None and not value.keys() <= self._allowed:
            failures.append(f"You provided unsuppored tags ({as_text(value)}).")  # spelt as clients know it
        if failures:
            raise UnfitChange(*failures)
        kept = {key: self._filtered(key, text) for key, text in value.items() if text}
        return {key: text for key, text in kept.items() if text}

    def _filtered(self, key: str, text: str) -> str:
        pattern = self._filters.get(key)
        found = pattern.search(text) if pattern is not None else None
        if found is None:
            return text
        return "".join(group or "" for group in found.groups()) if found.re.groups else found[0]


def _fault(key: str, value: Any) -> str | None:
    """Say what is wrong with a tag, first of all."""
    if not key:
        return "Tag key is required"
    if len(key) > LONGEST_KEY:
        return "Tag key too long"
    if not _KEY.fullmatch(key):
        return "Invalid tag key format"
    if value is None:
        return None
    if not isinstance(value, str) or isinstance(value, Numeral):
        return "Tag value must be a string"
    if len(value) > LONGEST_VALUE:
        return "Tag value too long"
    return None if _VALUE.fullmatch(value) else "Tag value contains invalid characters"
