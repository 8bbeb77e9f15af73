"""What the manager reports of single VMs."""

from typing import get_args

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter, histogram
from vmpooler_common.metrics.instrument import Instrument
from vmpooler_common.model.vm import FailureReason

POOL = Label("pool")
FAST = (0.1, 0.5, 1, 5)
"""Seconds, as all of these. Clouds without a hypervisor behind them are this quick."""
CLONE_BUCKETS = (*FAST, 10, 20, 30, 40, 50, 60, 120, 180, 240, 300, 600)
READY_BUCKETS = (*FAST, 30, 60, 120, 180, 240, 300, 500, 800, 1200, 1600)
REFILL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class VmMetrics:
    """What happens to single VMs. Durations are in seconds."""

    READY_SECONDS = histogram(
        "vm_ready_seconds",
        "Time from the start of a clone until the VM could be handed out.",
        labels=(POOL,),
        buckets=READY_BUCKETS,
        dotted="time_to_ready_state.{pool}",
    )
    CLONE_SECONDS = histogram("clone_seconds", "Time of a clone.", labels=(POOL,), buckets=CLONE_BUCKETS)
    DESTROY_SECONDS = histogram(
        "destroy_seconds", "Time of a VM's removal.", labels=(POOL,), buckets=CLONE_BUCKETS
    )
    REFILL_SECONDS = histogram(
        "refill_delay_seconds",
        "Time from a checkout to the start of the replacement's clone.",
        buckets=REFILL_BUCKETS,
    )
    MIGRATION_SECONDS = histogram(
        "migration_seconds",
        "Time of a move to another host.",
        labels=(POOL,),
        buckets=CLONE_BUCKETS,
        dotted="migrate.{pool}",
    )
    MIGRATIONS = counter(
        "migrations_total",
        "VMs that were moved to another host, by hosts.",
        labels=(Label("source", is_open=True), Label("target", is_open=True)),
    )
    MIGRATION_FAILURES = counter(
        "migration_failures_total", "VMs that could not be moved to another host.", labels=(POOL,)
    )
    FAILURES = counter(
        "vm_failures_total",
        "VMs that left a pool unused, by reason.",
        labels=(POOL, Label("reason", get_args(FailureReason))),
        dotted="vmpooler_errors.{reason}.{pool}",
    )

    def __init__(self, backend: Backend) -> None:
        self._ready_seconds = Instrument(backend, self.READY_SECONDS)
        self._clone_seconds = Instrument(backend, self.CLONE_SECONDS)
        self._destroy_seconds = Instrument(backend, self.DESTROY_SECONDS)
        self._refill_seconds = Instrument(backend, self.REFILL_SECONDS)
        self._migration_seconds = Instrument(backend, self.MIGRATION_SECONDS)
        self._migrations = Instrument(backend, self.MIGRATIONS)
        self._migration_failures = Instrument(backend, self.MIGRATION_FAILURES)
        self._failures = Instrument(backend, self.FAILURES)

    def became_ready(self, pool: str, seconds: float) -> None:
        """A VM is ready, so long after its clone was started."""
        self._ready_seconds.record(seconds, pool)

    def cloned(self, pool: str, seconds: float) -> None:
        """A clone was finished; the VM may still be booting."""
        self._clone_seconds.record(seconds, pool)

    def destroyed(self, pool: str, seconds: float) -> None:
        """A VM is gone, so long after its removal was started."""
        self._destroy_seconds.record(seconds, pool)

    def refill_started(self, seconds: float) -> None:
        """The clone that replaces a VM was started, so long after the VM was checked out."""
        self._refill_seconds.record(seconds)

    def migrated(self, pool: str, seconds: float, *, source: str, target: str) -> None:
        """A VM was moved to another host, which took so long."""
        self._migration_seconds.record(seconds, pool)
        self._migrations.record(1, source, target)

    def migration_failed(self, pool: str) -> None:
        """A VM could not be moved, and stays where it is."""
        self._migration_failures.record(1, pool)

    def failed(self, pool: str, reason: FailureReason) -> None:
        """A VM left its pool unused."""
        self._failures.record(1, pool, reason)
