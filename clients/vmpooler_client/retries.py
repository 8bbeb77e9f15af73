"""When a call is sent again, and after how long; nothing here waits or sends."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Loss(Enum):
    """How a call ended without an answer that counts."""

    NOT_SENT = "the service hasn't seen it"
    LOST = "the service may have done it"


@dataclass(frozen=True, slots=True)
class Retries:
    """How often, and how patiently."""

    attempts: int = 4
    """Tries in all."""
    first_pause: float = 0.2
    """Seconds; each pause is up to twice as long as the one before."""
    longest_pause: float = 5.0
    """Seconds. What the service says to be longer isn't waited for: the caller is told."""

    def pause(
        self, attempt: int, told: float | None, *, chance: Callable[[], float] = random.random
    ) -> float | None:
        """Give the seconds before the try after this one (the first is 1); None: there is none.

        `told` is what the service asks for.
        """
        if attempt >= self.attempts:
            return None
        if told is not None:
            return told if told <= self.longest_pause else None
        return float(min(self.first_pause * 2 ** (attempt - 1), self.longest_pause) * (0.5 + chance() / 2))
