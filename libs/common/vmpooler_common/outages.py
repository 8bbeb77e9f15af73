"""Failures that are met again and again, told when they begin and end."""

from collections.abc import Callable
from time import monotonic

import structlog

from vmpooler_common.model.events import EventName

_TOLD_EVERY = 300.0
"""Seconds between two lines about a failure that goes on."""


class Outage:
    """Logs a failure when it starts and ends, and every five minutes between, however often it is met.

    `what` is out of order; `facts` are logged with all lines.
    """

    def __init__(self, what: str, *, clock: Callable[[], float] = monotonic, **facts: object) -> None:
        self._log = structlog.get_logger(__name__)
        self._facts = {"what": what, **facts}
        self._clock = clock
        self._since: float | None = None
        self._told = 0.0
        self._failures = 0

    @property
    def is_on(self) -> bool:
        """Whether it failed when it was last tried."""
        return self._since is not None

    def began(self, reason: str) -> None:
        """It failed; called at each failure."""
        self._failures += 1
        now = self._clock()
        if self._since is None:
            self._since = self._told = now
            self._log.warning(EventName.OUTAGE_BEGAN, **self._facts, reason=reason)
        elif now - self._told >= _TOLD_EVERY:
            self._told = now
            self._log.warning(
                EventName.OUTAGE_GOES_ON,
                **self._facts,
                reason=reason,
                seconds=round(now - self._since, 1),
                failures=self._failures,
            )

    def ended(self) -> None:
        """It works; called at each success."""
        if self._since is not None:
            lasted = round(self._clock() - self._since, 1)
            self._log.warning(EventName.OUTAGE_ENDED, **self._facts, seconds=lasted, failures=self._failures)
            self._since = None
            self._failures = 0
