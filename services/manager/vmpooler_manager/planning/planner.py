"""Every decision about a pool: pure functions of what was seen. Whatever is due is listed, nothing is done.

The scripts that carry a plan out check its bounds again, so an old plan does no harm.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime

from vmpooler_common.model.pool import PendingVm, Snapshot
from vmpooler_common.model.vm import ClonePhase, Guard, VmState
from vmpooler_manager.planning.actions import (
    Action,
    AdoptLate,
    AdoptOrphan,
    Annotate,
    AwaitSlot,
    ClearSuspects,
    Clone,
    Destroy,
    FailWaiting,
    Forget,
    NoteAddress,
    Prepare,
    Reinstate,
    Reserve,
    Resolve,
    ResumeDeletion,
    Retire,
    Serve,
    SettleRecords,
    VerifyMissing,
    VerifySuspect,
    Watch,
)
from vmpooler_manager.planning.inspection import retire_renamed, retire_switched_off
from vmpooler_manager.planning.limits import (
    RESERVED_AT_ONCE,
    UNSERVED,
    SlotUse,
    absent_bound,
    clones_to_start,
    orphan_bound,
)
from vmpooler_manager.planning.spec import PoolSpec, PoolView


def plan(spec: PoolSpec, view: PoolView, now: datetime) -> tuple[Action, ...]:
    """List what would bring `view` closer to `spec`; empty when they agree. `now` is Redis's time.

    No VM is named by two moves.
    """
    if not view.snapshot.generation:
        return ()
    reinstated = tuple(map(Reinstate, view.findings.granted_by_tag)) if view.findings else ()
    in_use = frozenset(move.vm.name for move in reinstated)
    overdue = tuple(_retire_overdue(spec, view, now, in_use=in_use))
    unwanted = tuple(_retire_unwanted(spec, view, now, leaving=_names(overdue)))
    drained = tuple(_drain(view, leaving=in_use | _names(overdue, unwanted)))
    surplus = tuple(_retire_surplus(spec, view, leaving=in_use | _names(overdue, unwanted, drained)))
    return (
        *reinstated,  # first of all, so that nothing else is done with them
        *_serve(spec, view),
        *overdue,
        *unwanted,
        *drained,
        *surplus,
        *_prepare(spec, view),
        *_continue(spec, view, now, leaving=_names(overdue, unwanted, drained, surplus)),
        *_fill(spec, view),
        *_annotate(spec, view),
        *_settle_records(view),
        *_follow_listing(spec, view, leaving=in_use | _names(overdue, surplus)),
        *_destroy(view),
        *_forget(spec, view),
    )


def _names(*moves: Iterable[Retire]) -> frozenset[str]:
    return frozenset(move.name for group in moves for move in group)


def _retire_overdue(
    spec: PoolSpec, view: PoolView, now: datetime, *, in_use: frozenset[str]
) -> Iterator[Retire]:
    """Retire what has lasted long enough."""
    if not view.is_steady or not view.may_destroy:
        return
    snapshot = view.snapshot
    for name in snapshot.ended_running:
        yield Retire(name, VmState.RUNNING, "lifetime over", Guard.ENDED)
    if not spec.configured and not spec.removed:
        return  # a manager that has it may be back soon, and knows its limits
    for vm in snapshot.pending:
        if now - vm.waits_since >= spec.timeout:
            obstacle = view.obstacles.get(vm.name)
            failure = f"a VM of {spec.name} was not ready in time" + (f": {obstacle}" if obstacle else "")
            yield Retire(vm.name, VmState.PENDING, "clone_timeout", failure=failure)
    ready_before = now - spec.ready_ttl
    aged_suspects = (name for name, since in snapshot.suspects.items() if since <= ready_before)
    for name in (*snapshot.expired_ready, *aged_suspects):
        if name not in in_use:
            yield Retire(name, VmState.READY, "expired_ready", Guard.READY_BEFORE, ready_before)


def _retire_unwanted(
    spec: PoolSpec, view: PoolView, now: datetime, *, leaving: frozenset[str]
) -> Iterator[Retire]:
    """Give up pending VMs that nobody works on and nobody may go on with."""
    stopped = spec.paused or spec.removed
    for vm in view.snapshot.pending:
        moved = vm.provider != spec.provider and (spec.configured or spec.removed)
        reserved = vm.phase is ClonePhase.RESERVED
        if vm.name not in leaving and _is_left(vm, view, now) and (moved or (reserved and stopped)):
            yield Retire(vm.name, VmState.PENDING, "excess")


def _is_left(vm: PendingVm, view: PoolView, now: datetime) -> bool:
    """Whether no manager works on a pending VM."""
    return vm.name not in view.busy and (vm.phase is ClonePhase.CREATED or vm.lease_ends_at <= now)


def _drain(view: PoolView, *, leaving: frozenset[str]) -> Iterator[Retire]:
    """Retire what was made before the pool was drained, but of pending VMs as many as requests wait for."""
    if not view.may_destroy:
        return
    snapshot = view.snapshot
    for name in snapshot.stale:
        if name not in leaving:
            yield Retire(name, VmState.READY, "drained", Guard.STALE)
    staying = [vm for vm in snapshot.pending if vm.name not in leaving]
    oldest_first = sorted(staying, key=lambda vm: vm.reserved_at)
    for vm in oldest_first[snapshot.backlog :]:
        if vm.revision != snapshot.revision:
            yield Retire(vm.name, VmState.PENDING, "drained", Guard.STALE)


def _retire_surplus(spec: PoolSpec, view: PoolView, *, leaving: frozenset[str]) -> Iterator[Retire]:
    """Retire what is too much: the youngest pending VMs first, as a ready one is worth more."""
    if not view.may_destroy or not (spec.configured or spec.removed):
        return
    snapshot = view.snapshot
    guard, bound = (Guard.LEFT, spec.removal_grace) if spec.removed else (Guard.EXCESS, spec.size)
    staying = [vm for vm in snapshot.pending if vm.name not in leaving]
    ready = snapshot.ready.keys() | frozenset(snapshot.expired_ready)
    left = len(snapshot.pending) - len(staying) + len(leaving & ready)
    excess = max(0, snapshot.sizes.pending + snapshot.sizes.ready - left - spec.size - snapshot.backlog)
    youngest = sorted(staying, key=lambda vm: vm.reserved_at, reverse=True)[:excess]
    for vm in youngest:
        yield Retire(vm.name, VmState.PENDING, "excess", guard, bound)
    oldest = [name for name in snapshot.excess_ready if name not in leaving]
    for name in oldest[: excess - len(youngest)]:
        yield Retire(name, VmState.READY, "excess", guard, bound)


def _prepare(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    """Have a pool that may need clones prepared, so that one that can't work says so before the first."""
    if view.needs_preparation and spec.configured and not spec.paused:
        yield Prepare()


