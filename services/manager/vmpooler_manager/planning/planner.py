"""Every decision about a pool: pure functions of what was seen. Whatever is due is listed, nothing is done.

The scripts that carry a plan out check its bounds again, so an old plan does no harm.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmpooler_common.model.pool import PendingVm, Snapshot
from vmpooler_common.model.vm import ClonePhase, VmState
from vmpooler_manager.planning.actions import (
    Abandon,
    Action,
    AdoptLate,
    AdoptOrphan,
    Annotate,
    AwaitSlot,
    ClearSuspects,
    Clone,
    Destroy,
    Discard,
    Drain,
    End,
    FailWaiting,
    Forget,
    Recycle,
    Reinstate,
    Reserve,
    Resolve,
    ResumeDeletion,
    Serve,
    Shed,
    VerifyMissing,
    VerifySuspect,
    Watch,
)
from vmpooler_manager.planning.inventory import Findings

RESERVED_AT_ONCE = 100
"""Names that one pass reserves for a pool; the next pass follows at once."""


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """What is wanted of a pool."""

    name: str
    provider: str
    size: int
    slot_limit: int
    """Clones in flight in the whole installation, to keep pools filled."""
    request_slot_limit: int
    """The same for on-demand requests."""
    ready_ttl: timedelta
    timeout: timedelta
    """Longest time that a VM may be pending."""
    serves_from_ready: bool = True
    """Ready VMs go to on-demand requests at once; otherwise only those that are too many do."""
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
    permanent_fault: str = ""
    """Why the provider can't work as it is configured."""


def plan(spec: PoolSpec, view: PoolView, now: datetime) -> tuple[Action, ...]:
    """List what would bring `view` closer to `spec`; empty when they agree. `now` is Redis's time.

    No VM is named by two moves.
    """
    if not view.snapshot.generation:
        return ()
    granted_by_tag = tuple(map(Reinstate, view.findings.granted_by_tag)) if view.findings else ()
    in_use = frozenset(move.vm.name for move in granted_by_tag)
    overdue = tuple(_expire(spec, view, now, in_use=in_use))
    unwanted = tuple(_drop(spec, view, now, leaving=_names(overdue)))
    drained = tuple(_drain(view, leaving=in_use | _names(overdue, unwanted)))
    surplus = tuple(_shed(spec, view, leaving=in_use | _names(overdue, unwanted, drained)))
    return (
        *granted_by_tag,  # first of all, so that nothing else is done with them
        *_serve(spec, view),
        *overdue,
        *unwanted,
        *drained,
        *surplus,
        *_go_on(view, now, leaving=_names(overdue, unwanted, drained, surplus)),
        *_fill(spec, view),
        *_note_owners(view),
        *_follow_listing(spec, view, leaving=in_use | _names(overdue, surplus)),
        *_destroy(view),
        *_forget(spec, view),
    )


def _names(*moves: tuple[Abandon | Drain | End | Recycle | Shed, ...]) -> frozenset[str]:
    return frozenset(move.name for group in moves for move in group)


def _expire(
    spec: PoolSpec, view: PoolView, now: datetime, *, in_use: frozenset[str]
) -> Iterator[Abandon | End | Recycle]:
    """End what has lasted long enough."""
    if not view.is_steady or not view.may_destroy:
        return
    snapshot = view.snapshot
    for vm in snapshot.pending:
        if now - vm.reserved_at >= spec.timeout:
            yield Abandon(vm.name, "clone_timeout")
    for name in snapshot.ended_running:
        yield End(name)
    ready_before = now - spec.ready_ttl
    aged_suspects = (name for name, since in snapshot.suspects.items() if since <= ready_before)
    for name in (*snapshot.expired_ready, *aged_suspects):
        if name not in in_use:
            yield Recycle(name, ready_before)


def _drop(spec: PoolSpec, view: PoolView, now: datetime, *, leaving: frozenset[str]) -> Iterator[Abandon]:
    """Give up what nobody works on and nobody may go on with."""
    stopped = spec.paused or not spec.configured
    for vm in view.snapshot.pending:
        moved = vm.provider != spec.provider
        reserved = vm.phase is ClonePhase.RESERVED
        if vm.name not in leaving and _is_left(vm, view, now) and (moved or (reserved and stopped)):
            yield Abandon(vm.name, "excess")


def _is_left(vm: PendingVm, view: PoolView, now: datetime) -> bool:
    """Whether no manager works on a pending VM."""
    return vm.name not in view.busy and (vm.phase is ClonePhase.CREATED or vm.lease_ends_at <= now)


def _drain(view: PoolView, *, leaving: frozenset[str]) -> Iterator[Drain]:
    """Retire what was made before the pool was drained, but of pending VMs as many as requests wait for."""
    if not view.may_destroy:
        return
    snapshot = view.snapshot
    for name in snapshot.stale:
        if name not in leaving:
            yield Drain(name, VmState.READY)
    staying = [vm for vm in snapshot.pending if vm.name not in leaving]
    oldest_first = sorted(staying, key=lambda vm: vm.reserved_at)
    for vm in oldest_first[snapshot.backlog :]:
        if vm.revision != snapshot.revision:
            yield Drain(vm.name, VmState.PENDING)


