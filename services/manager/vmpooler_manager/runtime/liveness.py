"""Whether the manager is alive: it is when passes are finished, well or not."""

from collections.abc import Callable
from datetime import timedelta


class Liveness:
    """Remembers when a pass was last finished. A cloud or a Redis that is down doesn't make it dead."""

    def __init__(self, longest_delay: timedelta, clock: Callable[[], float]) -> None:
        self._limit = 2 * longest_delay.total_seconds()
        self._clock = clock
        self._last = clock()

    def passed(self) -> None:
        """A pass was finished."""
        self._last = self._clock()

    def complaint(self) -> str:
        """Say what is wrong; empty when the manager is alive."""
        silent = self._clock() - self._last
        if silent <= self._limit:
            return ""
        return (
            f"no pass over any pool was finished for {silent:.0f} s, at most {self._limit:.0f} s are normal"
        )
