"""Every decision about a pool: pure functions of what was seen. Whatever is due is listed, nothing is done.

The scripts that carry a plan out check its bounds again, so an old plan does no harm.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmpooler_common.model import ClonePhase, VmState
from vmpooler_common.snapshot import Snapshot
from vmpooler_manager.actions import (
    Abandon,
    Action,
    Annotate,
    Clone,
    Confirm,
    Destroy,
    Discard,
    Doubt,
    End,
    Forget,
    LiftHalt,
    Recognise,
    Recycle,
    Reserve,
    Resolve,
    Shed,
    TakeIn,
    Trust,
    Watch,
)
from vmpooler_manager.inventory import Findings

RESERVED_AT_ONCE = 100
"""Names that one pass reserves for a pool; the next pass follows at once."""


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """What the configuration wants of a pool."""

    name: str
    provider: str
    size: int
    slot_limit: int
    """Clones in flight in the whole installation."""
    ready_ttl: timedelta
    timeout: timedelta
    """Longest time that a VM may be pending."""
    paused: bool = False
    configured: bool = True
    """False for a pool that has left the configuration: its size is 0, its VMs live out their time."""


@dataclass(frozen=True, slots=True)
class PoolView:
    """What was seen of a pool."""

    snapshot: Snapshot
    findings: Findings | None = None
    """Only in the pass after a complete listing."""
    busy: frozenset[str] = frozenset()
    """VMs that this manager works on already."""
    may_clone: bool = True
    """False while clones of this pool, or its provider, are held back after errors."""
    may_destroy: bool = True
    """False until a complete listing was compared with what this Redis server holds now."""
    is_steady: bool = True
    """False while Redis's clock jumps: then no time is over."""


def plan(spec: PoolSpec, view: PoolView, now: datetime) -> tuple[Action, ...]:
    """List what would bring `view` closer to `spec`; empty when they agree. `now` is Redis's time."""
    if not view.snapshot.generation:
        return ()
    return (
        *_finish_pending(spec, view, now),
        *_end(spec, view, now),
        *_shed(spec, view),
        *_fill(spec, view),
        *_note_owners(view),
        *_follow_listing(spec, view),
        *_destroy(view),
        *_forget(spec, view),
    )


def _finish_pending(spec: PoolSpec, view: PoolView, now: datetime) -> Iterator[Action]:
    for vm in view.snapshot.pending:
        if view.is_steady and now - vm.reserved_at > spec.timeout:
            yield Abandon(vm.name, "clone_timeout")
        elif vm.name in view.busy:
            continue
        elif vm.phase is ClonePhase.CREATED:
            yield Watch(vm)
        elif vm.lease_ends_at > now:
            continue  # another manager is at it
        elif vm.phase is ClonePhase.CREATING:
            yield Resolve(vm)
        elif vm.provider != spec.provider or spec.paused or not spec.configured:
            yield Abandon(vm.name, "excess")
        elif view.may_clone:
            yield Clone(vm)


def _end(spec: PoolSpec, view: PoolView, now: datetime) -> Iterator[Action]:
    if not view.is_steady or not view.may_destroy:
        return
    for name in view.snapshot.ended_running:
        yield End(name)
    for name in view.snapshot.expired_ready:
        yield Recycle(name, now - spec.ready_ttl)


def _shed(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    """Retire what is too much: the youngest pending VMs first, for a ready one is worth more."""
    sizes = view.snapshot.sizes
    excess = sizes.pending + sizes.ready - spec.size
    if excess <= 0 or not view.may_destroy:
        return
    youngest = sorted(view.snapshot.pending, key=lambda vm: vm.reserved_at, reverse=True)
    pending = [vm.name for vm in youngest[:excess]]
    for name in pending:
        yield Shed(name, VmState.PENDING)
    for name in view.snapshot.excess_ready[: excess - len(pending)]:
        yield Shed(name, VmState.READY)


def _fill(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    if spec.paused or not spec.configured or not view.may_clone:
        return
    count = min(missing(spec, view.snapshot), spec.slot_limit - view.snapshot.slots_in_use, RESERVED_AT_ONCE)
    if count > 0:
        yield Reserve(count)


def missing(spec: PoolSpec, snapshot: Snapshot) -> int:
    """How many VMs the pool lacks, by what is pending and ready; suspects don't count."""
    return max(0, spec.size - snapshot.sizes.pending - snapshot.sizes.ready)


def _note_owners(view: PoolView) -> Iterator[Action]:
    for vm in view.snapshot.untagged:
        if vm.name not in view.busy:
            yield Annotate(vm)


def _follow_listing(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    findings, halt = view.findings, view.snapshot.halt
    if findings is None:
        return
    if findings.missing:
        yield Doubt(findings.missing)
    if findings.found:
        yield Trust(findings.found)
    for name in findings.switched_off:
        yield Discard(name, "powered_off")
    for vm in findings.late:
        yield Recognise(vm)
    if halt and findings.whole and halt.pool == spec.name:
        yield LiftHalt(f"{halt.kind} {halt.pool}")
    if halt or not view.may_destroy or not view.is_steady:
        return
    for name in view.snapshot.suspects:
        if name not in findings.found and name not in view.busy:
            yield Confirm(name)
    for vm in findings.orphans:
        yield TakeIn(vm)


def _destroy(view: PoolView) -> Iterator[Action]:
    if view.snapshot.halt or not view.may_destroy or not view.is_steady:
        return
    names = tuple(name for name in view.snapshot.doomed if name not in view.busy)
    if names:
        yield Destroy(names)


def _forget(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    sizes = view.snapshot.sizes
    alive = sizes.pending + sizes.ready + sizes.suspect + sizes.running
    if not spec.configured and alive + sizes.completed + sizes.destroying == 0:
        yield Forget()
