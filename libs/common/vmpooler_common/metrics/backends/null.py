"""The backend of a service that reports no metrics, and of tests that look at none."""

from vmpooler_common.metrics.backends.base import Series
from vmpooler_common.metrics.declaration import Declaration


class NullBackend:
    """Takes every metric and forgets it."""

    def declare(self, declaration: Declaration) -> None:
        """Take any declaration."""

    def series(self, declaration: Declaration, values: tuple[str, ...]) -> Series:
        """Give a recorder that does nothing."""
        return _forget

    def drop(self, declaration: Declaration, values: tuple[str, ...]) -> None:
        """Have nothing to drop."""


def _forget(amount: float) -> None:
    pass
