"""What the planner decides for on-demand requests, one decision at a time."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.manager.views import REMOVED, ago, pending_vm, planned, surplus, unwanted
from vmpooler_common.model.vm import ClonePhase, VmState
from vmpooler_manager.planning.actions import (
    Action,
    AwaitSlot,
    FailWaiting,
    Forget,
    Reserve,
    Serve,
    Watch,
)
from vmpooler_manager.planning.limits import RESERVED_AT_ONCE

NOTHING = (0, 0, 0, 0, 0, 0)


# Serving


def test_a_ready_vm_goes_to_a_request_and_is_replaced() -> None:
    assert planned(backlog=1) == (Serve(1), Reserve(1))


@pytest.mark.parametrize(("backlog", "served"), [(1, 1), (2, 2), (5, 2)])
def test_no_more_is_served_than_is_ready_or_wanted(backlog: int, served: int) -> None:
    assert planned(backlog=backlog)[0] == Serve(served)


@pytest.mark.parametrize(("ready", "served"), [(3, ()), (4, ()), (5, (Serve(1),)), (6, (Serve(2),))])
def test_where_ready_vms_are_kept_for_checkouts_only_the_surplus_is_served(
    ready: int, served: tuple[Action, ...]
) -> None:
    actions = planned({"size": 4, "serves_from_ready": False}, sizes=(0, ready, 0, 0, 0, 0), backlog=2)
    assert tuple(action for action in actions if isinstance(action, Serve)) == served


@pytest.mark.parametrize(
    ("from_ready", "owed", "served"),
    [(True, 0, 4), (True, 1, 3), (True, 4, 0), (False, 1, 2), (False, 3, 1), (False, 9, 0)],
)
def test_what_is_owed_to_waiting_checkouts_is_not_served(from_ready: bool, owed: int, served: int) -> None:
    spec = {"size": 2, "serves_from_ready": from_ready}
    actions = planned(spec, sizes=(0, 4, 0, 0, 0, 0), backlog=5, owed=owed)
    assert sum(action.count for action in actions if isinstance(action, Serve)) == served


def test_suspects_are_not_served() -> None:
    suspects = {"suspect": ago(minutes=1)}
    actions = planned({"size": 0}, sizes=(0, 0, 1, 0, 0, 0), suspects=suspects, backlog=1)
    assert actions == (Reserve(1),)


def test_nothing_is_served_that_nobody_waits_for() -> None:
    assert planned({"size": 1}, sizes=(0, 3, 0, 0, 0, 0)) == ()


def test_a_paused_pool_neither_serves_nor_clones() -> None:
    assert planned({"paused": True}, backlog=3) == ()


def test_a_request_is_served_before_any_listing_was_compared_and_on_an_unsteady_clock() -> None:
    assert planned({"size": 1}, backlog=1, may_destroy=False, is_steady=False) == (Serve(1),)


def test_a_pool_whose_clones_back_off_serves_what_it_has() -> None:
    assert planned(backlog=3, may_clone=False) == (Serve(2),)


# Failing


def test_requests_fail_with_the_reason_when_the_provider_can_never_work() -> None:
    actions = planned(backlog=1, may_clone=False, permanent_fault="no driver 'vsphere'")
    assert actions == (FailWaiting("no driver 'vsphere'"),)


def test_requests_fail_when_their_pool_left_the_configuration() -> None:
    spec = REMOVED
    assert planned(spec, sizes=(0, 0, 0, 1, 0, 0), backlog=1) == (
        FailWaiting("no manager is configured for the pool"),
    )


def test_requests_for_a_pool_that_no_manager_is_configured_for_have_a_minute() -> None:
    spec = {**REMOVED, "absent_for": timedelta(seconds=59)}
    assert planned(spec, sizes=(0, 0, 0, 1, 0, 0), backlog=1) == ()


def test_a_permanent_fault_of_the_provider_fails_nothing_when_nobody_waits() -> None:
    assert planned(may_clone=False, permanent_fault="no driver") == ()


def test_a_pause_or_a_fault_that_may_pass_fails_nothing() -> None:
    assert planned({"size": 0, "paused": True}, sizes=NOTHING, backlog=2) == ()
    assert planned({"size": 0}, sizes=NOTHING, backlog=2, may_clone=False) == ()


def test_a_forgotten_pool_that_somebody_waits_for_fails_the_request_first() -> None:
    actions = planned(REMOVED, sizes=NOTHING, backlog=1)
    assert actions[0] == FailWaiting("no manager is configured for the pool")
    assert set(actions[1:]) <= {Forget()}


# Cloning


def test_a_pool_of_size_zero_clones_what_requests_want() -> None:
    assert planned({"size": 0}, sizes=NOTHING, backlog=3) == (Reserve(3),)


def test_clones_under_way_count_for_the_backlog() -> None:
    actions = planned({"size": 0}, sizes=(2, 0, 0, 0, 0, 0), backlog=3, clones=2, request_slots_in_use=2)
    assert actions == (Reserve(1),)


def test_what_was_cloned_and_boots_counts_for_the_backlog() -> None:
    assert planned({"size": 0}, sizes=(3, 0, 0, 0, 0, 0), backlog=3, clones=0) == ()


@pytest.mark.parametrize(
    ("taken", "expected"), [(0, Reserve(4)), (3, Reserve(1)), (4, AwaitSlot()), (5, AwaitSlot())]
)
def test_clones_for_requests_keep_to_their_own_limit(taken: int, expected: Action) -> None:
    spec = {"size": 0, "request_slot_limit": 4, "slot_limit": 50}
    assert planned(spec, sizes=NOTHING, backlog=9, request_slots_in_use=taken) == (expected,)


def test_full_slots_of_pools_hold_no_request_back() -> None:
    spec = {"size": 0, "slot_limit": 4}
    assert planned(spec, sizes=NOTHING, backlog=2, pool_slots_in_use=4) == (Reserve(2),)


def test_full_slots_of_requests_hold_no_pool_back() -> None:
    spec = {"size": 3, "request_slot_limit": 4}
    assert planned(spec, request_slots_in_use=4) == (Reserve(1),)


def test_each_kind_of_clone_takes_slots_of_its_own_limit() -> None:
    spec = {"size": 6, "slot_limit": 5, "request_slot_limit": 4}
    view = {"backlog": 2, "pool_slots_in_use": 2, "request_slots_in_use": 1}
    assert planned(spec, sizes=NOTHING, **view) == (Reserve(2 + 3),)


def test_clones_beyond_the_backlog_take_no_slots_of_requests() -> None:
    """Two of three are being cloned for requests: one more is theirs, and two would be the pool's."""
    view = {"backlog": 3, "clones": 2, "request_slots_in_use": 2, "pool_slots_in_use": 10}
    assert planned({"size": 2}, sizes=(2, 0, 0, 0, 0, 0), **view) == (Reserve(1),)


