"""What is told of a name that is neither a pool nor an alias."""

from difflib import get_close_matches
from functools import lru_cache

_LONGEST = 100
"""Characters of a name that are looked at; no pool has as many."""
_ALIKE = 0.7
"""0 to 1: how much alike a name must be to be taken for what was meant."""

NO_NAMES = "no pool or alias is named"


def unknown_name(name: str, names: frozenset[str]) -> str:
    """Say that a name isn't known, and which one is most like it. It takes a millisecond for 500 names."""
    # What is told must be UTF-8, which not every text in JSON can become.
    return _told(name[:_LONGEST].encode(errors="replace").decode(), names)


@lru_cache(maxsize=256)
def _told(name: str, names: frozenset[str]) -> str:
    """Make the text; a job that spells a name wrong does so again and again."""
    told = f"'{name}' is neither a pool nor an alias"
    close = get_close_matches(name, sorted(names), n=1, cutoff=_ALIKE)
    return f"{told}; did you mean '{close[0]}'?" if close else told
