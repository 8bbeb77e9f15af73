"""What the manager reports beside HTTP, Redis and connections: pools, VMs, providers and its own work.

Durations are in seconds. Labels come from the configuration (pool, provider) or from the sets below.
"""

from typing import Literal, get_args

from vmpooler_common.metrics.backend import Backend
from vmpooler_common.metrics.connections import ConnectionMetrics
from vmpooler_common.metrics.declaration import Label, counter, gauge, histogram
from vmpooler_common.metrics.http import HttpMetrics
from vmpooler_common.metrics.instrument import Instrument
from vmpooler_common.metrics.pushing import PushMetrics
from vmpooler_common.metrics.redis import RedisMetrics
from vmpooler_common.metrics.usage import UserMetrics
from vmpooler_manager.actions import FailureReason
from vmpooler_manager.inbox_metrics import InboxMetrics
from vmpooler_manager.request_metrics import RequestMetrics
from vmpooler_manager.task_metrics import TaskMetrics

CheckFailure = Literal["redis", "provider", "bug"]
"""What kept a pass over a pool from finishing."""

ProviderOperation = Literal[
    "create", "find", "inspect", "list_vms", "annotate", "add_disk", "snapshot", "revert", "destroy"
]
"""The calls of the provider contract."""

CallResult = Literal["ok", "transient", "throttled", "permanent", "not_found", "timeout"]
"""How a provider call ended: the errors of the contract, and its deadline."""

