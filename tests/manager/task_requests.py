"""Tasks that users of a site ask for on their running VMs: the API's part, by the store's verbs."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.manager.site import Site
from tests.store.task_helpers import disk, revert, snapshot
from tests.support.eventually import DEADLINE, eventually
from vmpooler_common.model.vm import TaskState, VmTask


@dataclass(frozen=True)
class TaskRequests:
    """The tasks of a site's VMs. A task is named by its id, 32 characters as the API makes them."""

    site: Site

    async def disk(self, vm: str, name: str, size: int = 8) -> None:
        """Ask for a disk."""
        await self._ask(vm, disk(identifier(name), size))

    async def snapshot(self, vm: str, name: str) -> None:
        """Ask for a snapshot."""
        await self._ask(vm, snapshot(identifier(name)))

    async def revert(self, vm: str, name: str, to: str) -> None:
        """Ask to go back to a snapshot."""
        await self._ask(vm, revert(identifier(name), identifier(to)))

    async def finished(self, vm: str, *, within: float = DEADLINE) -> Sequence[VmTask]:
        """Wait until nothing of the VM is pending; give its tasks."""

        async def inspect() -> Sequence[VmTask]:
            tasks = await self.tasks(vm)
            assert TaskState.PENDING not in {task.state for task in tasks}, tasks
            return tasks

        return await eventually(inspect, within=within)

    async def tasks(self, vm: str) -> Sequence[VmTask]:
        """Give what the VM shows of its tasks."""
        record, _ = await self.site.store.checkouts.look_up(vm)
        assert record is not None
        return record.tasks

    def done(self, vm: str) -> list[tuple[str, str]]:
        """Give what the cloud has done to a VM: the kind and the name of each task."""
        done = self.site.cloud.tasks(self.site.row(vm)["id"])
        return [(kind, task.rstrip("x")) for kind, task in done]

    async def _ask(self, vm: str, task: VmTask) -> None:
        await self.site.store.tasks.add(vm, task, token=None, needs_token=False, only_owner=True)


def identifier(name: str) -> str:
    """Make the id of a task."""
    return name.ljust(32, "x")
