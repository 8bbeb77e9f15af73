"""What tags a VM may get."""

import re
from collections.abc import Collection, Mapping
from typing import Any

from vmpooler_api.web.errors import UnfitChange
from vmpooler_api.web.request import Numeral, as_text

LONGEST_KEY = 50
LONGEST_VALUE = 255
_KEY = re.compile(r"[A-Za-z0-9_.-]+")
_VALUE = re.compile(r"[A-Za-z0-9\s%._~:/?#\[\]@!$&'()*+,;=-]*", re.ASCII)
"""White space and whatever a URL may hold; neither `<` nor quotation marks, for pages show it."""


class TagReader:
    """Reads tags. `allowed`: their keys, None for any; `filters`: key -> what is kept of its value."""

    def __init__(self, *, allowed: Collection[str] | None, filters: Mapping[str, re.Pattern[str]]) -> None:
        self._allowed = None if allowed is None else frozenset(allowed)
        self._filters = filters

    def read(self, value: Any) -> Mapping[str, str]:
        """Read an object of texts, leaving out those without a value. Raises UnfitChange."""
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
