"""What the API needs for a checkout and the return of the VM.

Round trips are counted with one client, so that no two requests share one, and with all. CPU is that of one
worker under 16 connections that are kept alive. A route that does nothing, asked as often, tells what HTTP
alone costs; the two pools tell whether the number of ready VMs matters.
"""

import asyncio
import sys

from benchmarks.figures import Figure
from benchmarks.metering import Meter, Usage
from benchmarks.stage import Stage, say
from benchmarks.stocking import stock
from tests.support.project import ROOT
from tests.support.services import Service

CONNECTIONS = 16
ROUNDS = 6
PAIRS = 1000
"""Checkouts with their returns in one round."""
WARM_UP = 300
ALONE = 200
LARGE = 20_000
PATIENCE_SECONDS = 60.0

SMALL_POOL, LARGE_POOL = "small", "large"


async def run(stage: Stage) -> list[Figure]:
    """Measure round trips, CPU, and its ratios; about 50 s."""
    installation = await stage.install("api", pools={SMALL_POOL: 0, LARGE_POOL: 0})
    store, service = installation.store, installation.service
    say(f"  putting {LARGE + ROUNDS * PAIRS:,} ready VMs into a pool")
    await stock(store, LARGE_POOL, vms=LARGE + ROUNDS * PAIRS)
    await stock(store, SMALL_POOL, vms=WARM_UP + ALONE)
    await service.start()
    await _load(service, WARM_UP, pool=SMALL_POOL)
    alone = await _load(service, ALONE, pool=SMALL_POOL, connections=1)
    nothing, small, large = [], [], []
    for number in range(1, ROUNDS + 1):
        say(f"  round {number} of {ROUNDS}")
        await stock(store, SMALL_POOL, vms=PAIRS)
        nothing.append(await _load(service, PAIRS))
        small.append(await _load(service, PAIRS, pool=SMALL_POOL))
        large.append(await _load(service, PAIRS, pool=LARGE_POOL))
    return [
        Figure("round trips per checkout and return", "", (alone.round_trips / ALONE,), 2, "9"),
        Figure(
            f"the same, {CONNECTIONS} clients at once", "", tuple(use.round_trips / PAIRS for use in small)
        ),
        Figure("API CPU per checkout and return", "ms", _milliseconds(small), 0.8, "3.2-5.7"),
        Figure("API CPU of two requests for nothing", "ms", _milliseconds(nothing)),
        Figure("ratio of these two", "", _ratios(small, nothing)),
        Figure(f"API CPU with {LARGE:,} VMs in the pool", "ms", _milliseconds(large), 0.8, "28"),
        Figure("ratio to a small pool", "", _ratios(large, small), 1.1, "5-9"),
    ]


async def _load(
    service: Service, pairs: int, *, pool: str | None = None, connections: int = CONNECTIONS
) -> Usage:
    meter = Meter(service)
    await meter.start()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.load", str(service.port), str(connections), str(pairs)),
        *([] if pool is None else [pool]),
        cwd=ROOT,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            if await process.wait() != 0:
                raise RuntimeError("the clients gave up; their message stands above")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return await meter.stop()


def _milliseconds(usages: list[Usage]) -> tuple[float, ...]:
    return tuple(usage.cpu / PAIRS * 1000 for usage in usages)


def _ratios(usages: list[Usage], others: list[Usage]) -> tuple[float, ...]:
    return tuple(usage.cpu / other.cpu for usage, other in zip(usages, others, strict=True))
