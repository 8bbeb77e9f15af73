"""What follows from asking a provider for one VM, and how much may follow in ten minutes."""

from dataclasses import replace

import pytest

from tests.unit.manager.views import provider_vm
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_manager.planning.actions import ClearSuspects, MarkSuspect, Retire
from vmpooler_manager.planning.inspection import (
    after_failed_clone,
    after_lost_clone,
    after_missing,
    after_suspicion,
    has_other_name,
    usable_address,
    while_booting,
)
from vmpooler_manager.planning.limits import absent_bound, orphan_bound
from vmpooler_manager.providers.errors import NoCapacity, PermanentError, TransientError
from vmpooler_manager.providers.types import ProviderVm, VmStatus

HERE = provider_vm("a")
OFF = provider_vm("a", status=VmStatus.OFF)
UNHEALTHY = Retire("a", VmState.READY, "powered_off")


def test_a_ready_vm_that_neither_listings_nor_the_provider_show_is_only_suspect() -> None:
    assert after_missing("a", None) == MarkSuspect("a")


def test_a_ready_vm_that_only_listings_miss_stays() -> None:
    assert after_missing("a", HERE) is None


def test_a_suspect_that_is_there_is_cleared() -> None:
    assert after_suspicion("a", HERE, bound=3) == ClearSuspects(("a",))


def test_a_suspect_that_is_not_there_is_retired_within_the_bound() -> None:
    assert after_suspicion("a", None, bound=3) == Retire("a", VmState.READY, "vanished", Guard.UNSEEN, 3)


def test_a_ready_vm_that_is_switched_off_is_retired_as_unhealthy() -> None:
    assert [after_missing("a", OFF), after_suspicion("a", OFF, bound=3)] == [UNHEALTHY, UNHEALTHY]


@pytest.mark.parametrize("status", [VmStatus.CLONING, VmStatus.RUNNING])
def test_a_vm_may_boot_for_long(status: VmStatus) -> None:
    assert while_booting("a", provider_vm("a", status=status)) is None


@pytest.mark.parametrize(("seen", "reason"), [(None, "vanished"), (OFF, "powered_off")])
def test_a_vm_that_cannot_become_ready_counts_as_a_failed_attempt(
    seen: ProviderVm | None, reason: str
) -> None:
    action = while_booting("a", seen)
    assert action is not None
    assert (action.state, action.reason, bool(action.failure)) == (VmState.PENDING, reason, True)


def test_a_failed_clone_counts_as_a_failed_attempt_unless_it_fails_the_requests_itself() -> None:
    actions = [after_failed_clone("a", error("broken")) for error in (TransientError, PermanentError)]
    assert [(action.failure, action.counts) for action in actions] == [("broken", True), ("", True)]


def test_want_of_room_is_told_and_is_no_failed_attempt() -> None:
    action = after_failed_clone("a", NoCapacity("no space on datastore1"))
    assert (action.reason, action.failure, action.counts) == ("no_capacity", "no space on datastore1", False)


def test_a_vm_that_nobody_has_seen_yet_may_still_appear() -> None:
    assert while_booting("a", None, may_appear=True) is None


@pytest.mark.parametrize(
    ("status", "ip", "usable"),
    [
        (VmStatus.RUNNING, "10.0.0.5", True),
        (VmStatus.RUNNING, "fd00::5", True),
        (VmStatus.RUNNING, None, False),
        (VmStatus.RUNNING, "0.0.0.0", False),  # noqa: S104 - no address at all
        (VmStatus.RUNNING, "169.254.3.4", False),
        (VmStatus.RUNNING, "fe80::1", False),
        (VmStatus.RUNNING, "unknown", False),
        (VmStatus.CLONING, "10.0.0.5", False),
        (VmStatus.OFF, "10.0.0.5", False),
    ],
)
def test_a_vm_is_checked_at_an_address_that_others_reach(
    status: VmStatus, ip: str | None, usable: bool
) -> None:
    seen = replace(provider_vm("a", status=status), ip=ip)
    assert usable_address(seen) == (ip if usable else None)


@pytest.mark.parametrize(
    ("hostname", "is_other"),
    [
        (None, False),
        ("", False),
        ("agile-armadillo-7", False),
        ("Agile-Armadillo-7.lab.example", False),
        ("AGILE-ARMADILLO", False),  # as Windows shortens it
        ("agile-armadill", True),
        ("template", True),
    ],
)
def test_a_guest_has_another_name_whatever_its_domain_and_case(hostname: str | None, is_other: bool) -> None:
    assert has_other_name(replace(provider_vm("agile-armadillo-7"), hostname=hostname)) is is_other


def test_a_clone_whose_manager_died_is_nobodys_failure() -> None:
    assert after_lost_clone("a") == Retire("a", VmState.PENDING, "clone_failed")


@pytest.mark.parametrize(
    ("provider_vms", "absent", "orphans"), [(0, 3, 2), (29, 3, 2), (30, 3, 3), (40, 4, 4), (1000, 100, 100)]
)
def test_a_tenth_of_a_providers_vms_may_be_lost_or_adopted(
    provider_vms: int, absent: int, orphans: int
) -> None:
    assert (absent_bound(provider_vms), orphan_bound(provider_vms)) == (absent, orphans)
