"""What a summary of a whole year needs, and for how long it keeps other requests waiting.

Every pool has had clones and boots on each day of the year. Meanwhile another client looks at a VM, again
and again, which needs the event loop and Redis; its longest wait is wall-clock, so other work on the machine
shows.
"""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import httpx

from benchmarks.figures import Figure
from benchmarks.metering import Meter
from benchmarks.stage import Installation, Stage, say
from tests.support.services import Service
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.pools.statistics import MOST_DAYS, Statistic

POOLS = (50, 500)
ROUNDS = 3
_DAY_SECONDS = 86_400
_FIGURES = {"n": 17, "sum": 1_234_567, "min": 12_345, "max": 92_345}
_PATIENCE_SECONDS = 60.0


async def run(stage: Stage) -> list[Figure]:
    """Measure CPU, size and the waits of others; about 60 s."""
    figures: list[Figure] = []
    for pools in POOLS:
        installation = await stage.install("api", pools={"pool": 0})
        say(f"  a year of {pools} pools")
        await fill_year(installation, pools)
        await installation.service.start()
        rounds = [await _summarise(installation.service) for _ in range(ROUNDS)]
        await installation.service.stop()
        cpu, megabytes, waits = zip(*rounds, strict=True)
        figures += [
            Figure(f"summary of a year of {pools} pools: API CPU", "s", cpu),
            Figure("  size of the answer", "MB", megabytes[:1]),
            Figure("  longest wait of another request meanwhile", "ms", waits),
        ]
    return figures


async def fill_year(installation: Installation, pools: int) -> None:
    """Have clones and boots of so many pools on each day of a year."""
    keys, today = Keys(installation.prefix), int(time.time()) // _DAY_SECONDS
    flat = [
        text
        for number in range(pools)
        for name, value in _FIGURES.items()
        for text in (f"debian-{number}-x86_64:{name}", value)
    ]
    for day in range(today - MOST_DAYS, today + 1):
        await installation.store.connection.call(
            *(("HSET", keys("stats", kind, str(day)), *flat) for kind in (Statistic.BOOT, Statistic.CLONE))
        )


def whole_year() -> str:
    """Give the path of its summary."""
    start = datetime.now(UTC).date() - timedelta(days=MOST_DAYS - 2)  # it may be tomorrow when it arrives
    return f"/api/v3/summary?from={start}"


async def _summarise(service: Service) -> tuple[float, float, float]:
    """Ask for everything; give CPU seconds, megabytes and milliseconds."""
    meter = Meter(service)
    async with httpx.AsyncClient(
        base_url=service.base_url, trust_env=False, timeout=_PATIENCE_SECONDS
    ) as client:
        await meter.start()
        # Read apart from this process, whose own work would show in the waits.
        reading = await asyncio.create_subprocess_exec(
            *("curl", "-s", "-o", "/dev/null", "-w", "%{size_download}"),
            f"{service.base_url}{whole_year()}",
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            longest = 0.0
            output = asyncio.create_task(reading.communicate())
            while not output.done():
                asked_at = time.monotonic()
                await client.get("/api/v3/vm/unknown")
                longest = max(longest, time.monotonic() - asked_at)
            size, _ = await output
        finally:
            if reading.returncode is None:
                reading.kill()
        usage = await meter.stop()
    return usage.cpu, int(size) / 1e6, longest * 1000
