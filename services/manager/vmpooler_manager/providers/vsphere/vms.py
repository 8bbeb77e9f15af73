"""Single VMs in vCenter: found by our ids, read, and changed by tasks."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any
from weakref import WeakValueDictionary

from pyVmomi import vim, vmodl

from vmpooler_manager.providers.errors import NotFound, TransientError
from vmpooler_manager.providers.types import VmRef
from vmpooler_manager.providers.vsphere.retrieval import Found, of_objects, retrieve
from vmpooler_manager.providers.vsphere.session import Connection, Session
from vmpooler_manager.providers.vsphere.tasks import Tasks
from vmpooler_manager.providers.vsphere.watcher import Watcher


class Vms:
    """Finds and changes VMs."""

    def __init__(self, session: Session, tasks: Tasks, watcher: Watcher) -> None:
        self._session = session
        self._tasks = tasks
        self._watcher = watcher
        self.refs: dict[str, Any] = {}
        """vCenter's objects of VMs that were made or looked for, by our id."""
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def existing(self, vm: VmRef) -> Any:
        """Find a VM, as remembered or by asking. Raises NotFound."""
        ref = await self.ref(vm.provider_id, vm.name, ask=False)
        if ref is None:
            raise NotFound(f"there is no VM {vm.provider_id} ({vm.name})")
        return ref

    def known(self, id_: str) -> Any:
        """Give vCenter's object for an id as far as it is known without asking."""
        return self.refs.get(id_) or self._watcher.known(id_)

    async def ref(self, id_: str, name: str, *, ask: bool) -> Any:
        """Give vCenter's object for an id, as remembered or by asking; None when there is none."""
        if not ask and (known := self.known(id_)) is not None:
            return known
        ref = await self._session.call(
            f"looking for {name}",
            lambda connection: connection.content.searchIndex.FindByUuid(None, id_, True, True),
        )
        if ref is not None:
            self.refs[id_] = ref
        return ref

    async def read(self, ref: Any, vm: VmRef, paths: Sequence[str]) -> Mapping[str, Any]:
        """Read properties of one VM. Raises NotFound when it is gone."""
        wanted = {vim.VirtualMachine: paths}

        def read(connection: Connection) -> list[Found]:
            try:
                return retrieve(connection.content, of_objects([connection.of(ref)], wanted))
            except vmodl.fault.ManagedObjectNotFound:
                return []

        found = await self._session.call(f"reading {vm.name}", read)
        if not found:
            self.refs.pop(vm.provider_id, None)
            raise NotFound(f"there is no VM {vm.provider_id} ({vm.name})")
        return found[0].properties

    async def annotate(self, ref: Any, vm: VmRef, text: str) -> None:
        """Replace the VM's annotation. Raises NotFound when it is gone."""
        spec = vim.vm.ConfigSpec(annotation=text)
        try:
            await self.run(ref, f"annotating {vm.name}", lambda own: own.ReconfigVM_Task(spec))
        except NotFound:
            self.refs.pop(vm.provider_id, None)
            raise

    async def remove(self, vm: VmRef) -> None:
        """Switch a VM off and destroy it; one that is gone already is a success.

        By vCenter's object for it, which is never another VM's: as known, else as asked for.
        """
        if (ref := self.known(vm.provider_id)) is not None:
            with suppress(NotFound):  # asked below whether it has become another object
                await self._remove(ref, vm)
                return
        ref = await self.ref(vm.provider_id, vm.name, ask=True)
        if ref is not None:
            await self._remove(ref, vm)

    async def _remove(self, ref: Any, vm: VmRef) -> None:
        try:
            await self.run(ref, f"switching {vm.name} off", lambda own: own.PowerOffVM_Task())
        except TransientError as error:
            if not isinstance(error.__cause__, vim.fault.InvalidPowerState):
                raise
        await self.run(ref, f"destroying {vm.name}", lambda own: own.Destroy_Task())

    async def run(self, ref: Any, doing: str, start: Any) -> Any:
        """Start a task on an object and wait for its end."""
        task = await self._session.call(doing, lambda connection: start(connection.of(ref)))
        return await self._tasks.result(task, doing)

    @asynccontextmanager
    async def lock(self, vm: VmRef) -> AsyncIterator[None]:
        """One change of a VM at a time, as far as this client goes."""
        lock = self._locks.setdefault(vm.provider_id, asyncio.Lock())
        async with lock:
            yield
