"""Has things done to a fleet's running VMs: asks for tasks as the API does, does them as managers do."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from tests.store.fleet import LEASE, MANAGER, PROVIDER, Fleet
from vmpooler_common.model.vm import TaskKind, TaskState, VmTask
from vmpooler_common.store.core.inbox import GROUP, InboxEntry
from vmpooler_common.store.tasks.leases import DeadLetter, TaskLease

MOST_TRIES = 3
LONGEST = timedelta(hours=1)
NOW = timedelta(0)


def disk(id: str, size: int = 8) -> VmTask:  # noqa: A002 - the field's name
    """A disk that is asked for."""
    return VmTask(id, TaskKind.DISK, str(size), TaskState.PENDING)


def snapshot(id: str) -> VmTask:  # noqa: A002
    """A snapshot that is asked for."""
    return VmTask(id, TaskKind.SNAPSHOT, "", TaskState.PENDING)


def revert(id: str, to: str) -> VmTask:  # noqa: A002
    """A snapshot that is to be gone back to."""
    return VmTask(id, TaskKind.REVERT, to, TaskState.PENDING)


@dataclass(frozen=True)
class TaskHelpers:
    """Tasks on a fleet's VMs."""

    fleet: Fleet

    async def asked(self, vm: str, *tasks: VmTask, token: str | None = None) -> None:
        """Ask for these, one after the other."""
        for task in tasks:
            await self.fleet.store.tasks.add(vm, task, token=token, needs_token=False, only_owner=True)

    async def taken(
        self,
        *,
        operation: str = "take",
        manager: str = MANAGER,
        lease: timedelta = LEASE,
        most_tries: int = MOST_TRIES,
        longest: timedelta = LONGEST,
        providers: Sequence[str] = (PROVIDER,),
        entry: InboxEntry | None = None,
    ) -> TaskLease | DeadLetter | None:
        """Take what an entry brings, or what is due."""
        return await self.fleet.store.task_leases.claim(
            operation=operation,
            manager=manager,
            lease=lease,
            most_tries=most_tries,
            longest=longest,
            providers=providers,
            entry=entry,
        )

    async def brought(
        self, *, operation: str = "take", manager: str = MANAGER, lease: timedelta = LEASE
    ) -> TaskLease:
        """Take the task that the next entry of the inbox brings."""
        await self.fleet.store.task_inbox.prepare()
        entry = (await self.entries())[0]
        found = await self.taken(operation=operation, manager=manager, lease=lease, entry=entry)
        assert isinstance(found, TaskLease)
        return found

    async def due(
        self,
        *,
        operation: str = "take",
        manager: str = MANAGER,
        lease: timedelta = LEASE,
        most_tries: int = MOST_TRIES,
    ) -> TaskLease:
        """Take what is due."""
        found = await self.taken(operation=operation, manager=manager, lease=lease, most_tries=most_tries)
        assert isinstance(found, TaskLease)
        return found

    async def done(self, vm: str, *tasks: VmTask) -> None:
        """Ask for tasks and do them; nothing else may be in the inbox."""
        for task in tasks:
            await self.asked(vm, task)
            task_lease = await self.brought(operation=f"take-{task.id}")
            assert await self.fleet.store.task_leases.done(task_lease)

    async def entries(self) -> list[InboxEntry]:
        """Read what is in the inbox, as a manager does."""
        key = f"{self.fleet.prefix}:tasks"
        (reply,) = await self.fleet.store.connection.call(
            ("XREADGROUP", "GROUP", GROUP, MANAGER, "STREAMS", key, ">")
        )
        return [
            InboxEntry(entry, dict(zip(fields[::2], fields[1::2], strict=True)))
            for entry, fields in (reply[0][1] if reply else [])
        ]

    async def tasks(self, vm: str) -> tuple[VmTask, ...]:
        """Give what the record says."""
        record, _ = await self.fleet.store.checkouts.look_up(vm)
        assert record is not None
        return record.tasks

    async def states(self, vm: str) -> dict[str, TaskState]:
        """Give the state of each task."""
        return {task.id: task.state for task in await self.tasks(vm)}

    async def make_due(self) -> None:
        """Let every pause and every lease end."""
        for vm in (await self.fleet.dataset()).members("tasks_due"):
            await self.fleet.client.zadd(f"{self.fleet.prefix}:tasks_due", {vm: 0})
