"""What the store shows of a pool at one moment: values for the planner, which knows no store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from vmpooler_common.model.overrides import NO_OVERRIDES, PoolOverrides
from vmpooler_common.model.problem import Pause, Problem
from vmpooler_common.model.vm import ClonePhase


@dataclass(frozen=True, slots=True)
class PendingVm:
    """A VM in the making."""

    name: str
    provider: str
    phase: ClonePhase
    reserved_at: datetime
    lease_ends_at: datetime
    """When another manager may look after it (while it is reserved or creating)."""
    attempt: str
    provider_id: str
    """Empty until it is created."""
    cloned: bool
    revision: int = 0
    """Of its pool, when its name was reserved."""
    dns_tried_at: datetime | None = None
    """When its DNS records were tried to be written last: it has booted, and waits for that alone."""

    @property
    def waits_since(self) -> datetime:
        """When the time began in which it has to be ready: waiting for DNS is no fault of the VM."""
        return max(self.reserved_at, self.dns_tried_at or self.reserved_at)


@dataclass(frozen=True, slots=True)
class UntaggedVm:
    """A VM that was handed out and doesn't say so in the cloud yet."""

    name: str
    provider: str
    provider_id: str
    attempt: str
    user: str | None
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class DnsVm:
    """A VM whose DNS records are to be made what its record says."""

    name: str
    state: str
    """Ready or running: its records are to lead to `ip`. Gone: they are to be removed."""
    attempt: str
    dns: str
    """The entry of `dns_configs` at whose server they are."""
    domain: str
    provider: str
    ip: str


@dataclass(frozen=True, slots=True)
class Sizes:
    """VMs of a pool by state; ready VMs that listings miss or that are to be drained aren't among `ready`."""

    pending: int
    ready: int
    suspect: int
    running: int
    completed: int
    destroying: int
    stale: int = 0
    unmade: int = 0
    """Clones that were given up before there was a VM; they wait until none can appear any more."""


@dataclass(frozen=True, slots=True)
class DeletionPause:
    """Why all destroying of a provider is stopped: `kind` is absent or orphan, seen in `pool`."""

    kind: str
    pool: str
    reason: str


@dataclass(frozen=True, slots=True)
class Classification:
    """What the record of a VM in a listing says; state None: there is no record."""

    state: str | None
    attempt: str
    provider: str
    provider_id: str
    gone_at: datetime | None
    ip: str = ""
    host: str = ""
    has_records: bool = False
    """Whether it has, or may have, DNS records that are removed with it."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A pool at one moment, by Redis's clock. Lists hold at most 500 VMs, those due first."""

    now: datetime
    generation: str
    """Empty when the data set has been lost: nothing may be concluded from records then."""
    deletion_pause: DeletionPause | None
    broken: str
    backing_off: str
    """Why clones are held back, as requests are told; empty when they are not."""
    problem: Problem | None
    """What is wrong with the pool, as it was told last."""
    pause: Pause | None
    """Why an operator has paused the pool."""
    request_slots_in_use: int
    """Clones in flight for on-demand requests, over all pools and managers."""
    pool_slots_in_use: int
    """The same for keeping pools filled."""
    backlog: int
    """VMs that open requests want of this pool and don't have yet."""
    clones: int
    """Clones of this pool in flight."""
    sizes: Sizes
    pending: tuple[PendingVm, ...]
    expired_ready: tuple[str, ...]
    excess_ready: tuple[str, ...]
    """The oldest ready VMs, as many as there are more alive than size and backlog."""
    ended_running: tuple[str, ...]
    to_destroy: tuple[str, ...]
    untagged: tuple[UntaggedVm, ...]
    ready: Mapping[str, datetime]
    """Every ready VM and since when, only in a full observation."""
    suspects: Mapping[str, datetime]
    next_due: datetime | None = None
    """When the next VM will be due by its time alone."""
    overrides: PoolOverrides = NO_OVERRIDES
    """What was set through the API of a pool that is configured."""
    revision: int = 0
    """VMs of an earlier round were pending or ready when the pool was drained."""
    template_ready: str = ""
    """Template that VMs are made from, as the pool's last manager told it."""
    stale: tuple[str, ...] = ()
    """Ready VMs of an earlier round: not handed out, not counted."""
    owed: int = 0
    """Ready VMs that are kept for waiting checkouts that came before the backlog; 0 without a backlog."""
    held: int = 0
    """Ready VMs that waiting checkouts hold back from later ones."""
    place: str = ""
    """The clone options that its VMs were made with, as a manager that has it configured wrote them down."""
    dns_due: tuple[DnsVm, ...] = ()
    """VMs whose DNS records are to be changed now."""
    unsettled: int = 0
    """How many there are in all, those to be tried again later too."""
