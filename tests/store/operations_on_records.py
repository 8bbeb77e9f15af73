"""The operations on DNS records of VMs."""

from collections.abc import Awaitable
from typing import Any

from tests.store.fleet import MANAGER, Fleet, attempt_of
from tests.store.operation import HOUR, Operation, operation
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.store import Store


async def _booted(fleet: Fleet) -> None:
    await fleet.created("one", "a")


async def gone_with_records(fleet: Fleet) -> None:
    """Make a VM that had records when it was destroyed."""
    await fleet.created("one", "a")
    await fleet.store.dns_records.begin("a", attempt_of("a"), dns="lab")
    await fleet.store.clones.promote("a", attempt_of("a"), operation="promote-a")
    await moved(fleet)
    await _destroyed(fleet)


async def moved(fleet: Fleet) -> None:
    """Note another address of the VM."""
    await fleet.store.clones.created(
        "a", attempt_of("a"), provider_id="id-a", ip="192.0.2.7", host="host-1", cloned=True
    )


async def _destroyed(fleet: Fleet) -> None:
    retirement = fleet.store.retirement
    await retirement.retire("a", VmState.READY, operation="retire-a", reason="test")
    await retirement.claim(["a"], operation="claim-a", manager=MANAGER, lease=HOUR)
    await retirement.destroyed("a", attempt_of("a"), provider_id="id-a")


async def with_another_address(fleet: Fleet) -> None:
    """Make a ready VM whose records lead to its former address."""
    await fleet.created("one", "a")
    await fleet.store.dns_records.begin("a", attempt_of("a"), dns="lab")
    await fleet.store.clones.promote("a", attempt_of("a"), operation="promote-a")
    await moved(fleet)


def _begins(store: Store) -> Awaitable[Any]:
    return store.dns_records.begin("a", attempt_of("a"), dns="lab")


OPERATIONS_ON_RECORDS: tuple[Operation, ...] = (
    operation("begin records", "dns_records.begin", _begins, "begin_records", arrange=_booted),
    operation(
        "note records as published",
        "dns_records.published",
        lambda store: store.dns_records.published("one", "a", attempt_of("a"), ip="192.0.2.7"),
        "settle_records",
        arrange=with_another_address,
    ),
    operation(
        "note records as removed",
        "dns_records.removed",
        lambda store: store.dns_records.removed("one", "a", attempt_of("a")),
        "settle_records",
        arrange=gone_with_records,
    ),
    operation(
        "defer records",
        "dns_records.defer",
        lambda store: store.dns_records.defer("one", "a", delay=HOUR),
        "defer_records",
        arrange=with_another_address,
    ),
    operation(
        "claim a look for orphaned records",
        "dns_records.claim_sweep",
        lambda store: store.dns_records.claim_sweep("lab", MANAGER, life=HOUR),
        "claim_sweep",
    ),
    operation(
        "count orphaned records",
        "dns_records.count_orphan",
        lambda store: store.dns_records.count_orphan("lab", "a", attempt_of("a"), bound=2),
        "count_orphan_record",
    ),
)
