"""A backend of metrics whose server is gone."""

from vmpooler_common.metrics.backends.base import Series
from vmpooler_common.metrics.declaration import Declaration


class UnreachableBackend:
    """Takes declarations and fails at everything else; `asked` says how often it did."""

    def __init__(self) -> None:
        self.asked = 0

    def declare(self, declaration: Declaration) -> None:
        """Take any declaration."""

    def series(self, declaration: Declaration, values: tuple[str, ...]) -> Series:
        """Give a recorder that fails."""
        return self._send

    def drop(self, declaration: Declaration, values: tuple[str, ...]) -> None:
        """Fail."""
        raise ConnectionRefusedError

    def _send(self, amount: float) -> None:
        self.asked += 1
        raise ConnectionRefusedError
