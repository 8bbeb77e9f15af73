"""What a backend must do: the whole interface between the catalogues and where numbers go.

A backend is one module that implements this protocol. It may raise: whoever records is protected by
`Instrument`, which counts on nothing but the two methods.
"""

from collections.abc import Callable
from typing import Protocol

from vmpooler_common.metrics.declaration import Declaration

Series = Callable[[float], None]
"""Records one number in one series: adds to a counter, sets a gauge, observes in a histogram."""


class Backend(Protocol):
    """Where metrics go."""

    def declare(self, declaration: Declaration) -> None:
        """Prepare for a metric; called when a catalogue is made, several times for one that is shared.

        Raises ValueError when another metric has taken the name.
        """

    def series(self, declaration: Declaration, values: tuple[str, ...]) -> Series:
        """Give the recorder for these label values, in the declaration's order. The caller keeps it."""

    def drop(self, declaration: Declaration, values: tuple[str, ...]) -> None:
        """Stop reporting the series with these label values, if there is one."""
