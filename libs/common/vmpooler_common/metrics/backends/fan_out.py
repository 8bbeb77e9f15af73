"""Several backends at once."""

from vmpooler_common.metrics.backends.base import Backend, Series
from vmpooler_common.metrics.declaration import Declaration


class FanOut:
    """Passes everything on to each of `backends`, in their order; what one raises, later ones don't see."""

    def __init__(self, *backends: Backend) -> None:
        self._backends = backends

    def declare(self, declaration: Declaration) -> None:
        """Declare it to all. Raises ValueError when one of them does."""
        for backend in self._backends:
            backend.declare(declaration)

    def series(self, declaration: Declaration, values: tuple[str, ...]) -> Series:
        """Give one recorder for all."""
        recorders = [backend.series(declaration, values) for backend in self._backends]

        def record(amount: float) -> None:
            for recorder in recorders:
                recorder(amount)

        return record

    def drop(self, declaration: Declaration, values: tuple[str, ...]) -> None:
        """Drop the series everywhere."""
        for backend in self._backends:
            backend.drop(declaration, values)
