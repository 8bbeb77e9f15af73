"""What is remembered of DNS records, so that whichever manager goes on makes them what they should be."""

from datetime import timedelta

from tests.store.dataset import ask
from tests.store.fleet import PROVIDER, Fleet, attempt_of
from tests.store.operations_on_records import gone_with_records, moved, with_another_address
from vmpooler_common.model.pool import DnsVm, Snapshot
from vmpooler_common.store.dns.records import OrphanOutcome


async def seen(fleet: Fleet) -> Snapshot:
    snapshot, _ = await fleet.store.views.observe(
        "one", PROVIDER, size=1, ready_ttl=timedelta(hours=1), listed=None
    )
    return snapshot


async def test_only_a_pending_vm_begins_to_have_records(fleet: Fleet) -> None:
    await fleet.created("one", "a")
    await fleet.ready("one", "b")
    records = fleet.store.dns_records
    assert await records.begin("b", attempt_of("b"), dns="lab") is None
    assert await records.begin("a", "another", dns="lab") is None
    assert await records.begin("nobody", attempt_of("a"), dns="lab") is None
    begun = await records.begin("a", attempt_of("a"), dns="lab")
    assert begun is not None
    [pending] = (await seen(fleet)).pending
    assert pending.dns_tried_at is not None
    assert pending.waits_since == pending.dns_tried_at


async def test_a_vm_whose_address_changes_is_due_until_its_records_lead_there(fleet: Fleet) -> None:
    await with_another_address(fleet)
    [due] = (await seen(fleet)).dns_due
    assert (due.name, due.state, due.dns, due.ip) == ("a", "ready", "lab", "192.0.2.7")
    assert not await fleet.store.dns_records.published("one", "a", attempt_of("a"), ip="192.0.2.1")
    assert (await seen(fleet)).unsettled == 1
    assert await fleet.store.dns_records.published("one", "a", attempt_of("a"), ip="192.0.2.7")
    assert (await seen(fleet)).unsettled == 0
    await moved(fleet)
    assert (await seen(fleet)).unsettled == 0


async def test_a_vm_without_records_is_never_due(fleet: Fleet) -> None:
    await fleet.ready("one", "a")
    await moved(fleet)
    await fleet.gone("two", "b")
    assert (await seen(fleet)).unsettled == 0


async def test_the_name_of_a_gone_vm_stays_taken_until_its_records_are_removed(fleet: Fleet) -> None:
    await gone_with_records(fleet)
    [due] = (await seen(fleet)).dns_due
    assert isinstance(due, DnsVm)
    assert due.state == "gone"
    assert await ask(fleet.client, "TTL", f"{fleet.prefix}:vm:a") == -1
    assert not await fleet.store.leases.forget("one")
    assert not await fleet.store.dns_records.published("one", "a", attempt_of("a"), ip="192.0.2.7")
    assert await fleet.store.dns_records.removed("one", "a", attempt_of("a"))
    assert await ask(fleet.client, "TTL", f"{fleet.prefix}:vm:a") > 0
    assert await fleet.store.leases.forget("one")


async def test_what_is_deferred_is_due_later(fleet: Fleet) -> None:
    await with_another_address(fleet)
    await fleet.store.dns_records.defer("one", "a", delay=timedelta(hours=1))
    snapshot = await seen(fleet)
    assert (snapshot.dns_due, snapshot.unsettled) == ((), 1)
    assert snapshot.next_due is not None
    await fleet.store.dns_records.defer("one", "nobody", delay=timedelta(hours=1))
    assert (await seen(fleet)).unsettled == 1


async def test_a_vm_that_appears_late_keeps_its_records_until_it_is_gone_again(fleet: Fleet) -> None:
    await gone_with_records(fleet)
    await moved(fleet)
    assert await fleet.state("a") == "completed"
    assert (await seen(fleet)).unsettled == 0


async def test_only_so_many_orphans_of_a_domain_are_removed_in_ten_minutes(fleet: Fleet) -> None:
    await with_another_address(fleet)
    count = fleet.store.dns_records.count_orphan
    assert await count("lab", "a", attempt_of("a"), bound=2) is OrphanOutcome.KNOWN
    assert await count("lab", "x", "1", bound=2) is OrphanOutcome.OK
    assert await count("lab", "y", "2", bound=2) is OrphanOutcome.OK
    assert await count("lab", "z", "3", bound=2) is OrphanOutcome.EXCEEDED
    assert await count("other", "z", "3", bound=2) is OrphanOutcome.OK


async def test_one_manager_looks_for_orphans_until_it_stops_asking(fleet: Fleet) -> None:
    claim = fleet.store.dns_records.claim_sweep
    assert await claim("lab", "one", life=timedelta(hours=1)) is not None
    assert await claim("lab", "two", life=timedelta(hours=1)) is None
    assert await claim("lab", "one", life=timedelta(milliseconds=1)) is not None
