"""What users have done to their VMs: disks and snapshots; each task once, whoever dies meanwhile."""

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from vmpooler_manager.providers.errors import NotFound, PermanentError
from vmpooler_manager.providers.types import VmRef
from vmpooler_manager.providers.vsphere import disks, snapshots
from vmpooler_manager.providers.vsphere.vms import Vms


class UserTasks:
    """Changes VMs by tasks with an id."""

    def __init__(self, vms: Vms) -> None:
        self._vms = vms

    async def add_disk(self, vm: VmRef, *, task: str, size: int) -> None:
        """Add the disk and note the task by one change."""
        async with self._vms.lock(vm):
            ref = await self._vms.existing(vm)
            properties = await self._vms.read(ref, vm, disks.PROPERTIES)
            if disks.is_done(properties, task):
                return
            spec = disks.disk_change(properties, task=task, size=size, vm=vm.name)
            await self._vms.run(ref, f"adding a disk to {vm.name}", lambda own: own.ReconfigVM_Task(spec))

    async def snapshot(self, vm: VmRef, *, name: str) -> None:
        """Take a snapshot with the memory, so that going back needs no boot."""
        async with self._vms.lock(vm):
            ref = await self._vms.existing(vm)
            properties = await self._vms.read(ref, vm, snapshots.PROPERTIES)
            if snapshots.named(properties.get("snapshot.rootSnapshotList", ()), name) is None:
                await self._vms.run(
                    ref,
                    f"taking a snapshot of {vm.name}",
                    lambda own: own.CreateSnapshot_Task(name, snapshots.DESCRIPTION, True, False),
                )

    async def revert(self, vm: VmRef, *, task: str, snapshot: str) -> None:
        """Go back, then put back what going back has reset: the tag, and the notes of tasks with this one.

        Going back resets every note on the VM. A snapshot of disks alone, taken first, outlives it and
        carries them: while it is the current one, the VM hasn't gone back yet.
        """
        async with self._vms.lock(vm):
            ref = await self._vms.existing(vm)
            properties = await self._vms.read(ref, vm, snapshots.PROPERTIES)
            trees = properties.get("snapshot.rootSnapshotList", ())
            mark = snapshots.named(trees, snapshots.mark_of(task))
            if disks.is_done(properties, task):
                if mark is not None:
                    await self._remove(mark.snapshot, vm)
                return
            target = snapshots.named(trees, snapshot)
            if target is None:
                raise PermanentError(f"{vm.name} has no snapshot {snapshot}")
            await self._go_back(ref, vm, task=task, target=target, mark=mark, properties=properties)

    async def _go_back(
        self, ref: Any, vm: VmRef, *, task: str, target: Any, mark: Any, properties: Mapping[str, Any]
    ) -> None:
        doing = f"reverting {vm.name} to a snapshot"
        if mark is None:
            kept, name = snapshots.kept(properties, task), snapshots.mark_of(task)
            marking = await self._vms.run(
                ref, doing, lambda own: own.CreateSnapshot_Task(name, kept, False, False)
            )
            has_gone_back = False
        else:
            kept, marking = mark.description, mark.snapshot
            has_gone_back = properties["snapshot.currentSnapshot"]._GetMoId() != marking._GetMoId()
        if not has_gone_back:
            await self._vms.run(target.snapshot, doing, lambda own: own.RevertToSnapshot_Task())
        spec = snapshots.restoring(kept)
        await self._vms.run(ref, doing, lambda own: own.ReconfigVM_Task(spec))
        await self._remove(marking, vm)

    async def _remove(self, snapshot: Any, vm: VmRef) -> None:
        doing = f"removing a mark of {vm.name}"
        with suppress(NotFound):
            await self._vms.run(snapshot, doing, lambda own: own.RemoveSnapshot_Task(False))
