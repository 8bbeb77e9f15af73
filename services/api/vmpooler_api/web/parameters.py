"""Host names as clients give them: with or without a domain."""

import re

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
