"""When a call is sent again, and after how long; nothing here waits or sends."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class Loss(Enum):
    """How a call ended without an answer that counts."""

    NOT_SENT = "the service hasn't seen it"
    LOST = "the service may have done it"


class Outage:
    """A service that is away while something is waited for; nothing here waits.

    Waiting goes on over a restart of the service, once it has answered at all.
    """

    def __init__(self, *, longest: float) -> None:
        """Say after how many seconds it is too long."""
        self._longest = longest
        self._since: float | None = None
        self.can_pass = False
        """Whether the service has answered, or has let us wait."""

    def over(self) -> None:
        """Note an answer."""
        self._since, self.can_pass = None, True

    def is_too_long(self, asked_at: float, now: float) -> bool:
        """Note a question of `asked_at` that found nobody, and tell whether to give up."""
        if self._since is None:
            self._since = asked_at
        return not self.can_pass or now - self._since > self._longest


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
