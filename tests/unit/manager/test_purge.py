"""What becomes of places that no pool uses: never anything after one look."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.unit.manager.views import INSTALLATION, NOW, POOL, ahead, foreign_vm, provider_vm
from vmpooler_common.model.pool import Classification
from vmpooler_manager.planning.purge import PurgeMemory, PurgePlan, PurgeRules, plan_purge
from vmpooler_manager.providers.contract import Place, ProviderVm

GRACE = timedelta(minutes=2)
RULES = PurgeRules(INSTALLATION, GRACE, frozenset({"templates", "dc/keep"}), frozenset({"held"}))
UNKNOWN = Classification(None, "", "", "", None)
LOST = provider_vm("lost", pool=POOL)


def look_twice(
    *vms: ProviderVm, name: str = "dc/old", record: Classification = UNKNOWN, apart: timedelta = GRACE
) -> tuple[PurgePlan, PurgePlan]:
    """Look twice at a place with these VMs."""
    places, records = [Place(name, vms)], {vm.name: record for vm in vms}
    first, memory = plan_purge(RULES, places, records=records, now=NOW, memory=PurgeMemory())
    second, _ = plan_purge(RULES, places, records=records, now=NOW + apart, memory=memory)
    return first, second


def test_an_orphan_that_was_seen_twice_is_adopted() -> None:
    first, second = look_twice(LOST)
    assert first.orphans == ()
    assert [vm for _, vm in second.orphans] == [LOST]
    assert second.removals == ()


def test_looks_that_are_too_close_are_one() -> None:
    _, second = look_twice(LOST, apart=GRACE / 2)
    assert second.orphans == ()


def test_one_look_is_never_enough_whatever_the_grace() -> None:
    rules = replace(RULES, create_grace=timedelta(0))
    places = [Place("dc/old", (LOST,))]
    plan, _ = plan_purge(rules, places, records={"lost": UNKNOWN}, now=NOW, memory=PurgeMemory())
    assert plan.orphans == ()


@pytest.mark.parametrize(
    "vm",
    [
        foreign_vm("mail-server"),
        provider_vm("theirs", installation="another"),
        provider_vm("used", owner="ann", ends_at=ahead(hours=9)),
        provider_vm("minded", pool="held"),
        replace(provider_vm("renamed"), name="other"),
    ],
)
def test_a_vm_that_somebody_may_have_or_look_after_stays_and_so_does_its_place(vm: ProviderVm) -> None:
    _, second = look_twice(vm)
    assert (second.orphans, second.removals) == ((), ())
    assert [place.name for place in second.unused] == ["dc/old"]


def test_a_vm_with_a_record_stays() -> None:
    assert LOST.tag is not None
    known = Classification("running", LOST.tag.attempt, "cloud", LOST.provider_id, None)
    assert look_twice(LOST, record=known)[1].orphans == ()


def test_a_place_that_was_empty_twice_is_removed() -> None:
    first, second = look_twice()
    assert first.removals == ()
    assert [place.name for place in second.removals] == ["dc/old"]


@pytest.mark.parametrize("name", ["templates", "dc/templates", "dc/keep"])
def test_a_place_that_is_allowed_stays_by_its_path_or_name(name: str) -> None:
    assert look_twice(name=name)[1] == PurgePlan()