def _shed(spec: PoolSpec, view: PoolView, *, leaving: frozenset[str]) -> Iterator[Shed]:
    """Retire what is too much: the youngest pending VMs first, for a ready one is worth more."""
    if not view.may_destroy:
        return
    snapshot = view.snapshot
    staying = [vm for vm in snapshot.pending if vm.name not in leaving]
    ready = snapshot.ready.keys() | frozenset(snapshot.expired_ready)
    left = len(snapshot.pending) - len(staying) + len(leaving & ready)
    excess = max(0, snapshot.sizes.pending + snapshot.sizes.ready - left - spec.size - snapshot.backlog)
    youngest = sorted(staying, key=lambda vm: vm.reserved_at, reverse=True)[:excess]
    for vm in youngest:
        yield Shed(vm.name, VmState.PENDING)
    oldest = [name for name in snapshot.excess_ready if name not in leaving]
    for name in oldest[: excess - len(youngest)]:
        yield Shed(name, VmState.READY)


def _go_on(view: PoolView, now: datetime, *, leaving: frozenset[str]) -> Iterator[Action]:
    """Take up pending VMs whose manager is gone."""
    for vm in view.snapshot.pending:
        if vm.name in leaving or not _is_left(vm, view, now):
            continue
        match vm.phase:
            case ClonePhase.CREATED:
                yield Watch(vm)
            case ClonePhase.CREATING:
                yield Resolve(vm)
            case ClonePhase.RESERVED:
                if view.may_clone:
                    yield Clone(vm)


def _fill(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    lacking = missing(spec, view.snapshot)
    if spec.paused or not spec.configured or not view.may_clone or not lacking:
        return
    snapshot = view.snapshot
    for_requests = min(lacking, max(0, snapshot.backlog - snapshot.clones))
    count = min(for_requests, max(0, spec.request_slot_limit - snapshot.request_slots_in_use))
    if count == for_requests:
        # Only then: the pool's first clones count as the requests', whatever they were meant for.
        count += min(lacking - for_requests, max(0, spec.slot_limit - snapshot.pool_slots_in_use))
    yield Reserve(min(count, RESERVED_AT_ONCE)) if count > 0 else AwaitSlot()


def missing(spec: PoolSpec, snapshot: Snapshot) -> int:
    """How many VMs the pool lacks, by its backlog and what is pending and ready; suspects don't count."""
    return max(0, spec.size + snapshot.backlog - snapshot.sizes.pending - snapshot.sizes.ready)


def _serve(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    """Give ready VMs to requests, or fail requests that can't be met."""
    snapshot = view.snapshot
    if not snapshot.backlog:
        return
    permanent_fault = view.permanent_fault if spec.configured else "the pool isn't configured any more"
    if permanent_fault:
        yield FailWaiting(permanent_fault)
        return
    ready = snapshot.sizes.ready - (len(view.findings.granted_by_tag) if view.findings else 0)
    kept = snapshot.owed if spec.serves_from_ready else max(snapshot.owed, spec.size)
    count = min(snapshot.backlog, ready - kept)
    if count > 0 and not spec.paused:
        yield Serve(count)


def _note_owners(view: PoolView) -> Iterator[Action]:
    for vm in view.snapshot.untagged:
        if vm.name not in view.busy:
            yield Annotate(vm)


def _follow_listing(spec: PoolSpec, view: PoolView, *, leaving: frozenset[str]) -> Iterator[Action]:
    findings, halt = view.findings, view.snapshot.halt
    if findings is None:
        return
    if findings.missing:
        yield VerifyMissing(findings.missing)
    if found := tuple(name for name in findings.found if name not in leaving):
        yield ClearSuspects(found)
    for vm in findings.late:
        yield AdoptLate(vm)
    if halt and findings.whole and halt.pool == spec.name:
        yield ResumeDeletion(f"{halt.kind} {halt.pool}")
    if not view.may_destroy or not view.is_steady:
        return
    for name in findings.switched_off:
        if name not in leaving:
            yield Discard(name, "powered_off")
    for vm in findings.orphans:
        yield AdoptOrphan(vm)  # at a halted provider it is noted only, for who releases that
    if halt:
        return
    for name in view.snapshot.suspects:
        if name not in findings.found and name not in view.busy and name not in leaving:
            yield VerifySuspect(name)


def _destroy(view: PoolView) -> Iterator[Action]:
    if view.snapshot.halt or not view.may_destroy or not view.is_steady:
        return
    names = tuple(name for name in view.snapshot.to_destroy if name not in view.busy)
    if names:
        yield Destroy(names)


def _forget(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    sizes = view.snapshot.sizes
    alive = sizes.pending + sizes.ready + sizes.suspect + sizes.stale + sizes.running
    if not spec.configured and alive + sizes.completed + sizes.destroying == 0:
        yield Forget()
