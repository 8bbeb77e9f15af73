"""What the planner decides of sizes, pending VMs, lifetimes and surplus, one decision at a time."""

from dataclasses import fields
from datetime import timedelta
from typing import Any

import pytest

from tests.unit.manager.views import (
    GRACE,
    REMOVED,
    ago,
    ahead,
    ended,
    expired,
    pending_vm,
    planned,
    provider_vm,
    surplus,
    timed_out,
    unwanted,
)
from vmpooler_common.model.vm import ClonePhase, Guard, VmState
from vmpooler_manager.planning.actions import (
    AdoptOrphan,
    AwaitSlot,
    Clone,
    Destroy,
    Forget,
    Reserve,
    Resolve,
    Retire,
    VerifySuspect,
    Watch,
)
from vmpooler_manager.planning.inventory import Findings
from vmpooler_manager.planning.limits import RESERVED_AT_ONCE

FOUND_NOTHING_WRONG = Findings(whole=True)


def test_a_full_pool_at_rest_needs_nothing() -> None:
    assert planned() == ()


def test_a_full_pool_with_a_listing_that_agrees_needs_nothing() -> None:
    assert planned(findings=FOUND_NOTHING_WRONG) == ()


def test_an_empty_pool_of_size_zero_needs_nothing() -> None:
    assert planned({"size": 0}, sizes=(0, 0, 0, 0, 0, 0)) == ()


def test_nothing_is_concluded_from_a_data_set_that_is_gone() -> None:
    assert (
        planned(
            generation="",
            sizes=(0, 0, 0, 0, 0, 0),
            to_destroy=("old",),
            findings=Findings(orphans=(provider_vm("a"),)),
        )
        == ()
    )


# Filling


def test_what_is_missing_is_reserved() -> None:
    assert planned({"size": 5}, sizes=(1, 2, 0, 0, 0, 0)) == (Reserve(2),)


def test_suspects_and_running_vms_do_not_fill_a_pool() -> None:
    suspects = {"suspect": ago(minutes=1)}
    assert planned({"size": 3}, sizes=(0, 2, 1, 7, 3, 2), suspects=suspects) == (Reserve(1),)


def test_no_more_is_reserved_than_slots_are_free() -> None:
    assert planned({"size": 9, "slot_limit": 4}, pool_slots_in_use=1) == (Reserve(3),)


@pytest.mark.parametrize("taken", [4, 5])
def test_a_pool_that_finds_no_free_slot_waits_for_one(taken: int) -> None:
    assert planned({"size": 9, "slot_limit": 4}, pool_slots_in_use=taken) == (AwaitSlot(),)


def test_a_full_pool_waits_for_no_slot() -> None:
    assert planned({"slot_limit": 4}, pool_slots_in_use=4) == ()


def test_a_huge_pool_is_filled_in_portions() -> None:
    assert planned({"size": 5000, "slot_limit": 9000}) == (Reserve(RESERVED_AT_ONCE),)


@pytest.mark.parametrize(
    ("spec", "view"),
    [
        pytest.param({"paused": True}, {}, id="the pool is paused"),
        pytest.param({"absent_for": timedelta(0)}, {}, id="the pool left the configuration"),
        pytest.param({}, {"may_clone": False}, id="clones are held back after errors"),
    ],
)
def test_nothing_is_reserved_while(spec: dict[str, Any], view: dict[str, Any]) -> None:
    assert planned({"size": 5, **spec}, sizes=(0, 2, 0, 1, 0, 0), **view) in ((), (Forget(),))


def test_a_pool_is_filled_before_any_listing_was_compared() -> None:
    assert planned({"size": 3}, may_destroy=False) == (Reserve(1),)


def test_a_pool_is_filled_while_the_clock_is_unsteady() -> None:
    assert planned({"size": 3}, is_steady=False) == (Reserve(1),)


# Pending VMs


@pytest.mark.parametrize("phase", list(ClonePhase))
def test_a_vm_that_is_pending_for_too_long_is_given_up_whoever_works_on_it(phase: ClonePhase) -> None:
    vm = pending_vm("slow", phase, reserved_at=ago(minutes=15), lease_ends_at=ahead(seconds=5))
    actions = planned(pending=(vm,), sizes=(1, 1, 0, 0, 0, 0), busy=frozenset({"slow"}))
    assert actions == (timed_out("slow"),)


def test_a_vm_may_be_pending_until_its_timeout() -> None:
    vm = pending_vm("slow", ClonePhase.CREATED, reserved_at=ago(minutes=14, seconds=59))
    assert planned(pending=(vm,), sizes=(1, 1, 0, 0, 0, 0)) == (Watch(vm),)


