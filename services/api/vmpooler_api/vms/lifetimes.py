"""How long a user wants to keep a VM."""

import math
import re
from datetime import timedelta
from typing import Any

from vmpooler_api.web.errors import UnfitChange
from vmpooler_api.web.request import Numeral, as_text
from vmpooler_common.config.declare.types import LONGEST

_HOUR = timedelta(hours=1)
_BEGINNING = re.compile(r"\s*([+-]?)([0-9]+(?:_[0-9]+)*)")
_MOST = LONGEST // _HOUR
_MOST_DIGITS = len(str(_MOST))


class LifetimeReader:
    """Reads lifetimes in hours, as leniently as 3.x. `limit`: it and whatever is longer are refused."""

    def __init__(self, limit: timedelta | None) -> None:
        self._limit = limit

    def read(self, value: Any) -> timedelta:
        """Read a value of parsed JSON: a number or a text that begins with one. Raises UnfitChange."""
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
