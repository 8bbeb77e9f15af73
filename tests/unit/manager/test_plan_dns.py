"""What the planner decides of DNS: records of VMs, VMs that wait for them, records without a VM."""

from datetime import timedelta

import pytest

from tests.unit.manager.views import (
    GENERATION,
    INSTALLATION,
    NOW,
    REMOVED,
    ago,
    pending_vm,
    planned,
    timed_out,
)
from vmpooler_common.model.pool import Classification, DnsVm
from vmpooler_common.model.vm import ClonePhase, VmState
from vmpooler_manager.dns.types import OwnedRecords, RecordOwner
from vmpooler_manager.planning.actions import Forget, SettleRecords
from vmpooler_manager.planning.inspection import after_taken_name
from vmpooler_manager.planning.orphan_records import SweepPlan, SweepRules, plan_sweep

RULES = SweepRules(INSTALLATION, GENERATION, is_sole=False, apart=timedelta(seconds=30))
UNKNOWN = Classification(None, "", "", "", None)


def due(state: str) -> DnsVm:
    return DnsVm("a", state, "attempt", "lab", "lab.example", "cloud", "192.0.2.1")


@pytest.mark.parametrize("state", ["ready", "running", "gone"])
def test_records_are_settled_of_vms_that_can_be_used_and_of_those_that_are_gone(state: str) -> None:
    assert planned(dns_due=(due(state),)) == (SettleRecords(due(state)),)


@pytest.mark.parametrize("state", ["completed", "destroying"])
def test_records_of_a_vm_on_its_way_out_wait_until_it_is_gone(state: str) -> None:
    assert planned(dns_due=(due(state),)) == ()


def test_records_that_are_being_settled_are_left_alone() -> None:
    assert planned(dns_due=(due("gone"),), busy=frozenset({"a"})) == ()


def test_a_vm_that_waits_for_dns_is_not_overdue() -> None:
    vm = pending_vm(phase=ClonePhase.CREATED, reserved_at=ago(hours=3), dns_tried_at=ago(minutes=14))
    assert timed_out(vm.name) not in planned(pending=(vm,))


def test_a_vm_that_has_not_been_ready_for_long_after_dns_was_tried_last_is_given_up() -> None:
    vm = pending_vm(phase=ClonePhase.CREATED, reserved_at=ago(hours=3), dns_tried_at=ago(minutes=15))
    assert timed_out(vm.name) in planned(pending=(vm,))


def test_a_vm_whose_name_was_taken_is_given_up_as_nobodys_failure() -> None:
    action = after_taken_name("a", "a.lab.example has records that aren't this VM's")
    assert (action.state, action.reason, action.counts) == (VmState.PENDING, "name_taken", False)


def test_a_pool_is_remembered_while_records_of_its_vms_are_left() -> None:
    empty = (0, 0, 0, 0, 0, 0)
    assert planned(REMOVED, sizes=empty, unsettled=1) == ()
    assert planned(REMOVED, sizes=empty) == (Forget(),)


def owned(installation: str = INSTALLATION, generation: str = GENERATION) -> OwnedRecords:
    owner = RecordOwner(installation, generation, "cloud", "debian", "a", "attempt-of-a")
    return OwnedRecords("a.lab.example", owner)


def look_twice(
    records: OwnedRecords, found: Classification = UNKNOWN, *, rules: SweepRules = RULES, apart: int = 30
) -> tuple[SweepPlan, SweepPlan]:
    first = plan_sweep(rules, [records], {"a": found}, NOW, seen={})
    later = NOW + timedelta(seconds=apart)
    return first, plan_sweep(rules, [records], {"a": found}, later, seen=first.seen)


def test_records_without_a_vm_are_suspects_after_two_looks_that_are_apart() -> None:
    first, second = look_twice(owned())
    assert (first.suspects, second.suspects) == ((), (owned(),))
    assert look_twice(owned(), apart=29)[1].suspects == ()


@pytest.mark.parametrize("state", ["pending", "ready", "running", "completed", "destroying"])
def test_records_of_a_vm_that_the_store_knows_are_no_suspects(state: str) -> None:
    known = Classification(state, "attempt-of-a", "cloud", "id", None)
    assert look_twice(owned(), known)[1] == SweepPlan(ours=1)


@pytest.mark.parametrize(("has_records", "is_suspect"), [(True, False), (False, True)])
def test_records_of_a_gone_vm_are_suspects_unless_they_are_due_for_removal(
    has_records: bool, is_suspect: bool
) -> None:
    known = Classification("gone", "attempt-of-a", "cloud", "id", NOW, has_records=has_records)
    assert bool(look_twice(owned(), known)[1].suspects) is is_suspect


def test_records_of_an_earlier_vm_of_the_same_name_are_suspects() -> None:
    later = Classification("running", "attempt-of-another", "cloud", "id", None)
    assert look_twice(owned(), later)[1].suspects == (owned(),)


def test_records_of_other_installations_are_nobodys_business() -> None:
    assert look_twice(owned("another"))[1] == SweepPlan()


def test_records_of_another_data_set_are_reported_unless_the_installation_is_known_to_be_the_only_one() -> (
    None
):
    _, second = look_twice(owned(generation="older"))
    assert (second.suspects, second.foreign) == ((), ("a.lab.example",))
    sole = SweepRules(INSTALLATION, GENERATION, is_sole=True, apart=timedelta(0))
    _, second = look_twice(owned(generation="older"), rules=sole)
    assert (second.suspects, second.foreign) == ((owned(generation="older"),), ())
