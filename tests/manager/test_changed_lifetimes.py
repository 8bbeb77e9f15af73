"""Lifetimes that users change while the VM runs: the manager follows at once."""

import asyncio
from datetime import timedelta

from tests.manager.running_manager import RunningManager
from tests.manager.site import Site
from tests.support.eventually import eventually
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.vms.changes import Access, Changed, VmChange
from vmpooler_manager.supervisor.event_router import REFRESH_SECONDS

PASSED = timedelta(milliseconds=1)
NEVER_BY_ITSELF = 3600
"""Seconds between passes over a pool that nothing happens to."""


async def change(site: Site, vm: str, lifetime: timedelta) -> Changed:
    return await site.store.changes.modify(
        vm, VmChange(lifetime=lifetime), operation=new_operation(), access=Access.HOLDER
    )


async def idle(manager: RunningManager) -> None:
    """Wait until the pool's loop sleeps: the pass that follows an event late comes within a known time."""

    async def inspect() -> bool:
        passes = manager.metric("pool_check_seconds_count", pool="debian")
        await asyncio.sleep(2 * REFRESH_SECONDS)
        return manager.metric("pool_check_seconds_count", pool="debian") == passes

    await eventually(inspect)


async def noted_end(site: Site, vm: str, end: float) -> None:
    """Wait until the VM's tag in the cloud says that it is in use until this time."""

    async def inspect() -> bool:
        noted = site.row(vm)["tag_ends_at"]
        return noted is not None and abs(noted - end) < 1

    await eventually(inspect)


async def test_a_vm_whose_lifetime_is_shortened_ends_at_once(site: Site) -> None:
    manager = await site.start({"debian": 1}, check_loop_delay_max=NEVER_BY_ITSELF)
    await site.ready("debian", 1)
    (taken,) = await site.take("debian", lifetime=timedelta(days=1))
    await site.ready("debian", 1)
    await idle(manager)
    await change(site, taken, PASSED)
    await site.becomes(taken, "gone")
    assert await site.reason(taken) == "lifetime over"


async def test_a_new_end_is_noted_on_the_vm_in_the_cloud(site: Site) -> None:
    manager = await site.start({"debian": 1}, check_loop_delay_max=NEVER_BY_ITSELF)
    await site.ready("debian", 1)
    (taken,) = await site.take("debian", lifetime=timedelta(hours=1))
    record, _ = await site.store.checkouts.look_up(taken)
    assert record is not None
    assert record.ends_at is not None
    await noted_end(site, taken, record.ends_at.timestamp())
    await idle(manager)
    for minutes in range(100):  # a client that changes its mind doesn't keep the provider busy
        changed = await change(site, taken, timedelta(hours=7, minutes=minutes))
    assert changed.ends_at is not None
    await noted_end(site, taken, changed.ends_at.timestamp())
    assert manager.calls("annotate") <= 3


async def test_an_end_that_changes_while_the_old_one_is_noted_is_noted_next(site: Site) -> None:
    manager = await site.start({"debian": 1}, check_loop_delay_max=NEVER_BY_ITSELF)
    await site.ready("debian", 1)
    site.moods.set(annotate="wait")
    (taken,) = await site.take("debian", lifetime=timedelta(hours=1))
    await idle(manager)
    changed = await change(site, taken, timedelta(hours=7))
    await idle(manager)
    site.moods.set()
    assert changed.ends_at is not None
    await noted_end(site, taken, changed.ends_at.timestamp())


async def test_a_vm_that_is_given_back_while_its_owner_is_noted_is_destroyed_next(site: Site) -> None:
    manager = await site.start({"debian": 1}, check_loop_delay_max=NEVER_BY_ITSELF)
    await site.ready("debian", 1)
    site.moods.set(annotate="wait")
    (taken,) = await site.take("debian")
    await idle(manager)
    await site.release(taken)
    await idle(manager)
    assert await site.state(taken) == "completed"
    site.moods.set()
    await site.becomes(taken, "gone")
