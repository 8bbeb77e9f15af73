"""What the planner decides for a pool that was drained, one decision at a time."""

import pytest

from tests.unit.manager.views import REMOVED, ago, drained, pending_vm, planned, surplus, timed_out
from vmpooler_common.model.pool import PendingVm
from vmpooler_common.model.vm import ClonePhase, VmState
from vmpooler_manager.planning.actions import Reserve, Resolve, Watch


def booting(name: str, minutes: float, *, in_round: int = 0) -> PendingVm:
    return pending_vm(name, ClonePhase.CREATED, reserved_at=ago(minutes=minutes), revision=in_round)


def test_stale_vms_are_retired_and_replaced_at_once() -> None:
    actions = planned(sizes=(0, 0, 0, 0, 0, 0), stale=("a", "b"), revision=1)
    assert actions == (drained("a", VmState.READY), drained("b", VmState.READY), Reserve(2))


def test_pending_vms_of_an_earlier_round_are_retired_and_not_gone_on_with() -> None:
    old, new = booting("old", 2), booting("new", 1, in_round=1)
    assert planned(pending=(old, new), sizes=(2, 0, 0, 0, 0, 0), revision=1) == (
        drained("old", VmState.PENDING),
        Watch(new),
    )


@pytest.mark.parametrize("busy", [frozenset(), frozenset({"old"})])
def test_it_makes_no_difference_whether_this_manager_is_at_work_on_them(busy: frozenset[str]) -> None:
    actions = planned(pending=(booting("old", 2),), sizes=(1, 1, 0, 0, 0, 0), revision=1, busy=busy)
    assert actions == (drained("old", VmState.PENDING),)


def test_as_many_pending_vms_stay_as_requests_wait_for_the_oldest_ones() -> None:
    pending = (booting("first", 3), booting("second", 2), booting("third", 1))
    actions = planned(pending=pending, sizes=(3, 0, 0, 0, 0, 0), revision=1, backlog=1)
    assert actions == (
        drained("second", VmState.PENDING),
        drained("third", VmState.PENDING),
        Watch(pending[0]),
    )


def test_what_is_given_up_anyway_spares_nothing() -> None:
    late, fresh = booting("late", 20), booting("fresh", 1)
    actions = planned({"size": 0}, pending=(late, fresh), sizes=(2, 0, 0, 0, 0, 0), revision=1, backlog=1)
    assert actions == (timed_out("late"), Watch(fresh))


def test_what_is_drained_is_not_retired_as_well() -> None:
    pending = (booting("old", 2), booting("new", 1, in_round=1))
    actions = planned({"size": 1}, pending=pending, sizes=(2, 0, 0, 0, 0, 0), revision=1)
    assert actions == (drained("old", VmState.PENDING), Watch(pending[1]))
    actions = planned({"size": 0}, pending=pending, sizes=(2, 0, 0, 0, 0, 0), revision=1)
    assert actions == (drained("old", VmState.PENDING), surplus("new", VmState.PENDING, 0))


def test_nothing_is_drained_before_a_listing_was_compared() -> None:
    creating = pending_vm("old", ClonePhase.CREATING)
    actions = planned(
        pending=(creating,), sizes=(1, 1, 0, 0, 0, 0), stale=("a",), revision=1, may_destroy=False
    )
    assert actions == (Resolve(creating),)


def test_a_pool_that_was_not_drained_since_keeps_its_vms() -> None:
    assert planned(pending=(booting("new", 1, in_round=7),), sizes=(1, 1, 0, 0, 0, 0), revision=7) == (
        Watch(booting("new", 1, in_round=7)),
    )


def test_a_pool_that_left_the_configuration_is_not_forgotten_with_a_stale_vm() -> None:
    spec = REMOVED
    actions = planned(spec, sizes=(0, 0, 0, 0, 0, 0, 1), stale=("a",), revision=1)
    assert actions == (drained("a", VmState.READY),)
