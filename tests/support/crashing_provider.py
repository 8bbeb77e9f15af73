"""A driver that is the death of its process: the dummy, and signals to itself as a test orders.

It is found as any plug-in is, by an entry point; `install` writes the distribution that names it.
"""

import asyncio
import os
import signal
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

from tests.support.crashing_orders import Call, Effect, Orders, When
from tests.support.project import ROOT
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
from vmpooler_manager.providers.errors import TransientError

DRIVER = "crashing"


class CrashingProvider(DummyProvider):
    """The dummy driver; its further setting `orders` is the path of a file of orders."""

    def __init__(self, name: str, settings: Mapping[str, Any], metrics: ConnectionMetrics) -> None:
        super().__init__(name, settings, metrics)
        self._orders = Orders(Path(settings["orders"]))
        self._file = Path(settings["filename"])

    async def create(self, pool: CloneSpec, tag: OwnershipTag) -> ProviderVm:
        """Create, and obey."""
        async with self._obeying(Call.CREATE):
            return await super().create(pool, tag)

    async def find(self, pool: CloneSpec, clone: CloneRef) -> ProviderVm | None:
        """Find, and obey."""
        async with self._obeying(Call.FIND):
            return await super().find(pool, clone)

    async def inspect(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """Inspect, and obey."""
        async with self._obeying(Call.INSPECT):
            return await super().inspect(pool, vm)

    async def list_vms(self, pool: CloneSpec) -> VmListing:
        """List, and obey."""
        async with self._obeying(Call.LIST_VMS):
            return await super().list_vms(pool)

    async def annotate(self, pool: CloneSpec, vm: VmRef, tag: OwnershipTag) -> None:
        """Annotate, and obey."""
        async with self._obeying(Call.ANNOTATE):
            await super().annotate(pool, vm, tag)

    async def add_disk(self, pool: CloneSpec, vm: VmRef, *, task: str, size: int) -> None:
        """Add a disk, and obey."""
        async with self._obeying(Call.ADD_DISK):
            await super().add_disk(pool, vm, task=task, size=size)

    async def snapshot(self, pool: CloneSpec, vm: VmRef, *, name: str) -> None:
        """Take a snapshot, and obey."""
        async with self._obeying(Call.SNAPSHOT):
            await super().snapshot(pool, vm, name=name)

    async def revert(self, pool: CloneSpec, vm: VmRef, *, task: str, snapshot: str) -> None:
        """Go back, and obey."""
        async with self._obeying(Call.REVERT):
            await super().revert(pool, vm, task=task, snapshot=snapshot)

    async def destroy(self, pool: CloneSpec, vm: VmRef) -> None:
        """Destroy, and obey."""
        async with self._obeying(Call.DESTROY):
            await super().destroy(pool, vm)

    @asynccontextmanager
    async def _obeying(self, call: Call) -> AsyncIterator[None]:
        await self._obey(When.BEFORE, call)
        yield
        await self._obey(When.AFTER, call)

    async def _obey(self, when: When, call: Call) -> None:
        match self._orders.take(when, call):
            case Effect.KILL:
                os.kill(os.getpid(), signal.SIGKILL)
            case Effect.STOP:
                # A client that stands still locks no cloud; another call may just be within the dummy's file.
                while self._is_locked():  # noqa: ASYNC110 - a file gives no events
                    await asyncio.sleep(0.005)
                os.kill(os.getpid(), signal.SIGSTOP)
            case Effect.FAIL:
                raise TransientError(f"ordered to fail {when} {call}")

    def _is_locked(self) -> bool:
        with closing(sqlite3.connect(self._file, timeout=0)) as database:
            try:
                database.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
        return False


def install(directory: Path) -> str:
    """Install the driver for processes whose PYTHONPATH is the returned text."""
    information = directory / f"{DRIVER}-1.0.dist-info"
    information.mkdir(parents=True)
    (information / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {DRIVER}\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text(
        f"[vmpooler.providers]\n{DRIVER} = {__name__}:{CrashingProvider.__name__}\n"
    )
    inherited = os.environ.get("PYTHONPATH")
    return os.pathsep.join(filter(None, (str(directory), str(ROOT), inherited)))
