"""What a plan may ask for: frozen values, carried out by `execute`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from vmpooler_common.model.pool import PendingVm, UntaggedVm
from vmpooler_common.model.vm import VmState
from vmpooler_manager.providers.types import ProviderVm

FailureReason = Literal[
    "clone_failed",
    "clone_timeout",
    "not_ready",
    "powered_off",
    "vanished",
    "expired_ready",
    "excess",
    "drained",
    "orphan",
    "late",
]
"""Why a VM left its pool, or was destroyed, without having been used."""


@dataclass(frozen=True, slots=True)
class Reserve:
    """Reserve names for so many new VMs and clone them."""

    count: int


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
    """Have the pool looked at when a clone slot may be free: it lacks VMs, and there is none."""


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
    """Wait until a created VM can be handed out."""

    vm: PendingVm


@dataclass(frozen=True, slots=True)
class Abandon:
    """Give a pending VM up."""

    name: str
    reason: FailureReason


@dataclass(frozen=True, slots=True)
class Recycle:
    """Replace a ready VM that became ready before `ready_before`."""

    name: str
    ready_before: datetime


@dataclass(frozen=True, slots=True)
class Shed:
    """Retire a VM that the pool has too many."""

    name: str
    state: VmState


@dataclass(frozen=True, slots=True)
class Drain:
    """Retire a VM that was made before its pool was drained."""

    name: str
    state: VmState


@dataclass(frozen=True, slots=True)
class Discard:
    """Retire a ready VM that the cloud shows to be broken."""

    name: str
    reason: FailureReason


@dataclass(frozen=True, slots=True)
class End:
    """End a running VM whose lifetime is over."""

    name: str


@dataclass(frozen=True, slots=True)
class Destroy:
    """Destroy VMs that are due."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Annotate:
    """Note on a VM in the cloud who has it until when."""

    vm: UntaggedVm


@dataclass(frozen=True, slots=True)
class VerifyMissing:
    """Ask for ready VMs that listings miss; those that the provider doesn't have, either, are set aside."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClearSuspects:
    """Put VMs back that a listing shows again."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifySuspect:
    """Ask the provider for a suspect, and give it up only if it says that there is none."""

    name: str


@dataclass(frozen=True, slots=True)
class AdoptOrphan:
    """Leave an orphan to destruction."""

    vm: ProviderVm


@dataclass(frozen=True, slots=True)
class AdoptLate:
    """A VM whose clone was given up appeared late: give its record the id, and it goes to destruction."""

    vm: ProviderVm


@dataclass(frozen=True, slots=True)
class Reinstate:
    """Give a ready VM back to whom its tag names: the grant was lost with a Redis that failed."""

    vm: ProviderVm


@dataclass(frozen=True, slots=True)
class ResumeDeletion:
    """The listing is whole again: allow destroying. `whole` is what the halt was for, `KIND POOL`."""

    whole: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Drop a pool that has left the configuration and has no VM any more."""


Action = (
    Reserve
    | AwaitSlot
    | Serve
    | FailWaiting
    | Clone
    | Resolve
    | Watch
    | Abandon
    | Recycle
    | Shed
    | Drain
    | Discard
    | End
    | Destroy
    | Annotate
    | VerifyMissing
    | ClearSuspects
    | VerifySuspect
    | AdoptOrphan
    | AdoptLate
    | Reinstate
    | ResumeDeletion
    | Forget
)
