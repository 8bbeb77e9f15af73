"""Parameters that clients give: host names, counts, waits; and identifiers that nobody can guess."""

import re
import secrets
import string
from datetime import timedelta
from typing import Any

from vmpooler_api.web.errors import BadRequest

LONGEST = 253
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
PATTERN = rf"{_LABEL}(?:\.{_LABEL})*"
_HOSTNAME = re.compile(PATTERN)


def short_name(hostname: str) -> str:
    """Give the part before the first dot, under which the VM is known. Raises BadRequest."""
    if len(hostname) > LONGEST:
        raise BadRequest("Hostname too long")
    if not _HOSTNAME.fullmatch(hostname):
        raise BadRequest("Invalid hostname format")
    return hostname.partition(".")[0]


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


WAIT_PATTERN = r"^[0-9]{1,9}(\.[0-9]{1,9})?$"
WAIT_IS_CUT = "A longer one is cut to `config.longest_wait` (45 unless it is set)."
"""For the documentation of the parameter."""
_SECONDS = re.compile(WAIT_PATTERN.strip("^$"))


def read_wait(text: str, *, longest: timedelta) -> float:
    """Read the parameter `wait`, in seconds, and cut it. Raises ValueError with a text for the client."""
    if not _SECONDS.fullmatch(text):
        raise ValueError("wait must be a number of seconds, 0 or more")
    return min(float(text), longest.total_seconds())


FORMATS = ("list",)
FORMAT_DESCRIPTION = "`list`: a list of VMs in place of members that are named by what was asked for."


def wants_list(text: str | None) -> bool:
    """Read the parameter `format`; None: it isn't given. Raises ValueError with a text for the client."""
    if text is not None and text not in FORMATS:
        raise ValueError("format must be list")
    return text is not None


_LENGTH = 32
_LETTERS = string.ascii_lowercase
_CHARACTERS = string.ascii_lowercase + string.digits


def new_identifier() -> str:
    """Make 32 characters a-z and 0-9, the first one a letter, from a cryptographic source."""
    return secrets.choice(_LETTERS) + "".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH - 1))