@pytest.mark.parametrize(
    ("phase", "action"),
    [(ClonePhase.RESERVED, Clone), (ClonePhase.CREATING, Resolve), (ClonePhase.CREATED, Watch)],
)
def test_what_a_lost_manager_left_is_taken_up_where_it_stood(phase: ClonePhase, action: type) -> None:
    vm = pending_vm("left", phase)
    assert planned(pending=(vm,), sizes=(1, 1, 0, 0, 0, 0)) == (action(vm),)


@pytest.mark.parametrize("phase", [ClonePhase.RESERVED, ClonePhase.CREATING])
def test_what_another_manager_has_leased_is_left_to_it(phase: ClonePhase) -> None:
    vm = pending_vm("theirs", phase, lease_ends_at=ahead(milliseconds=1))
    assert planned(pending=(vm,), sizes=(1, 1, 0, 0, 0, 0)) == ()


@pytest.mark.parametrize("phase", list(ClonePhase))
def test_what_this_manager_works_on_is_not_begun_again(phase: ClonePhase) -> None:
    vm = pending_vm("ours", phase)
    assert planned(pending=(vm,), sizes=(1, 1, 0, 0, 0, 0), busy=frozenset({"ours"})) == ()


def test_a_reserved_name_waits_while_clones_back_off() -> None:
    assert planned(pending=(pending_vm(),), sizes=(1, 1, 0, 0, 0, 0), may_clone=False) == ()


@pytest.mark.parametrize("phase", [ClonePhase.CREATING, ClonePhase.CREATED])
def test_a_clone_that_was_begun_is_followed_though_the_pool_is_paused(phase: ClonePhase) -> None:
    vm = pending_vm("begun", phase)
    (action,) = planned({"paused": True}, pending=(vm,), sizes=(1, 1, 0, 0, 0, 0))
    assert isinstance(action, Resolve | Watch)


@pytest.mark.parametrize("phase", list(ClonePhase))
def test_an_unfinished_vm_of_a_provider_that_the_pool_has_left_is_given_up(phase: ClonePhase) -> None:
    vm = pending_vm("moved", phase, provider="former")
    assert planned(pending=(vm,), sizes=(1, 1, 0, 0, 0, 0)) == (unwanted("moved"),)


@pytest.mark.parametrize("spec", [{"paused": True}, {**REMOVED, "size": 2}])
def test_a_name_that_nobody_has_begun_with_is_given_up_where_nothing_is_cloned(spec: dict[str, Any]) -> None:
    assert planned(spec, pending=(pending_vm("left"),), sizes=(1, 1, 0, 0, 0, 0)) == (unwanted("left"),)


# Lifetimes


def test_a_running_vm_whose_lifetime_is_over_is_ended() -> None:
    assert planned(ended_running=("old",)) == (ended("old"),)


def test_a_vm_that_was_ready_for_too_long_is_replaced() -> None:
    assert planned(expired_ready=("stale",)) == (expired("stale"),)


def test_a_suspect_is_not_kept_longer_than_a_ready_vm() -> None:
    suspects = {"stale": ago(minutes=60), "fresh": ago(minutes=59)}
    assert planned(suspects=suspects) == (expired("stale"),)


TIMELY: dict[str, Any] = {
    "pending": (pending_vm("slow", ClonePhase.CREATED, reserved_at=ago(hours=9)),),
    "sizes": (1, 1, 1, 1, 1, 0),
    "busy": frozenset({"slow"}),
    "ended_running": ("ended",),
    "expired_ready": ("stale",),
    "suspects": {"suspect": ago(hours=9)},
    "to_destroy": ("returned",),
    "findings": Findings(orphans=(provider_vm("orphan"),), switched_off=("dark",)),
}
"""A pool with one of everything that is due by its time, or to be destroyed."""


def test_everything_that_is_due_is_done_at_once() -> None:
    actions = planned(**TIMELY)
    assert {type(action) for action in actions} == {Retire, Destroy, AdoptOrphan}
    reasons = {action.reason for action in actions if isinstance(action, Retire)}
    assert reasons == {"clone_timeout", "lifetime over", "expired_ready", "powered_off"}


@pytest.mark.parametrize(
    "view", [{"is_steady": False}, {"may_destroy": False}, {"is_steady": False, "may_destroy": False}]
)
def test_nothing_expires_or_is_destroyed_on_an_unsteady_clock_or_before_a_listing_was_compared(
    view: dict[str, Any],
) -> None:
    assert planned(**TIMELY, **view) == ()


