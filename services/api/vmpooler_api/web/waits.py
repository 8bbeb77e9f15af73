"""How long a client is willing to wait for its answer."""

import re

LONGEST_WAIT = 60
"""Seconds."""
PATTERN = r"^([0-5]?[0-9](\.[0-9]{1,9})?|60)$"
"""What is described to clients; zeros more than needed do no harm."""
_SECONDS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9})?")


def read_wait(text: str) -> float:
    """Read the parameter `wait`, in seconds. Raises ValueError with a text for the client."""
    if not _SECONDS.fullmatch(text) or float(text) > LONGEST_WAIT:
        raise ValueError(f"wait must be a number of seconds from 0 to {LONGEST_WAIT}")
    return float(text)
