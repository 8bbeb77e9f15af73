"""The dummy driver: the provider contract, kept by a table of VMs.

The cloud's work goes on without its client: a clone ends at a time that stands in the table, and what a
VM is doing follows from the table and the clock. So it makes no difference whether the manager that
started a VM is still there.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog

from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.model.events import EventName
from vmpooler_common.model.vm import TaskKind
from vmpooler_manager.providers.connection_pool import ConnectionPool, Connector
from vmpooler_manager.providers.contract import (
    CloneRef,
    CloneSpec,
    OwnershipTag,
    Place,
    ProviderVm,
    VmListing,
    VmRef,
)
from vmpooler_manager.providers.dummy.faults import Delay, Fault, Faults
from vmpooler_manager.providers.dummy.machine import Machine, TaskDone, disks_after
from vmpooler_manager.providers.dummy.settings import DummySettings
from vmpooler_manager.providers.dummy.table import Table
from vmpooler_manager.providers.errors import (
    CloneFailed,
    NoCapacity,
    NotFound,
    PermanentError,
    TransientError,
)
from vmpooler_manager.providers.settings import read_settings

LATE_FAILURE = "the clone failed while it was made (createvm_latefail_percent)"


class DummyProvider:
    """A client of the dummy cloud in one file, or of a cloud of its own in memory."""

    features = DummySettings.features
    create_grace = timedelta(seconds=2)
    """The table itself refuses a VM whose statement runs later than this after `create` was called.

    Such a statement may have waited for another process's write, or its own process may have been
    stopped and continued. Only a process stopped inside the statement, some microseconds, could
    still be late.
    """

    def __init__(self, name: str, settings: Mapping[str, Any], metrics: ConnectionMetrics) -> None:
        self._name = name
        self._settings = read_settings(DummySettings, name, settings)
        self._faults = Faults(self._settings)
        self._table: Table | None = None
        self._connections = ConnectionPool(
            name,
            Connector(self._connect),
            size=self._settings.connection_pool_size,
            timeout=timedelta(seconds=self._settings.connection_pool_timeout),
            metrics=metrics,
        )

    async def open(self) -> None:
        """Open the table."""
        filename = self._settings.filename
        if filename is None:
            structlog.get_logger().warning(
                EventName.PROVIDER_WARNING,
                message="it keeps its VMs in memory: for one manager, and gone when that ends",
                provider=self._name,
            )
        self._table = await Table.open(None if filename is None else Path(filename))

    async def close(self) -> None:
        """Close the table."""
        await self._connections.close()
        if self._table is not None:
            await self._table.close()

    async def create(self, pool: CloneSpec, tag: OwnershipTag) -> ProviderVm:
        """Add a VM whose clone ends, and which has booted, after random times."""
        self._check_template(pool)
        async with self._call() as table:
            if self._faults.strikes(Fault.CREATE_FAILS):
                raise TransientError(f"dummy cloud: {tag.name} was not made (createvm_fail_percent)")
            if self._faults.strikes(Fault.NO_CAPACITY):
                raise NoCapacity(f"dummy cloud: no room for {tag.name} (createvm_nocapacity_percent)")
            fails_late = self._faults.strikes(Fault.CREATE_FAILS_LATE)
            now = time.time()
            clone_ends_at = now + self._faults.seconds(Delay.CLONE)
            machine = await table.add(
                {
                    "id": f"dummy-{uuid4()}",
                    "place": _place(pool),
                    "name": tag.name,
                    "template": pool.template,
                    "clone_target": pool.options.get("clone_target"),
                    "created_at": now,
                    "clone_ends_at": clone_ends_at,
                    "ready_at": clone_ends_at + self._faults.seconds(Delay.BOOT),
                    "clone_failure": LATE_FAILURE if fails_late else None,
                    "ready_known": not self._faults.may(Fault.READINESS_CHECK_FAILS),
                },
                tag,
                refused_from=now + self.create_grace.total_seconds(),
            )
            if machine is None:
                raise TransientError(f"dummy cloud: {tag.name} was not made, the request was too old")
            if self._faults.strikes(Fault.CREATE_LEAVES_ORPHAN):
                raise TransientError(f"dummy cloud: {tag.name} was made, or not (createvm_orphan_percent)")
            return machine.seen_at(now)

    async def find(self, pool: CloneSpec, clone: CloneRef) -> ProviderVm | None:
        """Look in the whole cloud: a VM stays where it was made, also when its pool's folder was changed."""
        async with self._call() as table:
            machine = await table.find(clone.name, clone.attempt)
        return None if machine is None else _seen(machine, time.time())

    async def inspect(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """Look at one VM, whose guest may not answer as long as it never has."""
        async with self._call() as table:
            machine = await table.get(vm.provider_id)
            if machine is None:
                raise NotFound(_no_such(vm))
            if machine.powered_on and self._faults.strikes(Fault.POWERS_OFF):
                await table.switch_off(machine.id)
                machine = replace(machine, powered_on=False)
            if self._faults.strikes(Fault.IS_RENAMED) and await table.rename(machine.id):
                machine = await table.get(machine.id) or machine
            now = time.time()
            if machine.powered_on and not machine.ready_known and not machine.has_failed(now):
                machine = await self._ask_guest(table, machine, now)
            return _seen(machine, now)

    async def list_vms(self, pool: CloneSpec) -> VmListing:
        """List the place of the pool: its `folder`, shared with other pools of that folder, or its own."""
        async with self._call() as table:
            if self._faults.strikes(Fault.LISTING_FAILS):
                raise TransientError(f"dummy cloud: no listing of {_place(pool)!r} (listvms_fail_percent)")
            as_of = time.monotonic()
            machines = await table.at_place(_place(pool))
        if self._faults.strikes(Fault.LISTING_IS_PARTIAL):
            machines = self._faults.without_some(machines)
        return VmListing(_all_seen(machines), as_of)

    async def annotate(self, pool: CloneSpec, vm: VmRef, tag: OwnershipTag) -> None:
        """Write the whole tag anew."""
        async with self._call() as table:
            if not await table.retag(vm.provider_id, tag):
                raise NotFound(_no_such(vm))

    async def add_disk(self, pool: CloneSpec, vm: VmRef, *, task: str, size: int) -> None:
        """Add a disk; like all tasks, it keeps its connection for as long as it takes."""
        done = TaskDone(task, TaskKind.DISK, size=size)
        async with self._call() as table:
            await self._do(table, vm, done, takes=Delay.DISK, fails=Fault.DISK_FAILS)

    async def snapshot(self, pool: CloneSpec, vm: VmRef, *, name: str) -> None:
        """Take a snapshot."""
        done = TaskDone(name, TaskKind.SNAPSHOT)
        async with self._call() as table:
            await self._do(table, vm, done, takes=Delay.SNAPSHOT, fails=Fault.SNAPSHOT_FAILS)

    async def revert(self, pool: CloneSpec, vm: VmRef, *, task: str, snapshot: str) -> None:
        """Go back to a snapshot."""
        done = TaskDone(task, TaskKind.REVERT, snapshot=snapshot)
        async with self._call() as table:
            if await table.get(vm.provider_id) is None:
                raise NotFound(_no_such(vm))
            known = [one.id for one in await table.journal(vm.provider_id) if one.kind is TaskKind.SNAPSHOT]
            if snapshot not in known:
                raise PermanentError(f"dummy cloud: {vm.name} has no snapshot {snapshot}")
            await self._do(table, vm, done, takes=Delay.REVERT, fails=Fault.REVERT_FAILS)

    async def prepare(self, pool: CloneSpec) -> None:
        """Look for the template."""
        async with self._call():
            self._check_template(pool)

    async def migrate(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """Move the VM to the next host, if that is said to be better."""
        async with self._call() as table:
            machine = await table.get(vm.provider_id)
            if machine is not None and self._faults.strikes(Fault.COULD_MOVE):
                await asyncio.sleep(self._faults.seconds(Delay.MIGRATION))
                if self._faults.strikes(Fault.MIGRATION_FAILS):
                    raise TransientError(f"dummy cloud: {vm.name} was not moved (migratevm_fail_percent)")
                machine = await table.move(machine.id)
            if machine is None:
                raise NotFound(_no_such(vm))
            return _seen(machine, time.time())

    async def unreferenced(self, pools: Sequence[CloneSpec]) -> Sequence[Place]:
        """List the places of VMs that are none of these pools' places."""
        async with self._call() as table:
            machines = await table.everywhere()
        places: dict[str, list[Machine]] = {}
        for machine in machines:
            places.setdefault(machine.place, []).append(machine)
        used = set(map(_place, pools))
        return [
            Place(name, _all_seen(here), {"folder": name})
            for name, here in places.items()
            if name not in used
        ]

    async def remove_place(self, place: Place) -> None:
        """Do nothing: a place without VMs is none."""

    async def disks(self, vm: VmRef) -> list[int]:
        """Give the sizes of the added disks in GB. No part of the contract: a look at the cloud itself."""
        async with self._connections.connection() as table:
            return [disk.size for disk in disks_after(await table.journal(vm.provider_id))]

    async def destroy(self, pool: CloneSpec, vm: VmRef) -> None:
        """Switch the VM off, then remove it; one that is off already, by an earlier try, is only removed.

        The call waits for both, with its connection, as it would for the tasks of a real cloud.
        """
        async with self._call() as table:
            machine = await table.get(vm.provider_id)
            if machine is None:
                return
            if machine.powered_on:
                await table.switch_off(machine.id)
                await asyncio.sleep(self._faults.seconds(Delay.SHUTDOWN))
            if self._faults.strikes(Fault.DESTROY_FAILS):
                raise TransientError(f"dummy cloud: {vm.name} was not removed (destroyvm_fail_percent)")
            await asyncio.sleep(self._faults.seconds(Delay.REMOVAL))
            await table.remove(machine.id)

    async def _do(self, table: Table, vm: VmRef, task: TaskDone, *, takes: Delay, fails: Fault) -> None:
        await asyncio.sleep(self._faults.seconds(takes))
        if self._faults.strikes(fails):
            raise TransientError(f"dummy cloud: {task.kind} of {vm.name} was not made ({fails})")
        if not await table.note(vm.provider_id, task):
            raise NotFound(_no_such(vm))
        if self._faults.strikes(Fault.TASK_ANSWER_IS_LOST):
            raise TransientError(
                f"dummy cloud: {task.kind} of {vm.name} was made, or not ({Fault.TASK_ANSWER_IS_LOST})"
            )

    def _check_template(self, pool: CloneSpec) -> None:
        known = self._settings.templates
        if known and pool.template not in known:
            raise PermanentError(
                f"dummy cloud: pool {pool.name!r}: there is no template {pool.template!r} "
                f"(templates: {', '.join(known)})"
            )

    async def _ask_guest(self, table: Table, machine: Machine, now: float) -> Machine:
        if self._faults.strikes(Fault.READINESS_CHECK_FAILS):
            raise TransientError(f"dummy cloud: no answer from {machine.name} (vmready_fail_percent)")
        if now < machine.ready_at:
            return machine
        await table.know_ready(machine.id)
        return replace(machine, ready_known=True)

    @asynccontextmanager
    async def _call(self) -> AsyncIterator[Table]:
        """Take a connection for one call, and suffer what can happen to any call."""
        async with self._connections.connection() as table:
            await self._faults.meet_call()
            yield table

    async def _connect(self) -> Table:
        # Every connection leads to the same table: it takes one statement at a time, whoever asks.
        if self._table is None:
            raise PermanentError(f"provider {self._name!r} was not opened")
        return self._table


def _place(pool: CloneSpec) -> str:
    return str(pool.options.get("folder") or pool.name)


def _seen(machine: Machine, now: float) -> ProviderVm:
    """Describe a VM, or raise CloneFailed."""
    if machine.has_failed(now):
        raise CloneFailed(TransientError(f"dummy cloud: {machine.name}: {machine.clone_failure}"))
    return machine.seen_at(now)


def _all_seen(machines: Iterable[Machine]) -> tuple[ProviderVm, ...]:
    now = time.time()
    return tuple(machine.seen_at(now) for machine in machines if not machine.has_failed(now))


def _no_such(vm: VmRef) -> str:
    return f"dummy cloud: there is no VM {vm.provider_id} ({vm.name})"
