"""What the manager reports of the pools that it leases."""

from typing import Literal, get_args

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter, gauge, histogram
from vmpooler_common.metrics.instrument import Instrument
from vmpooler_common.model.pool import Sizes
from vmpooler_common.model.problem import ProblemKind

CheckFailure = Literal["redis", "provider", "bug"]
"""What kept a pass over a pool from finishing."""

POOL = Label("pool")
STATES = ("pending", "ready", "running", "completed", "destroying", "suspect")
CHECK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
"""Seconds."""


class PoolMetrics:
    """The pools that this manager leases; `forget` a pool with its lease, for another reports it then."""

    VMS = gauge(
        "pool_vms",
        "VMs of the pool by state.",
        labels=(POOL, Label("state", STATES)),
        dotted="{state}.{pool}",
    )
    SIZE = gauge("pool_size", "Ready VMs that the pool is to have.", labels=(POOL,))
    BROKEN = gauge(
        "pool_broken",
        "Whether making VMs is given up (1) until somebody changes something; the status tells the reason.",
        labels=(POOL,),
    )
    PAUSED = gauge(
        "pool_paused",
        "Whether the pool is paused (1), by an operator or its configuration: nothing is made or handed out.",
        labels=(POOL,),
    )
    PROBLEM = gauge(
        "pool_problem",
        "1 for the worst thing that is wrong with the pool, absent when all works; the status tells more.",
        labels=(POOL, Label("kind", tuple(ProblemKind))),
    )
    HELD = gauge(
        "held_back_vms",
        "Ready VMs that waiting checkouts hold back from later ones, for checkout_hold at most at a time.",
        labels=(POOL,),
    )
    FOREIGN = gauge(
        "foreign_vms", "VMs at the pool's place without a tag of ours; never touched.", labels=(POOL,)
    )
    CHECK_SECONDS = histogram(
        "pool_check_seconds",
        "Time of one pass over a pool.",
        labels=(POOL,),
        buckets=CHECK_BUCKETS,
        dotted="vmpooler_performance.check_pool.{pool}",
    )
    CHECKS_FAILED = counter(
        "pool_checks_failed_total",
        "Passes over a pool that could not be finished, by what was at fault.",
        labels=(POOL, Label("cause", get_args(CheckFailure))),
    )

    def __init__(self, backend: Backend) -> None:
        self._vms = Instrument(backend, self.VMS)
        self._size = Instrument(backend, self.SIZE)
        self._broken = Instrument(backend, self.BROKEN)
        self._paused = Instrument(backend, self.PAUSED)
        self._problem = Instrument(backend, self.PROBLEM)
        self._problems: dict[str, ProblemKind] = {}
        self._foreign = Instrument(backend, self.FOREIGN)
        self._held = Instrument(backend, self.HELD)
        self._check_seconds = Instrument(backend, self.CHECK_SECONDS)
        self._checks_failed = Instrument(backend, self.CHECKS_FAILED)

    def counted(self, pool: str, *, size: int, sizes: Sizes) -> None:
        """A pass saw so many VMs in each state, where `size` ready ones are wanted."""
        self._size.record(size, pool)
        for state in STATES:
            self._vms.record(getattr(sizes, state), pool, state)

    def broken(self, pool: str) -> None:
        """The provider said that making VMs for this pool can't work."""
        self._broken.record(1, pool)

    def mended(self, pool: str) -> None:
        """Nothing keeps the pool from being filled."""
        self._broken.record(0, pool)

    def paused(self, pool: str, *, is_paused: bool) -> None:
        """The pool is paused, or isn't."""
        self._paused.record(int(is_paused), pool)

    def problem(self, pool: str, kind: ProblemKind | None) -> None:
        """This is the worst thing that is wrong with the pool; None: nothing is."""
        before = self._problems.pop(pool, None)
        if kind is not None:
            self._problems[pool] = kind
            self._problem.record(1, pool, kind)
        if before is not None and before is not kind:
            self._problem.drop(pool, before)

    def held_back(self, pool: str, count: int) -> None:
        """Waiting checkouts hold back so many ready VMs."""
        self._held.record(count, pool)

    def foreign(self, pool: str, count: int) -> None:
        """So many VMs without our tag are where the pool's are made."""
        self._foreign.record(count, pool)

    def checked(self, pool: str, seconds: float) -> None:
        """A pass over the pool was finished."""
        self._check_seconds.record(seconds, pool)

    def check_failed(self, pool: str, cause: CheckFailure) -> None:
        """A pass over the pool could not be finished."""
        self._checks_failed.record(1, pool, cause)

    def forget(self, pool: str) -> None:
        """The pool isn't ours any more: drop its levels. Totals and distributions stay: they are history."""
        self.problem(pool, None)
        for state in STATES:
            self._vms.drop(pool, state)
        for level in (self._size, self._broken, self._paused, self._foreign, self._held):
            level.drop(pool)
