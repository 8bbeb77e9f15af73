"""The undertaker alone, without the heartbeats that would tell it of due tasks again and again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from random import Random

from tests.manager.site import Site, settings_of
from tests.manager.wishes import Wishes
from vmpooler_common.metrics.null import NullBackend
from vmpooler_manager.assembly import assemble
from vmpooler_manager.backoff import Delays
from vmpooler_manager.inbox_metrics import InboxMetrics
from vmpooler_manager.jobs import Jobs
from vmpooler_manager.providers.contract import PoolOrder
from vmpooler_manager.supervisor import LEASE
from vmpooler_manager.task_metrics import TaskMetrics
from vmpooler_manager.undertaking import Undertaker

POOL = "debian"


@asynccontextmanager
async def an_undertaker(site: Site, *, at_once: int) -> AsyncIterator[Undertaker]:
    """Run one with the drivers of a manager that isn't started."""
    settings = settings_of(site.document({POOL: 0}))
    parts, general = assemble(settings), settings.general
    for cloud in parts.clouds.values():
        await cloud.open()
    jobs = Jobs()
    undertaker = Undertaker(
        site.store,
        manager="lonely",
        lease=LEASE,
        clouds=parts.clouds,
        order_of=lambda pool: PoolOrder(pool, template=""),
        delays=Delays(
            general.check_loop_delay_min, general.check_loop_delay_max, general.check_loop_delay_decay
        ),
        random=Random(1),
        at_once=at_once,
        jobs=jobs,
        metrics=TaskMetrics(NullBackend()),
        inboxes=InboxMetrics(NullBackend()),
    )
    work = asyncio.create_task(undertaker.run())
    try:
        yield undertaker
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await jobs.drain(0)
        for cloud in parts.clouds.values():
            await cloud.close()
        await parts.store.close()


async def test_a_task_that_ends_makes_room_for_the_next_one_at_once(site: Site) -> None:
    wishes = Wishes(site)
    await site.start({POOL: 3})
    await site.ready(POOL, 3)
    vms = await site.take(POOL, 3)
    await site.stop()
    for vm in vms:
        await wishes.disk(vm, "d")
        await site.store.link.call(("ZADD", f"{site.prefix}:todo", 1, vm))
    async with an_undertaker(site, at_once=1) as undertaker:
        undertaker.poke()
        for vm in vms:
            await wishes.settled(vm)
            assert wishes.done(vm) == [("disk", "d")]
