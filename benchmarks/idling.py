"""What the manager needs while a hundred full pools have nothing to do.

Passes and listings recur after a minute, so a minute is measured: each is in it once.
"""

import asyncio

from benchmarks.figures import Figure
from benchmarks.filled_pools import POOLS, fill_pools
from benchmarks.metering import Meter
from benchmarks.stage import Stage, say

SETTLE_SECONDS = 5.0
"""For what follows the filling: the first listings, the last numbers for metrics."""
SECONDS = 60.0


async def run(stage: Stage) -> list[Figure]:
    """Measure CPU and round trips per second; about 70 s."""
    service = (await fill_pools(stage, task_limit=100)).installation.service
    await asyncio.sleep(SETTLE_SECONDS)
    say(f"  {SECONDS:g} s of nothing")
    meter = Meter(service)
    await meter.start()
    await asyncio.sleep(SECONDS)
    usage = await meter.stop()
    return [
        Figure(
            f"{len(POOLS)} full pools, idle: manager CPU",
            "% of a core",
            (100 * usage.cpu / usage.seconds,),
            1,
            "7",
        ),
        Figure("  round trips per second", "", (usage.round_trips / usage.seconds,), 20, "264 commands"),
    ]
