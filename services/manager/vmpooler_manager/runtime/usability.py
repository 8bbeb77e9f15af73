"""Whether this manager can use a provider: its own fault, such as a cut network, says nothing of pools."""

from vmpooler_manager.providers.errors import PermanentError, Throttled

FAILURES = 3
"""Listings that fail in a row before another manager is to try; every cloud has single failures."""


class Usability:
    """What the listings of one provider tell, whichever pools they were of."""

    def __init__(self) -> None:
        self._failures = 0
        self._working: set[str] = set()

    @property
    def is_usable(self) -> bool:
        """Whether the last listings didn't all fail."""
        return self._failures < FAILURES

    def listed(self, pool: str) -> None:
        """Note a listing that worked."""
        self._failures = 0
        self._working.add(pool)

    def failed(self, pool: str, error: Exception) -> None:
        """Note one that failed. A wrong setting of one pool says nothing while listings of others work."""
        if isinstance(error, Throttled):
            return
        self._working.discard(pool)
        if not (isinstance(error, PermanentError) and self._working):
            self._failures += 1
