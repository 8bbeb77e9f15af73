"""What no plan may ever ask for, whatever it was shown."""

from collections.abc import Sequence

from vmpooler_common.model.vm import ClonePhase, Guard, VmState
from vmpooler_manager.planning.actions import (
    Action,
    AdoptOrphan,
    Clone,
    Destroy,
    FailWaiting,
    Reserve,
    Retire,
    Serve,
    VerifySuspect,
)
from vmpooler_manager.planning.spec import PoolSpec, PoolView

UNTIMED = ("excess", "drained")
"""Reasons that are no question of time."""


def _retired(actions: Sequence[Action], *reasons: str) -> list[Retire]:
    return [a for a in actions if isinstance(a, Retire) and a.reason in reasons]


def _is_ending(action: Action) -> bool:
    """Whether it ends a VM that somebody has or might get; giving up a clone that nobody works on doesn't."""
    match action:
        case Retire(state=VmState.PENDING, reason="excess", guard=Guard.NONE):
            return False
        case Retire() | Destroy() | AdoptOrphan():
            return True
    return False


def judge_plan(spec: PoolSpec, view: PoolView, actions: Sequence[Action]) -> None:
    """Hold a plan to the facts that it was made of."""
    _judge_bounds(spec, view, actions)
    _judge_serving(spec, view, actions)
    _judge_endings(view, actions)
    _judge_draining(view, actions)
    _judge_suspicion(view, actions)


def _judge_bounds(spec: PoolSpec, view: PoolView, actions: Sequence[Action]) -> None:
    snapshot = view.snapshot
    sizes, backlog = snapshot.sizes, snapshot.backlog
    alive, wanted = sizes.pending + sizes.ready, spec.size + snapshot.backlog
    reserved = sum(action.count for action in actions if isinstance(action, Reserve))
    if reserved:
        assert alive + reserved <= wanted, "more than the pool's size and its backlog"
        free_for_requests = max(0, spec.request_slot_limit - snapshot.request_slots_in_use)
        free_for_pools = max(0, spec.slot_limit - snapshot.pool_slots_in_use)
        for_requests = min(reserved, max(0, backlog - snapshot.clones))
        assert for_requests <= free_for_requests, "more than the clone slots for requests"
        assert reserved - for_requests <= free_for_pools, "more than the clone slots for pools"
        assert not spec.paused, "clones for a paused pool"
        assert spec.configured, "clones for a pool that left the configuration"
    surplus = [a for a in _retired(actions, "excess") if a.guard in (Guard.EXCESS, Guard.LEFT)]
    assert len(surplus) <= max(0, alive - wanted), "more was retired than is too many"
    begun = [action.vm for action in actions if isinstance(action, Clone)]
    for vm in begun:
        assert vm.phase is ClonePhase.RESERVED, "create sent for a name that was begun with"
        assert vm.lease_ends_at <= view.snapshot.now, "a name taken from a manager that works on it"


def _judge_serving(spec: PoolSpec, view: PoolView, actions: Sequence[Action]) -> None:
    sizes, backlog = view.snapshot.sizes, view.snapshot.backlog
    for action in actions:
        if isinstance(action, Serve):
            assert 0 < action.count <= min(backlog, sizes.ready), "VMs that aren't there or nobody wants"
            assert not spec.paused, "VMs of a paused pool given away"
            spared = 0 if spec.serves_from_ready else spec.size
            assert sizes.ready - action.count >= spared, "VMs that are kept for checkouts"
        if isinstance(action, FailWaiting):
            assert backlog, "a failure that nobody waits for"
            assert view.permanent_fault or not spec.configured, "a failure while there is hope"


def _judge_endings(view: PoolView, actions: Sequence[Action]) -> None:
    snapshot = view.snapshot
    endings = [action for action in actions if _is_ending(action)]
    if not view.may_destroy:
        assert not endings, "an end before a listing was compared"
    if not view.is_steady:
        assert all(isinstance(a, Retire) and a.reason in UNTIMED for a in endings), (
            "an end by an unsteady clock"
        )
    for action in endings:
        match action:
            case Retire(name, VmState.RUNNING):
                assert name in snapshot.ended_running, "a lifetime that isn't over"
                assert action.guard is Guard.ENDED, "an end that the store doesn't check again"
            case Retire(_, state, "excess" | "drained", guard):
                assert guard is not Guard.NONE, "a VM retired as surplus that the store doesn't check again"
                assert state is not VmState.RUNNING, "a running VM retired as surplus"
            case Destroy(names):
                assert set(names) <= set(snapshot.to_destroy), "a destruction that isn't due"
                assert snapshot.deletion_pause is None, "a destruction while deletion is paused"
            case AdoptOrphan(vm):
                assert vm.tag is not None, "a VM without a tag adopted"
                assert vm.tag.generation == snapshot.generation, "a VM of another data set adopted"


def _judge_draining(view: PoolView, actions: Sequence[Action]) -> None:
    snapshot = view.snapshot
    drained = _retired(actions, "drained")
    revisions = {vm.name: vm.revision for vm in snapshot.pending}
    for action in drained:
        if action.state is VmState.READY:
            assert action.name in snapshot.stale, "a VM of this revision drained"
        else:
            assert revisions[action.name] != snapshot.revision, "a VM of this revision drained"
    given_up = {
        a.name
        for a in _retired(actions, "excess", "clone_timeout")
        if a.state is VmState.PENDING and a.guard is Guard.NONE
    }
    staying = len(revisions.keys() - given_up)
    pending = sum(action.state is VmState.PENDING for action in drained)
    assert not pending or staying - pending >= snapshot.backlog, "a VM drained that a request waits for"


def _judge_suspicion(view: PoolView, actions: Sequence[Action]) -> None:
    for action in actions:
        if isinstance(action, Retire) and action.reason == "powered_off":
            assert view.findings is not None, "a VM retired as switched off without a listing"
            assert action.name in view.findings.switched_off, "a VM retired as switched off that is on"
        if isinstance(action, VerifySuspect):
            assert action.name in view.snapshot.suspects, "a VM asked for that nobody doubts"
