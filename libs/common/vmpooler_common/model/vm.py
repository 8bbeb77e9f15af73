"""The life of a VM: its states, the legal moves between them, and what is known of it.

Values only: no I/O, no clock. The scripts of the store make the moves; this table is what they are
tested against.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal


class VmState(StrEnum):
    """Where a VM is in its life. A VM is in exactly one state (docs/architecture.md)."""

    PENDING = "pending"
    READY = "ready"
    RUNNING = "running"
    COMPLETED = "completed"
    DESTROYING = "destroying"
    GONE = "gone"


class ClonePhase(StrEnum):
    """How far the making of a pending VM is."""

    RESERVED = "reserved"
    """The name is taken; the provider has not been asked."""
    CREATING = "creating"
    """The provider may have been asked; `create` is never sent again for this name."""
    CREATED = "created"
    """The provider's id is known."""


MOVES: frozenset[tuple[VmState | None, VmState]] = frozenset(
    {
        (None, VmState.PENDING),  # a name is reserved
        (VmState.PENDING, VmState.READY),  # it booted
        (VmState.PENDING, VmState.RUNNING),  # it booted, and an on-demand request waits for it
        (VmState.PENDING, VmState.COMPLETED),  # it failed, took too long or is not wanted any more
        (VmState.READY, VmState.RUNNING),  # checkout, or its tag shows a grant that was lost
        (VmState.READY, VmState.COMPLETED),  # too old, found broken, or more than the pool wants
        (VmState.RUNNING, VmState.COMPLETED),  # returned, or its lifetime is over
        (VmState.COMPLETED, VmState.DESTROYING),
        (VmState.DESTROYING, VmState.GONE),
        (VmState.GONE, VmState.COMPLETED),  # a clone that was given up appeared late
        (None, VmState.COMPLETED),  # an orphan with our tag is taken in
    }
)
"""Every legal move; None is a name without a record. The store refuses all others."""


FailureReason = Literal[
    "clone_failed",
    "no_capacity",
    "clone_timeout",
    "not_ready",
    "powered_off",
    "hostname_mismatch",
    "vanished",
    "name_taken",
    "expired_ready",
    "excess",
    "drained",
    "orphan",
    "late",
]
"""Why a VM left its pool, or was destroyed, without having been used."""

RetireReason = FailureReason | Literal["lifetime over"]
"""Why a manager retires a VM; it is kept in the record and told in the log."""


class Guard(StrEnum):
    """The fact that a retirement relies on; the script `retire` checks it again, as a plan may be old."""

    NONE = "none"
    EXCESS = "excess"
    """More VMs are pending and ready than the pool's backlog and size; the bound is the configured size."""
    LEFT = "left"
    """The same of a pool that has left the configuration: its size is 0."""
    STALE = "stale"
    """The pool was drained since the VM's name was reserved, and no request needs it."""
    READY_BEFORE = "ready-before"
    """It became ready before the bound, a time."""
    ENDED = "ended"
    """Its lifetime is over."""
    UNSEEN = "unseen"
    """A suspect, and fewer VMs of its provider than the bound were given up in ten minutes."""


class TaskKind(StrEnum):
    """What a user can have done to a running VM."""

    DISK = "disk"
    """Add a disk."""
    SNAPSHOT = "snapshot"
    """Take a snapshot, which is called by the task's id."""
    REVERT = "revert"
    """Go back to a snapshot."""


class TaskState(StrEnum):
    """How far a task is."""

    PENDING = "pending"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class VmTask:
    """One task on a VM."""

    id: str
    kind: TaskKind
    detail: str
    """The disk's size in GB, or the snapshot to go back to."""
    state: TaskState
    reason: str = ""
    """Why it failed, or the last try of one that is pending."""
    is_undone: bool = False
    """A disk that went when the VM went to a snapshot without it; one that holds it brings it back."""

    @property
    def is_there(self) -> bool:
        """Whether the VM has what the task was about."""
        return self.state is TaskState.DONE and not self.is_undone


@dataclass(frozen=True, slots=True)
class VmRecord:
    """What the store knows of one VM. Times are aware UTC datetimes, None where not (yet) known."""

    name: str
    """Short host name, the record's key."""
    state: VmState
    pool: str
    provider: str
    domain: str
    """DNS domain of the host name; empty for short names."""
    provider_id: str | None = None
    attempt: str | None = None
    """Identifies the one `create` that was sent for this name; part of the ownership tag."""
    phase: ClonePhase | None = None
    reserved_at: datetime | None = None
    ready_at: datetime | None = None
    checked_out_at: datetime | None = None
    ends_at: datetime | None = None
    """When the lifetime of a running VM is over; None: never."""
    completed_at: datetime | None = None
    gone_at: datetime | None = None
    user: str | None = None
    has_token: bool = False
    """Taken with a token, so only given back with one."""
    ip: str | None = None
    host: str | None = None
    is_migrated: bool = False
    """Moved to another host since its checkout."""
    reason: str | None = None
    """Why the VM left its pool."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Name -> value, as its user gave them; by name."""
    tasks: tuple[VmTask, ...] = ()
    """In the order in which they were asked for; of those that left nothing behind only the newest."""

    @property
    def fqdn(self) -> str:
        """Host name with the domain, or the short name where there is none."""
        return f"{self.name}.{self.domain}" if self.domain else self.name
