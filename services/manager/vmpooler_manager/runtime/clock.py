"""Guards against a clock that jumps: all times come from Redis, and a wrong one would end every lifetime."""

from datetime import datetime, timedelta

DRIFT = timedelta(seconds=60)
"""Difference between Redis's clock and ours over one interval that is no mere delay."""
CALM = timedelta(seconds=60)
"""How long both must agree again before times are believed."""


class ClockGuard:
    """Compares each reading of Redis's clock with the monotonic one."""

    def __init__(self) -> None:
        self._last: tuple[datetime, float] | None = None
        self._jumped_at: float | None = None

    def is_steady(self, redis_now: datetime, monotonic: float) -> bool:
        """Take a reading (`monotonic` in seconds); False after a jump, until there was none for a while."""
        if self._last is not None:
            last_redis, last_monotonic = self._last
            passed = timedelta(seconds=monotonic - last_monotonic)
            if abs(redis_now - last_redis - passed) > DRIFT:
                self._jumped_at = monotonic
        self._last = (redis_now, monotonic)
        if self._jumped_at is not None and monotonic - self._jumped_at > CALM.total_seconds():
            self._jumped_at = None
        return self.was_steady

    @property
    def was_steady(self) -> bool:
        """Whether the last reading was steady."""
        return self._jumped_at is None
