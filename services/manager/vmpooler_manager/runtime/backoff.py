"""How long to wait after errors."""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

MOST_STEPS = 64
"""Failures in a row after which the delay doesn't grow any more."""


@dataclass(frozen=True, slots=True)
class Delays:
    """`check_loop_delay_min`, `_max` and `_decay`: the first delay, the longest, and the growth."""

    first: timedelta
    longest: timedelta
    growth: float

    def after(self, failures: int, random: Random) -> timedelta:
        """Give the delay after so many failures in a row (1 or more), within 20 % at random.

        The jitter keeps pools that failed together from coming back together.
        """
        delay, longest = self.first.total_seconds(), self.longest.total_seconds()
        for _ in range(min(failures - 1, MOST_STEPS)):
            if delay >= longest:
                break
            delay *= self.growth
        delay = min(delay, longest)
        return timedelta(seconds=delay * random.uniform(0.8, 1.0))


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long to wait after failures in a row, with jitter."""

    delays: Delays
    random: Random

    @property
    def first(self) -> timedelta:
        """The delay after one failure, without jitter."""
        return self.delays.first

    @property
    def longest(self) -> timedelta:
        """The longest delay."""
        return self.delays.longest

    def after(self, failures: int) -> timedelta:
        """Give the delay after so many failures in a row (1 or more)."""
        return self.delays.after(failures, self.random)


class Backoff:
    """Counts failures in a row and says when to try again. Times are monotonic seconds."""

    def __init__(self, retries: RetryPolicy) -> None:
        self._retries = retries
        self.failures = 0
        """Failures in a row; those that fail together are one."""
        self.since = 0.0
        """When the first of them was."""
        self.until = 0.0
        self.reason = ""
        """The last failure."""

    def failed(self, now: float, *, reason: str = "", is_permanent: bool = False) -> None:
        """Note a failure; a permanent one waits longest at once.

        Calls that were under way together and fail together are one failure.
        """
        self.reason = reason
        if not is_permanent and not self.allows(now):
            return
        if not self.failures:
            self.since = now
        self.failures += 1
        delay = self._retries.longest if is_permanent else self._retries.after(self.failures)
        self.until = max(self.until, now + delay.total_seconds())

    def succeeded(self) -> None:
        """Note a success."""
        self.failures = 0
        self.until = 0.0

    @property
    def is_failing(self) -> bool:
        """Whether the last attempt failed."""
        return self.failures > 0

    def allows(self, now: float) -> bool:
        """Whether the delay is over."""
        return now >= self.until