POOL = Label("pool")
PROVIDER = Label("provider")
POOL_STATES = ("pending", "ready", "running", "completed", "destroying", "suspect")
FAST = (0.1, 0.5, 1, 5)
"""Clouds without a hypervisor behind them are this quick."""
CLONE_BUCKETS = (*FAST, 10, 20, 30, 40, 50, 60, 120, 180, 240, 300, 600)
READY_BUCKETS = (*FAST, 30, 60, 120, 180, 240, 300, 500, 800, 1200, 1600)
CALL_BUCKETS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
CHECK_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
REFILL_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class PoolMetrics:
    """The pools that this manager leases; `forget` a pool with its lease, for another reports it then."""

    VMS = gauge(
        "pool_vms",
        "VMs of the pool by state.",
        labels=(POOL, Label("state", POOL_STATES)),
        dotted="{state}.{pool}",
    )
    SIZE = gauge("pool_size", "Ready VMs that the pool is to have.", labels=(POOL,))
    BROKEN = gauge(
        "pool_broken",
        "Whether making VMs is given up (1) until somebody changes something; the status tells the reason.",
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
        self._foreign = Instrument(backend, self.FOREIGN)
        self._check_seconds = Instrument(backend, self.CHECK_SECONDS)
        self._checks_failed = Instrument(backend, self.CHECKS_FAILED)

    def counted(
        self,
        pool: str,
        *,
        size: int,
        pending: int,
        ready: int,
        running: int,
        completed: int,
        destroying: int,
        suspect: int,
    ) -> None:
        """A pass saw so many VMs in each state, where `size` ready ones are wanted."""
        self._size.record(size, pool)
        counts = (pending, ready, running, completed, destroying, suspect)
        for state, count in zip(POOL_STATES, counts, strict=True):
            self._vms.record(count, pool, state)

    def broken(self, pool: str) -> None:
        """The provider said that making VMs for this pool can't work."""
        self._broken.record(1, pool)

    def mended(self, pool: str) -> None:
        """Nothing keeps the pool from being filled."""
        self._broken.record(0, pool)

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
        for state in POOL_STATES:
            self._vms.drop(pool, state)
        for level in (self._size, self._broken, self._foreign):
            level.drop(pool)


class VmMetrics:
    """What happens to single VMs."""

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
        self._failures = Instrument(backend, self.FAILURES)

    def became_ready(self, pool: str, seconds: float) -> None:
        """A VM can be handed out, so long after its clone was started."""
        self._ready_seconds.record(seconds, pool)

    def cloned(self, pool: str, seconds: float) -> None:
        """A clone was finished; the VM may still be booting."""
        self._clone_seconds.record(seconds, pool)

    def destroyed(self, pool: str, seconds: float) -> None:
        """A VM is gone, so long after its removal was started."""
        self._destroy_seconds.record(seconds, pool)

    def refill_started(self, seconds: float) -> None:
        """The clone that replaces a VM was started, so long after the VM was handed out."""
        self._refill_seconds.record(seconds)

    def failed(self, pool: str, reason: FailureReason) -> None:
        """A VM left its pool unused."""
        self._failures.record(1, pool, reason)


class ProviderMetrics:
    """Calls to the providers, by the provider's name in the configuration."""

    CALLS = counter(
        "provider_calls_total",
        "Calls to the provider, by how they ended.",
        labels=(
            PROVIDER,
            Label("operation", get_args(ProviderOperation)),
            Label("result", get_args(CallResult)),
        ),
    )
    CALL_SECONDS = histogram(
        "provider_call_seconds",
        "Time of a call to the provider.",
        labels=(PROVIDER, Label("operation", get_args(ProviderOperation))),
        buckets=CALL_BUCKETS,
    )
    HALTED = gauge(
        "provider_halted",
        "Whether all destroying is stopped (1) until an operator looks: too many VMs vanished or appeared.",
        labels=(PROVIDER,),
    )

    def __init__(self, backend: Backend) -> None:
        self._calls = Instrument(backend, self.CALLS)
        self._call_seconds = Instrument(backend, self.CALL_SECONDS)
        self._halted = Instrument(backend, self.HALTED)

    def called(
        self, provider: str, operation: ProviderOperation, *, result: CallResult, seconds: float
    ) -> None:
        """A call ended."""
        self._calls.record(1, provider, operation, result)
        self._call_seconds.record(seconds, provider, operation)

    def halted(self, provider: str) -> None:
        """Nothing of this provider is destroyed any more."""
        self._halted.record(1, provider)

    def released(self, provider: str) -> None:
        """Destroying goes on, or was never stopped."""
        self._halted.record(0, provider)


class LoopMetrics:
    """The manager's own work."""

    LEASES = gauge("leases_held", "Pools that this manager looks after.")
    CLONE_SLOTS = gauge(
        "clone_slots_in_use",
        "Clone slots that are taken, over all managers: to keep pools filled, and for on-demand requests.",
        labels=(Label("kind", ("pool", "ondemand")),),
    )
    CLOCK_UNSTEADY = gauge(
        "clock_unsteady",
        "Whether the clocks disagree (1), so that nothing is expired or destroyed.",
    )
    RESTARTS = counter(
        "loop_restarts_total", "Background loops that ended in an error and were started again."
    )
    EVENTS_MISSED = counter(
        "events_missed_total", "Gaps in the stream of events, after which everything was re-read."
    )

    def __init__(self, backend: Backend) -> None:
        self._leases = Instrument(backend, self.LEASES)
        self._clone_slots = Instrument(backend, self.CLONE_SLOTS)
        self._clock_unsteady = Instrument(backend, self.CLOCK_UNSTEADY)
        self._restarts = Instrument(backend, self.RESTARTS)
        self._events_missed = Instrument(backend, self.EVENTS_MISSED)

    def leased(self, count: int) -> None:
        """This manager now looks after so many pools."""
        self._leases.record(count)

    def cloning(self, *, pools: int, requests: int) -> None:
        """So many clone slots are taken now."""
        self._clone_slots.record(pools, "pool")
        self._clone_slots.record(requests, "ondemand")

    def clock_unsteady(self) -> None:
        """Redis's clock and ours drifted apart."""
        self._clock_unsteady.record(1)

    def clock_steady(self) -> None:
        """The clocks agree."""
        self._clock_unsteady.record(0)

    def restarted(self) -> None:
        """A background loop ended in an error and is started again."""
        self._restarts.record(1)

    def events_missed(self) -> None:
        """Events were trimmed before they were read."""
        self._events_missed.record(1)


class ManagerMetrics:
    """All that the manager reports, one attribute for each subsystem.

    `counts_use`: whether what on-demand requests are granted is counted by user.
    """

    def __init__(self, backend: Backend, *, counts_use: bool) -> None:
        self.pools = PoolMetrics(backend)
        self.vms = VmMetrics(backend)
        self.providers = ProviderMetrics(backend)
        self.loops = LoopMetrics(backend)
        self.users = UserMetrics(backend)
        self.requests = RequestMetrics(backend, users=self.users if counts_use else None)
        self.inboxes = InboxMetrics(backend)
        self.tasks = TaskMetrics(backend)
        self.http = HttpMetrics(backend)
        self.redis = RedisMetrics(backend)


CATALOGUES = (
    PoolMetrics,
    VmMetrics,
    ProviderMetrics,
    LoopMetrics,
    RequestMetrics,
    UserMetrics,
    InboxMetrics,
    TaskMetrics,
    HttpMetrics,
    RedisMetrics,
    ConnectionMetrics,
    PushMetrics,
)
"""Every catalogue whose metrics a manager process may report."""
