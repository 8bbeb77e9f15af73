"""How many VMs a client asks for."""

import re
from typing import Any

_DIGITS = re.compile(r"[0-9]+")
_MOST_DIGITS = 9
"""More make a number that is beyond every limit; it needn't be converted to know that."""
BEYOND_EVERY_LIMIT = 10**_MOST_DIGITS


def read_count(value: Any) -> int:
    """Read a count of at least 1 from parsed JSON: a whole number, or a text of digits.

    Raises ValueError with a text for the client.
    """
    if value is None:
        raise ValueError("VM count is required")
    if not isinstance(value, str) or not _DIGITS.fullmatch(value):
        raise ValueError("VM count must be a valid integer")
    digits = value.lstrip("0")
    if not digits:
        raise ValueError("VM count must be at least 1")
    return int(digits) if len(digits) <= _MOST_DIGITS else BEYOND_EVERY_LIMIT
