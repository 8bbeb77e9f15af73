"""What the vSphere driver asks of vCenter: for a VM's life, at rest, at its start, for a listing.

Against govmomi's simulator, without a manager: clones end inside the call there, and a clone's annotation and
switching on are four calls more than with a vCenter. Without the watcher a listing would need
a call for each VM; that is measured, too.
"""

import asyncio
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure
from benchmarks.stage import Stage, say
from tests.vsphere.simulated import GOVMOMI, Simulator, driver, in_thread, pool, simulator
from vmpooler_manager.providers.contract import CloneSpec, VmRef
from vmpooler_manager.providers.testing.subject import Subject, new_tag, ready_vm, ref
from vmpooler_manager.providers.vsphere.provider import VsphereProvider

VMS, POOLS = 2000, 20
LIVES, ROUNDS, AT_ONCE = 20, 5, 20
MINUTE = 60.0
SINGLE = 200
"""Looks at single VMs; the cost of all is as many times more."""
POOL = pool("measured")


@dataclass
class Used:
    """What was used since this was made."""

    provider: VsphereProvider

    def __post_init__(self) -> None:
        self._calls, self._cpu, self._at = self.provider.calls, time.process_time(), time.monotonic()

    @property
    def calls(self) -> int:
        """Calls to vCenter."""
        return self.provider.calls - self._calls

    @property
    def milliseconds(self) -> float:
        """CPU of this process, which is the driver and little else."""
        return (time.process_time() - self._cpu) * 1000

    @property
    def seconds(self) -> float:
        """Wall-clock."""
        return time.monotonic() - self._at


async def run(stage: Stage) -> list[Figure]:
    """Measure calls and CPU; about 100 s, and the simulator's building. Nothing without Go."""
    if shutil.which("go") is None or not GOVMOMI.is_dir():
        say("  left out: it needs golang-go and golang-github-vmware-govmomi-dev")
        return []
    async with _vcenter(machines=2) as vcenter:
        figures = await _lives(vcenter)
    async with _vcenter(machines=VMS + 1) as vcenter:
        pools = await in_thread(_spread, vcenter)
        return figures + await _many(vcenter, pools)


@asynccontextmanager
async def _vcenter(*, machines: int) -> AsyncIterator[Simulator]:
    with tempfile.TemporaryDirectory() as directory:
        running = simulator(Path(directory), machines=machines)
        vcenter = await in_thread(running.__enter__)
        try:
            yield vcenter
        finally:
            await in_thread(running.__exit__, None, None, None)


def _spread(vcenter: Simulator) -> list[CloneSpec]:
    """Put the simulator's VMs into the pools' folders."""
    root = vcenter.find("vm")
    folder = root.CreateFolder("pooled")
    machines = [vm for vm in vcenter.list_vms() if vm.parent._GetMoId() == root._GetMoId()]
    share = VMS // POOLS
    pools = []
    for number in range(POOLS):
        own = folder.CreateFolder(f"pool-{number:02}")
        own.MoveIntoFolder_Task(machines[number * share : (number + 1) * share])
        pools.append(pool(f"pool-{number:02}"))
    return pools


async def _lives(vcenter: Simulator) -> list[Figure]:
    calls, cpu = [], []
    async with driver(vcenter) as provider:
        await provider.prepare(POOL)
        await provider.list_vms(POOL)
        await _life(provider)
        for number in range(1, ROUNDS + 1):
            say(f"  {LIVES} lives, round {number} of {ROUNDS}")
            used = Used(provider)
            for _ in range(LIVES):
                await _life(provider)
            calls.append(used.calls / LIVES)
            cpu.append(used.milliseconds / LIVES)
        used = Used(provider)
        await asyncio.gather(*(_life(provider) for _ in range(AT_ONCE)))
        shared = used.calls / AT_ONCE
    return [
        Figure("a vSphere VM's life (clone, ready, destroy): calls", "", tuple(calls), 12),
        Figure("  CPU of the driver", "ms", tuple(cpu)),
        Figure(f"  calls, {AT_ONCE} VMs at once", "", (shared,), 12),
    ]


async def _life(provider: VsphereProvider) -> None:
    made = await provider.create(POOL, new_tag(POOL))
    ready = await ready_vm(Subject(provider, POOL, POOL), made)
    await provider.destroy(POOL, ref(ready))


async def _many(vcenter: Simulator, pools: list[CloneSpec]) -> list[Figure]:
    say(f"  the start with {VMS:,} VMs in {POOLS} pools")
    async with driver(vcenter, operation_timeout=60) as provider:
        used = Used(provider)
        listings = await asyncio.gather(*(provider.list_vms(one) for one in pools))
        start = (used.seconds, used.milliseconds, float(used.calls))
        found = [vm for listing in listings for vm in listing.vms]
        assert len(found) == VMS
        used = Used(provider)
        await asyncio.gather(*(provider.list_vms(one) for one in pools))
        listing = (used.milliseconds, float(used.calls))
        say(f"  {SINGLE} looks at single VMs")
        single = await _one_by_one(provider, pools[0], [vm.provider_id for vm in found])
        await _minute(provider, pools)  # the first listings don't wait for each other yet
        say("  a minute of nothing")
        used = Used(provider)
        await _minute(provider, pools)
        rest = (float(used.calls), used.milliseconds)
    return [
        Figure(f"start with {VMS:,} VMs: calls", "", (start[2],)),
        Figure("  CPU", "ms", (start[1],)),
        Figure("  until all pools are listed", "s", (start[0],)),
        Figure(f"all {POOLS} pools listed: calls", "", (listing[1],)),
        Figure("  CPU", "ms", (listing[0],)),
        Figure("  with one call for each VM: calls", "", (single[0],)),
        Figure("  CPU", "ms", (single[1],)),
        Figure(f"an idle minute with {VMS:,} VMs: calls", "", (rest[0],), 6, "2000, one for each VM"),
        Figure("  CPU", "ms", (rest[1],)),
    ]


async def _one_by_one(provider: VsphereProvider, pool: CloneSpec, ids: list[str]) -> tuple[float, float]:
    used = Used(provider)
    for id_ in ids[:SINGLE]:
        await provider.inspect(pool, VmRef("vm", "attempt", id_))
    times = len(ids) / SINGLE
    return used.calls * times, used.milliseconds * times


async def _minute(provider: VsphereProvider, pools: list[CloneSpec]) -> None:
    """List each pool once in a minute, at times of their own, as managers do."""

    async def one(number: int, pool: CloneSpec) -> Any:
        await asyncio.sleep(number * MINUTE / POOLS)
        return await provider.list_vms(pool)

    began = time.monotonic()
    listing = [asyncio.create_task(one(number, pool)) for number, pool in enumerate(pools)]
    await asyncio.sleep(MINUTE)
    await asyncio.gather(*listing)
    say(f"  {time.monotonic() - began:.0f} s")
