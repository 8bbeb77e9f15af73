"""A manager that has just filled a hundred pools, for benchmarks to measure how, or to begin with."""

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from benchmarks.metering import Meter, Usage, connections_to
from benchmarks.stage import Installation, Stage
from vmpooler_common.model.events import EventName

POOLS = {f"pool-{number:03}": 10 for number in range(1, 101)}
"""Name → size."""
VMS = sum(POOLS.values())

_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Filled:
    """A manager with full pools, and what it took from the start of its process."""

    installation: Installation
    usage: Usage
    start_cpu: float
    """CPU seconds of the process until the first VM was reserved: a part of the usage."""
    connections: int
    """Most connections to Redis at a time."""


async def fill_pools(stage: Stage, *, task_limit: int) -> Filled:
    """Start a manager on a cloud of instant clones and return when an event tells of the last ready VM."""
    installation = await stage.install("manager", pools=POOLS, config={"task_limit": task_limit})
    service = installation.service
    async with aclosing(installation.store.events.follow()) as events:
        await anext(events)  # the first only says that it follows from now on
        meter = Meter(service)
        service.launch()
        peak = _Peak()
        watching = asyncio.create_task(peak.watch(stage.redis_port, process_id=service.process_id))
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await anext(events)  # of the first VM
                start_cpu = meter.cpu_seconds()
                ready = 0
                while ready < VMS:
                    ready += (await anext(events)).name is EventName.VM_READY
            usage = await meter.stop()
        finally:
            watching.cancel()
    return Filled(installation, usage, start_cpu, peak.connections)


class _Peak:
    """The most connections that were seen."""

    def __init__(self) -> None:
        self.connections = 0

    async def watch(self, port: int, *, process_id: int) -> None:
        """Look again and again until cancelled."""
        while True:
            self.connections = max(self.connections, connections_to(port, process_id=process_id))
            await asyncio.sleep(_LOOK_SECONDS)
