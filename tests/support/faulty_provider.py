"""A driver whose faults a test switches on and off while it runs: the dummy, and moods.

It is found as any plug-in is, by an entry point; `install` writes the distribution that names it.
"""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.providers.contract import (
    CloneRef,
    CloneSpec,
    OwnershipTag,
    ProviderVm,
    VmListing,
    VmRef,
)
from vmpooler_manager.providers.dummy.provider import DummyProvider
from vmpooler_manager.providers.errors import PermanentError, Throttled, TransientError

DRIVER = "faulty"

Mood = Literal["fail", "refuse", "throttle", "hang", "wait", "crash", "empty", "partial"]
"""What a call does: raises TransientError, PermanentError or Throttled, never answers, goes on when it may,
raises what a driver must not, or (a listing) shows nothing, or all but the first VM."""
ADDRESS = "address"
_LOOK_EVERY = 0.02


class Moods:
    """What is wrong with the driver just now, in a file, so that its process may be another."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.set()

    def set(self, *, address: str = "", **by_call: Mood) -> None:
        """Have these calls misbehave from now on, and no others; VMs that have booted are at `address`."""
        by_call |= {ADDRESS: address} if address else {}  # type: ignore[dict-item]
        beside = self.path.with_suffix(".new")
        beside.write_text(json.dumps(by_call))
        beside.replace(self.path)


class FaultyProvider(DummyProvider):
    """The dummy driver; its further setting `moods` is the path of the file of moods."""

    def __init__(self, name: str, settings: Mapping[str, Any], metrics: ConnectionMetrics) -> None:
        super().__init__(name, settings, metrics)
        self._path = Path(settings["moods"])

    async def open(self) -> None:
        """Open, or not."""
        await self._suffer("open")
        await super().open()

    async def close(self) -> None:
        """Close, or not."""
        await super().close()
        await self._suffer("close")

    async def create(self, pool: CloneSpec, tag: OwnershipTag) -> ProviderVm:
        """Create, or not."""
        await self._suffer("create")
        return self._moved(await super().create(pool, tag))

    async def find(self, pool: CloneSpec, clone: CloneRef) -> ProviderVm | None:
        """Find, or not."""
        await self._suffer("find")
        return await super().find(pool, clone)

    async def inspect(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """Inspect, or not."""
        await self._suffer("inspect")
        return self._moved(await super().inspect(pool, vm))

    async def list_vms(self, pool: CloneSpec) -> VmListing:
        """List, or not, or not all."""
        mood = await self._suffer("list_vms")
        found = await super().list_vms(pool)
        vms = () if mood == "empty" else found.vms[1:] if mood == "partial" else found.vms
        return replace(found, vms=tuple(map(self._moved, vms)))

    async def annotate(self, pool: CloneSpec, vm: VmRef, tag: OwnershipTag) -> None:
        """Annotate, or not."""
        await self._suffer("annotate")
        await super().annotate(pool, vm, tag)

    async def add_disk(self, pool: CloneSpec, vm: VmRef, *, task: str, size: int) -> None:
        """Add a disk, or not."""
        await self._suffer("add_disk")
        await super().add_disk(pool, vm, task=task, size=size)

    async def snapshot(self, pool: CloneSpec, vm: VmRef, *, name: str) -> None:
        """Take a snapshot, or not."""
        await self._suffer("snapshot")
        await super().snapshot(pool, vm, name=name)

    async def revert(self, pool: CloneSpec, vm: VmRef, *, task: str, snapshot: str) -> None:
        """Go back, or not."""
        await self._suffer("revert")
        await super().revert(pool, vm, task=task, snapshot=snapshot)

    async def destroy(self, pool: CloneSpec, vm: VmRef) -> None:
        """Destroy, or not."""
        await self._suffer("destroy")
        await super().destroy(pool, vm)

    def _moved(self, vm: ProviderVm) -> ProviderVm:
        address = self._mood(ADDRESS)
        return replace(vm, ip=address) if address and vm.ip else vm

    async def _suffer(self, call: str) -> str:
        mood = self._mood(call)
        while mood == "wait":
            await asyncio.sleep(_LOOK_EVERY)
            mood = self._mood(call)
        match mood:
            case "fail":
                raise TransientError(f"told to fail {call}")
            case "refuse":
                raise PermanentError(f"told to refuse {call}")
            case "throttle":
                raise Throttled(f"told to throttle {call}", retry_after=timedelta(seconds=1))
            case "crash":
                raise ZeroDivisionError(f"told to crash in {call}")
            case "hang":
                await asyncio.get_running_loop().create_future()
        return mood

    def _mood(self, call: str) -> str:
        mood: str = json.loads(self._path.read_text()).get(call, "")
        return mood


def install(directory: Path) -> Path:
    """Install the driver where the returned folder is on the path of modules."""
    information = directory / f"{DRIVER}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {DRIVER}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        f"[vmpooler.providers]\n{DRIVER} = {__name__}:{FaultyProvider.__name__}\n"
    )
    return directory
