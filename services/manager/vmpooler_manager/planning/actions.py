"""What a plan may ask for: frozen values that decide everything, carried out by `reconcile.executor`."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vmpooler_common.model.pool import DnsVm, PendingVm, UntaggedVm
from vmpooler_common.model.vm import Guard, RetireReason, VmState
from vmpooler_manager.providers.types import ProviderVm


@dataclass(frozen=True, slots=True)
class Reserve:
    """Reserve names for `count` new VMs and clone them."""

    count: int
    missing: int = field(default=0, compare=False)
    """VMs that the pool lacks in all: with fewer names than these, another pass follows at once."""


@dataclass(frozen=True, slots=True)
class Serve:
    """Give so many ready VMs to the requests that wait for this pool."""

    count: int


@dataclass(frozen=True, slots=True)
class FailWaiting:
    """Fail the requests that wait for this pool: it can't work as it is."""

    reason: str


@dataclass(frozen=True, slots=True)
class AwaitSlot:
    """Poke the pool when a clone slot may be free: it lacks VMs, and there is none."""


@dataclass(frozen=True, slots=True)
class Prepare:
    """Have the provider check, and make, what clones of this pool need."""


@dataclass(frozen=True, slots=True)
class Clone:
    """Clone a VM whose name was reserved by a manager that is gone."""

    vm: PendingVm


@dataclass(frozen=True, slots=True)
class Resolve:
    """Find out what became of a `create` whose manager is gone."""

    vm: PendingVm


@dataclass(frozen=True, slots=True)
class Watch:
    """Wait until a created VM is ready."""

    vm: PendingVm


@dataclass(frozen=True, slots=True)
class Retire:
    """Take a VM out of its pool, or end a user's use of it, and leave it to destruction.

    The only way in which a plan ends a VM. The store refuses unless the VM is in `state` and `guard` holds.
    """

    name: str
    state: VmState
    reason: RetireReason
    guard: Guard = Guard.NONE
    bound: int | datetime | timedelta = 0
    """What the guard compares with; see `Guard`."""
    failure: str = ""
    """A failed clone's error: told to the request that the VM would have gone to."""
    counts: bool = True
    """Whether such a failure is one of the few attempts that a request has."""


@dataclass(frozen=True, slots=True)
class Destroy:
    """Destroy VMs that are due."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Annotate:
    """Write on a VM's tag in the cloud who has it until when, then move it to a better host."""

    vm: UntaggedVm
    migration_limit: int = 0
    """VMs that may be moved at once; 0: none."""


@dataclass(frozen=True, slots=True)
class SettleRecords:
    """Have the DNS records of a VM lead to its new address, or remove them since it is gone."""

    vm: DnsVm


@dataclass(frozen=True, slots=True)
class VerifyMissing:
    """Ask the provider for ready VMs that listings miss; `after_missing` decides what follows."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MarkSuspect:
    """Set a ready VM aside that neither listings nor the provider show."""

    name: str


@dataclass(frozen=True, slots=True)
class ClearSuspects:
    """Make suspects ready again that are there after all."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifySuspect:
    """Ask the provider for a suspect; `after_suspicion` decides what follows."""

    name: str
    bound: int
    """VMs of its provider that may be given up in ten minutes."""


@dataclass(frozen=True, slots=True)
class AdoptOrphan:
    """Leave an orphan to destruction."""

    vm: ProviderVm
    bound: int
    """Orphans of its provider that may be adopted in ten minutes."""


@dataclass(frozen=True, slots=True)
class AdoptLate:
    """Give the record of a VM whose clone was given up, and that appeared late, its id: it is destroyed."""

    vm: ProviderVm


@dataclass(frozen=True, slots=True)
class NoteAddress:
    """Write down the address and host that a VM has in the cloud now."""

    vm: ProviderVm


@dataclass(frozen=True, slots=True)
class Reinstate:
    """Give a ready VM back to the user whom its tag names: a Redis that failed lost the grant."""

    vm: ProviderVm


@dataclass(frozen=True, slots=True)
class ResumeDeletion:
    """Resume deletion at the provider. `whole` is what it was paused for, `KIND POOL`: it is whole again."""

    whole: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop a pool that has left the configuration and has no VM any more."""


Action = (
    Reserve
    | AwaitSlot
    | Serve
    | FailWaiting
    | Prepare
    | Clone
    | Resolve
    | Watch
    | Retire
    | Destroy
    | Annotate
    | SettleRecords
    | VerifyMissing
    | MarkSuspect
    | ClearSuspects
    | VerifySuspect
    | AdoptOrphan
    | AdoptLate
    | NoteAddress
    | Reinstate
    | ResumeDeletion
    | Forget
)
