"""What the manager reports of on-demand requests."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.catalogues.usage import UserMetrics
from vmpooler_common.metrics.declaration import Label, counter, gauge, histogram
from vmpooler_common.metrics.instrument import Instrument

WAIT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 5, 10, 30, 60, 120, 180, 240, 300, 600, 1200)


class RequestMetrics:
    """How long requests wait, and what becomes of them. `users`: where grants are counted by user, too."""

    WAIT_SECONDS = histogram(
        "ondemand_wait_seconds",
        "Time from an on-demand request to the grant of a VM: a warm one from the pool, or a cold clone.",
        labels=(Label("pool"), Label("source", ("warm", "cold"))),
        buckets=WAIT_BUCKETS,
    )
    BACKLOG = gauge(
        "pool_backlog",
        "VMs that on-demand requests want of the pool and don't have yet.",
        labels=(Label("pool"),),
    )
    FAILED = counter("ondemand_requests_failed_total", "Requests that ended without all of their VMs.")

    def __init__(self, backend: Backend, *, users: UserMetrics | None) -> None:
        self._users = users
        self._wait_seconds = Instrument(backend, self.WAIT_SECONDS)
        self._backlog = Instrument(backend, self.BACKLOG)
        self._failed = Instrument(backend, self.FAILED)

    def granted(self, pool: str, seconds: float, *, warm: bool, user: str | None) -> None:
        """A request got a VM, so long after it was made; the user is empty for one who gave no token."""
        self._wait_seconds.record(seconds, pool, "warm" if warm else "cold")
        if self._users is not None:
            self._users.allocated(pool, user=user)

    def waiting(self, pool: str, backlog: int) -> None:
        """A pass saw so much backlog."""
        self._backlog.record(backlog, pool)

    def failed(self, requests: int) -> None:
        """So many requests failed by a deadline or a permanent error."""
        self._failed.record(requests)

    def forget(self, pool: str) -> None:
        """The pool isn't ours any more."""
        self._backlog.drop(pool)