def _continue(spec: PoolSpec, view: PoolView, now: datetime, *, leaving: frozenset[str]) -> Iterator[Action]:
    """Go on with pending VMs whose manager is gone."""
    for vm in view.snapshot.pending:
        if vm.name in leaving or not _is_left(vm, view, now):
            continue
        match vm.phase:
            case ClonePhase.CREATED:
                yield Watch(vm)
            case ClonePhase.CREATING:
                yield Resolve(vm)
            case ClonePhase.RESERVED:
                if view.may_clone and spec.configured:
                    yield Clone(vm)


def _fill(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    snapshot = view.snapshot
    lacking = missing(spec, snapshot)
    if spec.paused or not spec.configured or not view.may_clone or not lacking:
        return
    count = clones_to_start(
        SlotUse(
            missing=lacking,
            uncloned=snapshot.backlog - snapshot.clones,
            free_for_requests=spec.request_slot_limit - snapshot.request_slots_in_use,
            free_for_pools=spec.slot_limit - snapshot.pool_slots_in_use,
        )
    )
    yield Reserve(min(count, RESERVED_AT_ONCE), lacking) if count else AwaitSlot()


def missing(spec: PoolSpec, snapshot: Snapshot) -> int:
    """How many VMs the pool lacks, by its backlog and what is pending and ready; suspects don't count."""
    return max(0, spec.size + snapshot.backlog - snapshot.sizes.pending - snapshot.sizes.ready)


def _serve(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    """Give ready VMs to requests, or fail requests that can't be met."""
    snapshot = view.snapshot
    if not snapshot.backlog:
        return
    fault = view.permanent_fault
    if spec.absent_for is not None:
        has_waited = spec.removed or spec.absent_for >= UNSERVED
        fault = "no manager is configured for the pool" if has_waited else ""
    if fault:
        yield FailWaiting(fault)
        return
    ready = snapshot.sizes.ready - (len(view.findings.granted_by_tag) if view.findings else 0)
    kept = snapshot.owed if spec.serves_from_ready else max(snapshot.owed, spec.size)
    count = min(snapshot.backlog, ready - kept)
    if count > 0 and not spec.paused:
        yield Serve(count)


def _annotate(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    for vm in view.snapshot.untagged:
        if vm.name not in view.busy:
            yield Annotate(vm, spec.migration_limit)


def _settle_records(view: PoolView) -> Iterator[Action]:
    """Have DNS know where VMs are that can be used, and forget those that are gone."""
    for vm in view.snapshot.dns_due:
        if vm.name not in view.busy and vm.state in (VmState.READY, VmState.RUNNING, VmState.GONE):
            yield SettleRecords(vm)


def _follow_listing(spec: PoolSpec, view: PoolView, *, leaving: frozenset[str]) -> Iterator[Action]:
    findings, pause = view.findings, view.snapshot.deletion_pause
    if findings is None:
        return
    if findings.missing:
        yield VerifyMissing(findings.missing)
    if found := tuple(name for name in findings.found if name not in leaving):
        yield ClearSuspects(found)
    for vm in findings.late:
        yield AdoptLate(vm)
    for vm in findings.readdressed:
        if vm.name not in leaving:
            yield NoteAddress(vm)
    if pause and findings.whole and pause.pool == spec.name:
        yield ResumeDeletion(f"{pause.kind} {pause.pool}")
    if not view.may_destroy or not view.is_steady:
        return
    for name in findings.switched_off:
        if name not in leaving:
            yield retire_switched_off(name)
    for name in findings.renamed:
        if name not in leaving and name not in findings.switched_off:
            yield retire_renamed(name)
    for vm in findings.orphans:
        # While deletion is paused the store only writes its name down, for the operator who resumes it.
        yield AdoptOrphan(vm, orphan_bound(view.provider_vms))
    if pause:
        return
    for name in view.snapshot.suspects:
        if name not in findings.found and name not in view.busy and name not in leaving:
            yield VerifySuspect(name, absent_bound(view.provider_vms))


def _destroy(view: PoolView) -> Iterator[Action]:
    if view.snapshot.deletion_pause or not view.may_destroy or not view.is_steady:
        return
    names = tuple(name for name in view.snapshot.to_destroy if name not in view.busy)
    if names:
        yield Destroy(names)


def _forget(spec: PoolSpec, view: PoolView) -> Iterator[Action]:
    sizes = view.snapshot.sizes
    alive = sizes.pending + sizes.ready + sizes.suspect + sizes.stale + sizes.running
    leaving = sizes.completed + sizes.destroying + sizes.unmade
    if spec.removed and alive + leaving + view.snapshot.unsettled == 0:
        yield Forget()
