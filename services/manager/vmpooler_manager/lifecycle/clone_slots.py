"""Pokes pools that wait for a clone slot when one may be free."""

from collections import deque

from vmpooler_manager.runtime.pool import Pool


class SlotQueue:
    """Pools in the order in which they found no free slot; one is poked for each slot that is freed."""

    def __init__(self) -> None:
        self._waiting: deque[Pool] = deque()

    def wait(self, pool: Pool) -> None:
        """Have the pool poked when its turn comes."""
        if pool not in self._waiting:
            self._waiting.append(pool)

    def leave(self, pool: Pool) -> None:
        """The pool doesn't wait (any more)."""
        if pool in self._waiting:
            self._waiting.remove(pool)

    def freed(self) -> None:
        """A slot may be free."""
        if self._waiting:
            self._waiting.popleft().poke()