def test_nothing_is_cloned_for_a_pool_in_the_slots_that_its_backlog_waits_for() -> None:
    """What is cloned next counts for the backlog: of three clones, two more than the limit."""
    spec = {"size": 2, "slot_limit": 5, "request_slot_limit": 1}
    assert planned(spec, sizes=NOTHING, backlog=4) == (Reserve(1),)


def test_a_huge_request_is_cloned_in_portions() -> None:
    spec = {"size": 0, "request_slot_limit": 9000}
    assert planned(spec, sizes=NOTHING, backlog=5000) == (Reserve(RESERVED_AT_ONCE),)


def test_a_name_that_nobody_has_begun_with_is_given_up_in_a_paused_pool_though_it_is_wanted() -> None:
    spec = {"size": 0, "paused": True}
    actions = planned(spec, pending=(pending_vm("left"),), sizes=(1, 0, 0, 0, 0, 0), backlog=1)
    assert actions == (unwanted("left"),)


# Too many


def pending_pair() -> dict[str, Any]:
    pair = [
        pending_vm(name, ClonePhase.CREATED, reserved_at=ago(minutes=minutes))
        for name, minutes in (("older", 3), ("younger", 2))
    ]
    return {"pending": tuple(pair), "sizes": (2, 0, 0, 0, 0, 0)}


def test_pending_vms_that_requests_wait_for_are_spared() -> None:
    view = pending_pair()
    assert planned({"size": 0}, **view, backlog=2) == tuple(Watch(vm) for vm in view["pending"])


def test_only_what_is_more_than_size_and_backlog_is_retired() -> None:
    view = pending_pair()
    expected = (surplus("younger", VmState.PENDING, 0), Watch(view["pending"][0]))
    assert planned({"size": 0}, **view, backlog=1) == expected


def test_when_nobody_waits_any_more_what_was_made_for_requests_is_retired() -> None:
    actions = planned({"size": 0}, **pending_pair())
    assert actions == (surplus("younger", VmState.PENDING, 0), surplus("older", VmState.PENDING, 0))
