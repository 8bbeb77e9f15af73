"""Builders for the planner's tests: a pool that is full and at rest, to be changed where a test needs it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from vmpooler_common.model.pool import PendingVm, Sizes, Snapshot, UntaggedVm
from vmpooler_common.model.vm import ClonePhase, Guard, VmState
from vmpooler_manager.planning.actions import Action, Retire
from vmpooler_manager.planning.planner import plan
from vmpooler_manager.planning.spec import PoolSpec, PoolView
from vmpooler_manager.providers.contract import OwnershipTag, ProviderVm, VmStatus

NOW = datetime(2026, 5, 17, 12, 0, tzinfo=UTC)
POOL = "debian"
PROVIDER = "cloud"
INSTALLATION = "lab"
GENERATION = "generation-1"


GRACE = timedelta(minutes=10)
REMOVED: dict[str, Any] = {"size": 0, "absent_for": GRACE, "removal_grace": GRACE}
"""A pool that no manager has been configured for during the grace period."""


def ago(**units: float) -> datetime:
    """Return a time before NOW."""
    return NOW - timedelta(**units)


def ahead(**units: float) -> datetime:
    """Return a time after NOW."""
    return NOW + timedelta(**units)


def pool_spec(**changes: Any) -> PoolSpec:
    """Describe a pool of two VMs in an installation with ten clone slots of each kind."""
    spec: dict[str, Any] = {
        "name": POOL,
        "provider": PROVIDER,
        "size": 2,
        "slot_limit": 10,
        "request_slot_limit": 10,
        "ready_ttl": timedelta(minutes=60),
        "timeout": timedelta(minutes=15),
    }
    return PoolSpec(**{**spec, **changes})


def pending_vm(name: str = "new", phase: ClonePhase = ClonePhase.RESERVED, **changes: Any) -> PendingVm:
    """Describe a pending VM reserved a minute ago, whose manager's lease has lapsed."""
    vm: dict[str, Any] = {
        "provider": PROVIDER,
        "reserved_at": ago(minutes=1),
        "lease_ends_at": ago(seconds=1),
        "attempt": f"attempt-of-{name}",
        "provider_id": f"id-of-{name}" if phase is ClonePhase.CREATED else "",
        "cloned": False,
    }
    return PendingVm(name=name, phase=phase, **{**vm, **changes})


def untagged_vm(name: str = "taken") -> UntaggedVm:
    """Describe a running VM whose tag doesn't say so yet."""
    return UntaggedVm(name, PROVIDER, f"id-of-{name}", f"attempt-of-{name}", "ann", ahead(hours=1))


def provider_vm(name: str, **changes: Any) -> ProviderVm:
    """Describe a ready VM of this installation as its provider shows it; fields of the tag may be changed."""
    tag: dict[str, Any] = {
        "installation": INSTALLATION,
        "generation": GENERATION,
        "pool": POOL,
        "name": name,
        "attempt": f"attempt-of-{name}",
    }
    status = changes.pop("status", VmStatus.RUNNING)
    provider_id = changes.pop("provider_id", f"id-of-{name}")
    return ProviderVm(provider_id, name, status, OwnershipTag(**{**tag, **changes}))


def foreign_vm(name: str) -> ProviderVm:
    """Describe a VM that somebody else made."""
    return ProviderVm(f"id-of-{name}", name, VmStatus.RUNNING, tag=None)


def snapshot(*, sizes: tuple[int, ...] | None = None, **changes: Any) -> Snapshot:
    """Describe a pool; `sizes` are pending, ready, suspect, running, completed, destroying, stale.

    Without sizes the pending VMs are counted, the suspects too, and two VMs are ready.
    """
    pending = changes.get("pending", ())
    suspects = changes.get("suspects", {})
    counted = sizes or (len(pending), 2, len(suspects), 0, 0, 0)
    seen: dict[str, Any] = {
        "now": NOW,
        "generation": GENERATION,
        "deletion_pause": None,
        "broken": "",
        "backing_off": "",
        "problem": None,
        "pause": None,
        "request_slots_in_use": 0,
        "pool_slots_in_use": 0,
        "backlog": 0,
        "clones": 0,
        "pending": (),
        "expired_ready": (),
        "excess_ready": (),
        "ended_running": (),
        "to_destroy": (),
        "untagged": (),
        "ready": {},
        "suspects": {},
    }
    return Snapshot(sizes=Sizes(*counted), **{**seen, **changes})


def pool_view(**changes: Any) -> PoolView:
    """View a pool; what isn't a field of the view is one of its snapshot."""
    fields = {name: changes.pop(name) for name in list(changes) if name in PoolView.__slots__}
    return PoolView(snapshot=snapshot(**changes), **fields)


def planned(spec: dict[str, Any] | None = None, **view: Any) -> tuple[Action, ...]:
    """Plan for such a pool with these changes of `pool_spec` and `pool_view`, at NOW."""
    return plan(pool_spec(**(spec or {})), pool_view(**view), NOW)


def timed_out(name: str) -> Retire:
    """Expect a pending VM to be given up that took too long."""
    failure = f"a VM of {POOL} was not ready in time"
    return Retire(name, VmState.PENDING, "clone_timeout", failure=failure)


def unwanted(name: str) -> Retire:
    """Expect a pending VM to be given up that nobody may go on with."""
    return Retire(name, VmState.PENDING, "excess")


def surplus(name: str, state: VmState, size: int | timedelta, *, guard: Guard = Guard.EXCESS) -> Retire:
    """Expect a VM to be retired that a pool of this size has too many."""
    return Retire(name, state, "excess", guard, size)


def drained(name: str, state: VmState) -> Retire:
    """Expect a VM to be retired that was made before its pool was drained."""
    return Retire(name, state, "drained", Guard.STALE)


def expired(name: str) -> Retire:
    """Expect a ready VM to be retired that has been ready for an hour."""
    return Retire(name, VmState.READY, "expired_ready", Guard.READY_BEFORE, ago(minutes=60))


def ended(name: str) -> Retire:
    """Expect a running VM to be ended."""
    return Retire(name, VmState.RUNNING, "lifetime over", Guard.ENDED)
