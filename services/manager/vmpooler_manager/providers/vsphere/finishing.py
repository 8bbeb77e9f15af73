"""From a clone that vCenter has accepted to a VM that is on and carries its tag."""

import asyncio
from typing import Any

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_manager.providers.errors import CloneFailed, PermanentError
from vmpooler_manager.providers.types import VmRef, VmStatus
from vmpooler_manager.providers.vsphere.clones import Clone
from vmpooler_manager.providers.vsphere.machines import describe
from vmpooler_manager.providers.vsphere.tags import annotation
from vmpooler_manager.providers.vsphere.tasks import BatchReader, TaskForgotten, Tasks
from vmpooler_manager.providers.vsphere.vms import Vms

PAUSE = 5.0
"""Seconds until a task that may not be read is looked at again."""

log = structlog.get_logger()


class CloneFinisher:
    """Waits for clones, and does what vCenter left undone."""

    def __init__(self, tasks: Tasks, reader: BatchReader, vms: Vms) -> None:
        self._tasks = tasks
        self._reader = reader
        self._vms = vms

    async def finish(self, clone: Clone) -> None:
        """Wait for the clone's end, then see to it that it is on and carries its tag.

        vCenter does both with the clone. Where it didn't, the tag comes last: it says that it is finished.
        Raises CloneFailed when vCenter says that the clone failed, and only then; NotFound when vCenter has
        forgotten the clone's task and has no such VM, which may still appear.
        """
        id_ = str(clone.tag.clone.uuid)
        vm = VmRef(clone.tag.name, clone.tag.attempt, id_)
        if clone.task is not None:
            await self._ended(clone, id_)
        ref = await self._vms.existing(vm)
        seen = describe(ref, (await self._reader.read(ref)).properties, {})
        if seen.tag is None:
            if seen.status is VmStatus.OFF:
                await self._vms.run(ref, f"switching {vm.name} on", lambda own: own.PowerOnVM_Task(None))
            await self._vms.annotate(ref, vm, annotation(clone.tag))

    async def _ended(self, clone: Clone, id_: str) -> None:
        """Wait for the task, however long vCenter can't be asked for it; remember the VM that it made."""
        while True:
            try:
                ended = await self._tasks.ended(clone.task, f"cloning {clone.tag.name}")
            except TaskForgotten:
                return
            except PermanentError as error:
                # Not to be allowed to look says nothing of the clone.
                log.debug(EventName.PROVIDER_WARNING, message=f"{id_} is unclear: {error}")
                await asyncio.sleep(PAUSE)
                continue
            if ended.failure is not None:
                raise CloneFailed(ended.failure) from ended.failure
            self._vms.refs[id_] = ended.result
            return


def stopping(clone: Clone) -> Any:
    """Give the call that asks vCenter to stop a clone."""
    return lambda connection: connection.of(clone.task).CancelTask()