def test_no_vm_is_named_by_two_moves() -> None:
    moves = (Retire, Clone, Resolve, Watch, VerifySuspect)
    actions = planned({"size": 0}, **TIMELY, excess_ready=("stale", "dark"))
    named = [getattr(action, fields(action)[0].name) for action in actions if isinstance(action, moves)]
    names = [value if isinstance(value, str) else value.name for value in named]
    assert sorted(names) == sorted(set(names))


# Too many


def test_the_youngest_pending_vms_go_first_then_the_oldest_ready_ones() -> None:
    pending = (
        pending_vm("older", ClonePhase.CREATED, reserved_at=ago(minutes=3)),
        pending_vm("younger", ClonePhase.CREATED, reserved_at=ago(minutes=2)),
    )
    actions = planned({"size": 1}, pending=pending, sizes=(2, 2, 0, 0, 0, 0), excess_ready=("o", "p"))
    assert actions == (
        surplus("younger", VmState.PENDING, 1),
        surplus("older", VmState.PENDING, 1),
        surplus("o", VmState.READY, 1),
    )


def test_a_pending_vm_that_stays_is_followed_while_the_surplus_goes() -> None:
    stays = pending_vm("older", ClonePhase.CREATED, reserved_at=ago(minutes=3))
    goes = pending_vm("younger", ClonePhase.CREATED, reserved_at=ago(minutes=2))
    actions = planned({"size": 1}, pending=(stays, goes), sizes=(2, 0, 0, 0, 0, 0))
    assert actions == (surplus("younger", VmState.PENDING, 1), Watch(stays))


def test_nothing_is_retired_before_a_listing_was_compared() -> None:
    assert planned({"size": 0}, excess_ready=("a", "b"), may_destroy=False) == ()


def test_what_goes_for_its_age_counts_as_gone_already() -> None:
    """Two too many, one of them too old anyway: one more goes, and no pending VM for the second time."""
    slow = pending_vm("slow", ClonePhase.CREATED, reserved_at=ago(hours=1))
    new = pending_vm("new", ClonePhase.CREATED)
    actions = planned({"size": 1}, pending=(slow, new), sizes=(2, 0, 0, 0, 0, 0))
    assert actions == (timed_out("slow"), Watch(new))


def test_a_ready_vm_that_is_both_too_old_and_too_many_goes_once() -> None:
    actions = planned({"size": 1}, expired_ready=("stale",), excess_ready=("stale",))
    assert actions == (expired("stale"),)


def test_a_pool_that_left_the_configuration_keeps_only_its_running_vms() -> None:
    actions = planned(REMOVED, sizes=(0, 2, 0, 3, 0, 0), excess_ready=("first", "second"))
    assert actions == tuple(
        surplus(name, VmState.READY, GRACE, guard=Guard.LEFT) for name in ("first", "second")
    )


def test_a_pool_that_no_manager_is_configured_for_keeps_everything_until_the_grace_period_is_over() -> None:
    """Its managers may be restarting. Returns and ends of lifetimes go on."""
    absent = {**REMOVED, "absent_for": timedelta(minutes=9)}
    slow = pending_vm("slow", ClonePhase.CREATED, reserved_at=ago(hours=1))
    actions = planned(
        absent,
        pending=(slow, pending_vm("reserved")),
        sizes=(2, 2, 0, 1, 0, 1),
        expired_ready=("first",),
        excess_ready=("first", "second"),
        ended_running=("over",),
        to_destroy=("done",),
    )
    assert actions == (
        Retire("over", VmState.RUNNING, "lifetime over", Guard.ENDED),
        Watch(slow),
        Destroy(("done",)),
    )
    assert planned(absent, sizes=(0, 0, 0, 0, 0, 0)) == ()


@pytest.mark.parametrize("state", range(8))
def test_a_pool_that_left_the_configuration_is_remembered_while_it_has_a_vm(state: int) -> None:
    sizes = tuple(int(at == state) for at in range(8))
    assert Forget() not in planned(REMOVED, sizes=sizes)


def test_a_pool_that_left_the_configuration_is_forgotten_when_it_is_empty() -> None:
    assert planned(REMOVED, sizes=(0, 0, 0, 0, 0, 0)) == (Forget(),)


def test_a_configured_pool_is_never_forgotten() -> None:
    assert planned({"size": 0}, sizes=(0, 0, 0, 0, 0, 0)) == ()
