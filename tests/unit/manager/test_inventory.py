"""What a listing and the records say of each other."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.manager.views import (
    GENERATION,
    INSTALLATION,
    NOW,
    POOL,
    PROVIDER,
    ago,
    ahead,
    foreign_vm,
    provider_vm,
    snapshot,
)
from vmpooler_common.model.pool import Classification, Snapshot
from vmpooler_manager.planning.inventory import ABSENCES, Findings, Listing, Memory, Place, compare
from vmpooler_manager.providers.contract import ProviderVm, VmStatus

GRACE = timedelta(minutes=2)
PLACE = Place(POOL, PROVIDER, INSTALLATION, GRACE, frozenset({POOL, "other"}))
SOME_TIME_AGO = ago(minutes=9)
NOBODY = Classification(None, "", "", "", None)


def record(vm: ProviderVm, state: str = "ready", gone_at: datetime | None = None) -> Classification:
    assert vm.tag is not None
    return Classification(state, vm.tag.attempt, PROVIDER, vm.provider_id, gone_at)


def known(*vms: ProviderVm) -> dict[str, Classification]:
    return {vm.name: record(vm) for vm in vms}


def compare_once(
    vms: Sequence[ProviderVm],
    *,
    seen: Snapshot | None = None,
    records: dict[str, Classification] | None = None,
    memory: Memory | None = None,
    at: datetime = NOW,
    place: Place = PLACE,
) -> tuple[Findings, Memory]:
    """Compare a complete listing that began at `at`; VMs without a given record have none."""
    all_records = {vm.name: NOBODY for vm in vms} | (records or {})
    listing = Listing(at, tuple(vms), data_epoch="server-1")
    return compare(place, listing, seen or snapshot(now=at), all_records, memory or Memory())


def with_ready(*names: str, since: datetime = SOME_TIME_AGO, now: datetime = NOW) -> Snapshot:
    return snapshot(now=now, ready=dict.fromkeys(names, since))


# Missing ones


def test_a_listing_that_shows_every_ready_vm_is_whole() -> None:
    vm = provider_vm("calm")
    findings, _ = compare_once([vm], seen=with_ready("calm"), records=known(vm))
    assert findings == Findings(ours=1, whole=True)


def test_a_ready_vm_is_missing_after_three_listings_in_a_row() -> None:
    memory = Memory()
    missing = []
    for _ in range(ABSENCES):
        findings, memory = compare_once([], seen=with_ready("lost"), memory=memory)
        missing.append(findings.missing)
    assert missing == [(), (), ("lost",)]


def test_one_listing_that_shows_a_vm_ends_the_count_of_its_absences() -> None:
    vm = provider_vm("shy")
    memory = Memory()
    for shown in ([], [], [vm], [], []):
        findings, memory = compare_once(shown, seen=with_ready("shy"), records=known(vm), memory=memory)
        assert not findings.missing


@pytest.mark.parametrize("shown", [(), (foreign_vm("stranger"),)])
def test_one_empty_or_strange_listing_proves_nothing_but_is_not_whole(shown: tuple[ProviderVm, ...]) -> None:
    findings, _ = compare_once(shown, seen=with_ready("a", "b", "c"))
    assert findings.missing == ()
    assert not findings.whole


@pytest.mark.parametrize("since", [NOW, ahead(seconds=1)])
def test_a_vm_that_became_ready_after_the_listing_began_is_not_absent(since: datetime) -> None:
    findings, memory = compare_once([], seen=with_ready("fresh", since=since))
    assert memory.absences == {}
    assert findings.whole


def test_a_vm_under_another_id_than_the_record_says_is_absent() -> None:
    vm = provider_vm("twin")
    records = {"twin": replace(record(vm), provider_id="id-of-the-real-one")}
    _, memory = compare_once([vm], seen=with_ready("twin"), records=records)
    assert memory.absences == {"twin": 1}


def test_a_suspect_that_is_shown_is_found() -> None:
    vm = provider_vm("back")
    seen = snapshot(suspects={"back": ago(minutes=9)})
    findings, _ = compare_once([vm], seen=seen, records=known(vm))
    assert findings.found == ("back",)
    assert findings.whole


def test_a_listing_that_still_misses_a_suspect_is_not_whole() -> None:
    findings, _ = compare_once([], seen=snapshot(suspects={"lost": ago(minutes=9)}))
    assert findings.found == ()
    assert not findings.whole


def test_a_ready_vm_that_is_off_is_named() -> None:
    vm = provider_vm("dark", status=VmStatus.OFF)
    findings, _ = compare_once([vm], seen=with_ready("dark"), records=known(vm))
    assert findings.switched_off == ("dark",)


def test_a_running_vm_that_is_off_is_its_users_business() -> None:
    vm = provider_vm("dark", status=VmStatus.OFF)
    findings, _ = compare_once([vm], records={"dark": record(vm, "running")})
    assert findings.switched_off == ()


@pytest.mark.parametrize(
    ("minutes", "checks", "hostname", "named"),
    [
        (2, True, "template", True),
        (2, True, "lost", False),
        (0.5, True, "template", False),
        (2, False, "template", False),
    ],
)
def test_a_ready_vm_that_calls_itself_by_another_name_is_named_after_a_minute(
    minutes: float, checks: bool, hostname: str, named: bool
) -> None:
    vm = replace(provider_vm("lost"), hostname=hostname)
    seen = snapshot(ready={"lost": ago(minutes=minutes)})
    place = replace(PLACE, checks_hostname=checks)
    findings, _ = compare(place, Listing(NOW, (vm,), "epoch"), seen, known(vm), Memory())
    assert findings.renamed == (("lost",) if named else ())


@pytest.mark.parametrize(
    ("state", "changed", "moved"),
    [
        ("ready", {"ip": "10.0.0.2"}, True),
        ("running", {"host": "host2"}, True),
        ("running", {"ip": None, "host": None}, False),
        ("running", {}, False),
        ("completed", {"ip": "10.0.0.2"}, False),
        ("pending", {"ip": "10.0.0.2"}, False),
    ],
)
def test_a_vm_in_use_that_has_another_address_or_host_is_given_with_it(
    state: str, changed: dict[str, Any], moved: bool
) -> None:
    at: dict[str, Any] = {"ip": "10.0.0.1", "host": "host1", **changed}
    vm = replace(provider_vm("roamer"), **at)
    noted = replace(record(vm, state), ip="10.0.0.1", host="host1")
    findings, _ = compare_once([vm], records={"roamer": noted})
    assert findings.readdressed == ((vm,) if moved else ())


# Lent


def test_a_ready_vm_whose_tag_names_an_owner_is_granted_by_tag() -> None:
    vm = provider_vm("mine", owner="ann", ends_at=ahead(hours=1))
    findings, _ = compare_once([vm], seen=with_ready("mine"), records=known(vm))
    assert findings.granted_by_tag == (vm,)


@pytest.mark.parametrize("over", [None, ago(hours=1)])
def test_it_is_lent_without_an_end_and_after_it_too(over: datetime | None) -> None:
    vm = provider_vm("used", owner="anonymous", ends_at=over)
    findings, _ = compare_once([vm], seen=with_ready("used"), records=known(vm))
    assert findings.granted_by_tag == (vm,)


@pytest.mark.parametrize("state", ["pending", "running", "completed", "destroying", "gone"])
def test_only_a_ready_vm_is_granted_by_tag(state: str) -> None:
    vm = provider_vm("other", owner="ann")
    findings, _ = compare_once([vm], records={"other": record(vm, state)})
    assert findings.granted_by_tag == ()


def test_a_vm_under_another_id_than_the_record_says_is_not_granted_by_tag() -> None:
    vm = provider_vm("twin", owner="ann")
    records = {"twin": replace(record(vm), provider_id="id-of-the-real-one")}
    assert compare_once([vm], seen=with_ready("twin"), records=records)[0].granted_by_tag == ()


# Orphans


def orphans(vm: ProviderVm, times: Iterable[datetime]) -> list[bool]:
    """Say after which of the listings the VM, which has no record, counts as an orphan."""
    memory = Memory()
    shown = []
    for at in times:
        findings, memory = compare_once([vm], memory=memory, at=at)
        shown.append(vm in findings.orphans)
    return shown


def test_an_unknown_vm_is_an_orphan_when_two_listings_far_enough_apart_show_it() -> None:
    times = [NOW, NOW + GRACE - timedelta(seconds=1), NOW + GRACE]
    assert orphans(provider_vm("stray"), times) == [False, False, True]


def test_an_unknown_vm_is_no_orphan_after_one_listing_however_late() -> None:
    assert orphans(provider_vm("stray"), [NOW + timedelta(days=9)]) == [False]


def test_two_listings_at_once_show_no_orphan_even_of_a_cloud_without_grace() -> None:
    place = replace(PLACE, create_grace=timedelta(0))
    vm = provider_vm("stray")
    findings, memory = compare_once([vm], place=place)
    assert findings.orphans == ()
    findings, _ = compare_once([vm], place=place, memory=memory, at=ahead(seconds=1))
    assert findings.orphans == (vm,)


def test_an_unknown_vm_that_a_listing_missed_begins_anew() -> None:
    vm = provider_vm("stray")
    _, memory = compare_once([vm])
    _, memory = compare_once([], memory=memory, at=NOW + GRACE)
    findings, _ = compare_once([vm], memory=memory, at=NOW + 2 * GRACE)
    assert findings.orphans == ()


def test_a_listing_with_an_unknown_vm_is_not_whole() -> None:
    findings, _ = compare_once([provider_vm("stray")])
    assert not findings.whole


def after_two_listings(vm: ProviderVm, records: dict[str, Classification] | None = None) -> Findings:
    _, memory = compare_once([vm], records=records)
    findings, _ = compare_once([vm], records=records, memory=memory, at=NOW + GRACE)
    return findings


@pytest.mark.parametrize(
    "vm",
    [
        pytest.param(provider_vm("a", installation="another"), id="another installation"),
        pytest.param(provider_vm("a", generation="generation-0"), id="a data set that is gone"),
        pytest.param(foreign_vm("a"), id="no tag"),
    ],
)
def test_a_vm_that_is_not_ours_is_counted_and_never_an_orphan(vm: ProviderVm) -> None:
    findings = after_two_listings(vm)
    assert (findings.orphans, findings.late, findings.foreign, findings.ours) == ((), (), 1, 0)


def test_a_vm_of_our_data_under_another_installation_is_named() -> None:
    vms = (provider_vm("a", installation="old"), provider_vm("b", installation="old", generation="another"))
    findings, _ = compare_once(vms)
    assert (findings.misnamed, findings.foreign) == (("a (old)",), 2)


def test_a_vm_whose_tag_names_another_vm_is_left_alone() -> None:
    """Somebody copied our VM with its tag."""
    assert after_two_listings(replace(provider_vm("original"), name="copy")).orphans == ()


@pytest.mark.parametrize("state", ["pending", "ready", "running", "completed", "destroying", "gone"])
def test_a_vm_with_a_record_is_no_orphan(state: str) -> None:
    vm = provider_vm("known")
    assert after_two_listings(vm, {"known": record(vm, state)}).orphans == ()


@pytest.mark.parametrize("ends_at", [None, NOW + 2 * GRACE])
def test_a_vm_that_somebody_has_by_its_tag_is_left_alone_though_its_record_is_lost(
    ends_at: datetime | None,
) -> None:
    assert after_two_listings(provider_vm("taken", owner="ann", ends_at=ends_at)).orphans == ()


def test_a_vm_whose_lifetime_is_over_by_its_tag_is_an_orphan() -> None:
    vm = provider_vm("taken", owner="ann", ends_at=ago(seconds=1))
    assert after_two_listings(vm).orphans == (vm,)


# Places that pools share


def test_a_vm_of_another_pool_in_the_same_place_is_that_pools_business() -> None:
    findings = after_two_listings(provider_vm("theirs", pool="other"))
    assert (findings.orphans, findings.foreign, findings.ours) == ((), 0, 0)
    assert findings.whole


def test_a_stray_vm_of_a_pool_that_no_manager_holds_is_found() -> None:
    vm = provider_vm("left", pool="forgotten")
    assert after_two_listings(vm).orphans == (vm,)


# Late ones


def late(vm: ProviderVm, classification: Classification) -> bool:
    findings, _ = compare_once([vm], records={vm.name: classification})
    return vm in findings.late


def test_a_vm_that_was_gone_before_the_listing_began_is_late() -> None:
    vm = provider_vm("late")
    assert late(vm, record(vm, "gone", gone_at=ago(milliseconds=1)))


@pytest.mark.parametrize("gone_at", [NOW, ahead(seconds=1)])
def test_a_vm_that_went_while_the_listing_was_made_is_not_late(gone_at: datetime) -> None:
    vm = provider_vm("just-gone")
    assert not late(vm, record(vm, "gone", gone_at=gone_at))


def test_a_vm_of_another_attempt_is_not_taken_for_the_one_that_is_gone() -> None:
    vm = provider_vm("again")
    gone = replace(record(vm, "gone", gone_at=ago(minutes=5)), attempt="an-earlier-one")
    assert not late(vm, gone)


# Whatever is listed

listed = st.builds(
    provider_vm,
    st.sampled_from(["a", "b", "c", "d"]),
    pool=st.sampled_from([POOL, "other", "forgotten"]),
    installation=st.sampled_from([INSTALLATION, "another"]),
    generation=st.sampled_from([GENERATION, "generation-0"]),
    owner=st.sampled_from([None, "ann"]),
    ends_at=st.sampled_from([None, ago(hours=1), ahead(hours=9)]),
    status=st.sampled_from(VmStatus),
)
states = st.sampled_from([None, "pending", "ready", "running", "completed", "destroying", "gone"])


@given(
    listings=st.lists(st.lists(listed, max_size=4, unique_by=lambda vm: vm.name), max_size=6),
    record_states=st.dictionaries(st.sampled_from("abcd"), states),
    ready=st.sets(st.sampled_from("abcd")),
    gaps=st.lists(st.integers(1, 200), min_size=6, max_size=6),
)
def test_no_conclusion_is_drawn_from_too_little(
    listings: list[list[ProviderVm]], record_states: dict[str, str | None], ready: set[str], gaps: list[int]
) -> None:
    memory, at = Memory(), NOW
    history: list[tuple[datetime, list[ProviderVm]]] = []
    for vms, gap in zip(listings, gaps, strict=False):
        at += timedelta(seconds=gap)
        history.append((at, vms))
        records = {
            vm.name: record(vm, state, ago(hours=1)) for vm in vms if (state := record_states.get(vm.name))
        }
        findings, memory = compare_once(
            vms, seen=with_ready(*ready, now=at), records=records, memory=memory, at=at
        )
        for name in findings.missing:
            recent = history[-ABSENCES:]
            assert len(recent) == ABSENCES
            assert all(_hides(name, shown, record_states) for _, shown in recent)
        for vm in findings.orphans:
            assert record_states.get(vm.name) is None
            assert vm.tag is not None
            assert (vm.tag.installation, vm.tag.generation) == (INSTALLATION, GENERATION)
            assert vm.tag.pool != "other"
            assert vm.tag.owner is None or (vm.tag.ends_at is not None and vm.tag.ends_at <= at)
            assert any(
                at - then >= GRACE and vm.provider_id in {other.provider_id for other in shown}
                for then, shown in history[:-1]
            )


def _hides(name: str, shown: list[ProviderVm], record_states: dict[str, str | None]) -> bool:
    """Whether a listing doesn't show a VM that is ours under the id of its record."""
    return not any(
        vm.name == name
        and record_states.get(name) is not None
        and vm.tag is not None
        and (vm.tag.installation, vm.tag.generation) == (INSTALLATION, GENERATION)
        and vm.tag.pool != "other"
        for vm in shown
    )
