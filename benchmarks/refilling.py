"""How soon after a checkout the clone of its replacement starts.

Both times are in the records and by Redis's clock, in whole milliseconds: when the VM was handed out, and
when leave was given to send `create` for the next one of the pool.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import timedelta
from itertools import cycle, islice
from statistics import median, quantiles

from benchmarks.figures import Figure
from benchmarks.stage import Installation, Stage, say
from vmpooler_common.model.events import EventName
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.core.events import Event
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.scripts import new_operation

POOLS = {f"pool-{number:02}": 5 for number in range(1, 21)}
CHECKOUTS = 300

_PATIENCE_SECONDS = 60.0


async def run(stage: Stage) -> list[Figure]:
    """Take VMs one after the other from twenty full pools; about 5 s."""
    installation = await stage.install("manager", pools=POOLS)
    async with (
        asyncio.timeout(_PATIENCE_SECONDS),
        aclosing(installation.store.events.follow()) as events,
    ):
        await anext(events)  # the first only says that it follows from now on
        await installation.service.start()
        for _ in range(sum(POOLS.values())):
            await _next(events, EventName.VM_READY)
        say(f"  {CHECKOUTS} checkouts")
        delays = [await _delay(installation, events, pool=pool) for pool in islice(cycle(POOLS), CHECKOUTS)]
    return [
        Figure(
            "from a checkout to its replacement's clone, half of them within",
            "ms",
            (median(delays),),
            50,
            "8,000-12,000",
        ),
        Figure("  99 % of them within", "ms", (quantiles(delays, n=100)[-1],)),
        Figure("  all of them within", "ms", (max(delays),)),
    ]


async def _delay(installation: Installation, events: AsyncGenerator[Event, None], *, pool: str) -> float:
    """Take a VM, wait until another one is ready in its place, and give the delay in milliseconds."""
    store = installation.store
    checkout = await store.checkouts.check_out(
        [LineItem(pool, 1, [(pool, 1.0)])], operation=new_operation(), lifetime=timedelta(hours=1)
    )
    replacement = await _next(events, EventName.VM_READY)
    key = Keys(installation.prefix)
    taken_at, asked_at = await store.connection.call(
        ("HGET", key("vm", checkout.grants[0].vm), "checkout"),
        ("HGET", key("vm", replacement.vm), "create_sent"),
    )
    return float(int(asked_at) - int(taken_at))


async def _next(events: AsyncGenerator[Event, None], name: EventName) -> Event:
    async for event in events:
        if event.name is name:
            return event
    raise AssertionError("events are followed for ever")
