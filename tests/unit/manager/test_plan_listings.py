"""What the planner destroys, concludes from a listing and writes on tags, one decision at a time."""

from typing import Any

import pytest

from tests.unit.manager.views import POOL, ago, planned, provider_vm, untagged_vm
from vmpooler_common.model.pool import DeletionPause
from vmpooler_manager.planning.actions import (
    AdoptLate,
    AdoptOrphan,
    Annotate,
    ClearSuspects,
    Destroy,
    Reinstate,
    ResumeDeletion,
    Serve,
    VerifyMissing,
    VerifySuspect,
)
from vmpooler_manager.planning.inspection import retire_switched_off
from vmpooler_manager.planning.inventory import Findings
from vmpooler_manager.planning.limits import SMALLEST_ABSENT_BOUND, SMALLEST_ORPHAN_BOUND

PAUSE = DeletionPause("absent", POOL, "too many")
FOUND_NOTHING_WRONG = Findings(whole=True)


# Destroying


def test_vms_whose_destruction_is_due_are_destroyed() -> None:
    assert planned(to_destroy=("a", "b")) == (Destroy(("a", "b")),)


def test_a_vm_that_is_being_destroyed_is_left_alone() -> None:
    assert planned(to_destroy=("a", "b"), busy=frozenset({"a"})) == (Destroy(("b",)),)


def test_nothing_is_destroyed_while_deletion_is_paused() -> None:
    suspects = {"suspect": ago(minutes=5)}
    assert planned(deletion_pause=PAUSE, to_destroy=("a",), findings=Findings(), suspects=suspects) == ()


# What a listing shows


def test_vms_that_listings_miss_are_set_aside() -> None:
    assert planned(findings=Findings(missing=("a",))) == (VerifyMissing(("a",)),)


def test_suspects_that_are_listed_again_are_cleared_without_asking_for_them() -> None:
    found = Findings(found=("a",))
    assert planned(suspects={"a": ago(minutes=5)}, findings=found) == (ClearSuspects(("a",)),)


def test_each_listing_has_the_provider_asked_for_the_suspects() -> None:
    assert planned(suspects={"a": ago(minutes=5)}, findings=Findings()) == (
        VerifySuspect("a", SMALLEST_ABSENT_BOUND),
    )


def test_a_suspect_is_not_asked_for_between_listings() -> None:
    assert planned(suspects={"a": ago(minutes=5)}) == ()


def test_a_suspect_that_is_being_asked_for_is_not_asked_for_again() -> None:
    suspects = {"a": ago(minutes=5)}
    assert planned(suspects=suspects, findings=Findings(), busy=frozenset({"a"})) == ()


def test_a_ready_vm_that_is_switched_off_is_replaced() -> None:
    assert planned(findings=Findings(switched_off=("dark",))) == (retire_switched_off("dark"),)


def test_an_orphan_is_adopted() -> None:
    orphan = provider_vm("orphan")
    assert planned(findings=Findings(orphans=(orphan,))) == (AdoptOrphan(orphan, SMALLEST_ORPHAN_BOUND),)


def test_an_orphan_is_shown_to_the_store_also_while_deletion_is_paused() -> None:
    orphan = provider_vm("orphan")
    assert planned(findings=Findings(orphans=(orphan,)), deletion_pause=PAUSE) == (
        AdoptOrphan(orphan, SMALLEST_ORPHAN_BOUND),
    )


def test_a_late_vm_is_adopted_even_while_nothing_may_be_destroyed() -> None:
    late = provider_vm("late")
    assert planned(findings=Findings(late=(late,)), deletion_pause=PAUSE, may_destroy=False) == (
        AdoptLate(late),
    )


def test_a_whole_listing_of_the_pool_that_caused_the_pause_resumes_deletion() -> None:
    assert planned(deletion_pause=PAUSE, findings=FOUND_NOTHING_WRONG) == (ResumeDeletion(f"absent {POOL}"),)


@pytest.mark.parametrize(
    ("pause", "findings"),
    [
        pytest.param(
            DeletionPause("absent", "another", "why"), FOUND_NOTHING_WRONG, id="another pool caused it"
        ),
        pytest.param(PAUSE, Findings(whole=False), id="something is still missing"),
        pytest.param(PAUSE, None, id="there is no new listing"),
    ],
)
def test_deletion_stays_paused_when(pause: DeletionPause, findings: Findings | None) -> None:
    assert planned(deletion_pause=pause, findings=findings) == ()


# Owners


def test_the_owner_of_a_vm_that_was_checked_out_is_written_on_its_tag() -> None:
    vm = untagged_vm()
    assert planned(untagged=(vm,)) == (Annotate(vm),)


def test_an_owner_that_is_being_noted_is_not_noted_again() -> None:
    assert planned(untagged=(untagged_vm("taken"),), busy=frozenset({"taken"})) == ()


LENT = provider_vm("granted_by_tag", owner="ann")


@pytest.mark.parametrize(
    "view",
    [
        {"expired_ready": ("granted_by_tag",)},
        {"sizes": (0, 3, 0, 0, 0, 0, 0), "excess_ready": ("granted_by_tag",)},
        {"sizes": (0, 2, 0, 0, 0, 0, 1), "stale": ("granted_by_tag",)},
        {"suspects": {"granted_by_tag": ago(hours=2)}},
        {"may_destroy": False},
        {"is_steady": False},
        {"deletion_pause": DeletionPause("absent", "debian", "too many")},
    ],
)
@pytest.mark.parametrize(
    "findings", [{}, {"found": ("granted_by_tag",)}, {"switched_off": ("granted_by_tag",)}]
)
def test_a_vm_whose_grant_was_lost_is_given_back_to_its_user_and_nothing_else(
    view: dict[str, Any], findings: dict[str, Any]
) -> None:
    assert planned(findings=Findings(granted_by_tag=(LENT,), **findings), **view) == (Reinstate(LENT),)


def test_a_vm_whose_grant_was_lost_is_given_to_no_request() -> None:
    seen: dict[str, Any] = {
        "sizes": (0, 1, 0, 0, 0, 0),
        "backlog": 1,
        "ready": {"granted_by_tag": ago(hours=1)},
    }
    actions = planned(findings=Findings(granted_by_tag=(LENT,)), **seen)
    assert actions[0] == Reinstate(LENT)
    assert not any(isinstance(action, Serve) for action in actions)
