"""Tasks on running VMs as managers do them: each under a lease, its outcome noted with the VM."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from vmpooler_common.model.vm import TaskKind
from vmpooler_common.store.core.inbox import GROUP, InboxEntry
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms


@dataclass(frozen=True, slots=True)
class TaskLease:
    """A task that this manager is to do, or, with `failed`, one that will not be done any more."""

    operation: str
    """Of the lease; it finishes the task."""
    failed: bool
    vm: str
    task: str
    kind: TaskKind
    detail: str
    """The disk's size in GB, or the snapshot to go back to."""
    pool: str
    provider: str
    provider_id: str
    attempt: str
    tries: int
    """This one included."""
    user: str | None
    waited: timedelta
    """Since it was asked for."""
    reason: str
    """Why it failed, or why the last try did."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """The entry brought no task, and is in the dead-letter queue now."""

    named: str
    """The VM that it named; empty for none."""


class TaskLeases:
    """Each method is one round trip."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def claim(
        self,
        *,
        operation: str,
        manager: str,
        lease: timedelta,
        most_tries: int,
        longest: timedelta,
        providers: Collection[str],
        entry: InboxEntry | None = None,
    ) -> TaskLease | DeadLetter | None:
        """Lease the task that an entry brings, or any that is due; None when there is none for this manager.

        `providers` are those at which it has room for a task. The entry leaves the inbox, whatever comes of
        it.
        """
        named = entry.fields.get("vm", "") if entry else ""
        reply = await self._scripts.fetch(
            "claim_task",
            operation=operation,
            manager=manager,
            lease=duration_ms(lease),
            most_tries=most_tries,
            longest=duration_ms(longest),
            group=GROUP,
            entry=entry.id if entry else "",
            vm=named,
            providers=list(providers),
        )
        match reply["outcome"]:
            case "none":
                return None
            case "dead":
                return DeadLetter(named)
        return _task_lease(operation, **reply)

    async def done(self, task_lease: TaskLease) -> bool:
        """Note that a task was done; False when the VM was returned meanwhile."""
        return await self._finish(task_lease, "done")

    async def failed(self, task_lease: TaskLease, *, reason: str) -> bool:
        """Note that a task can't be done; False when the lease is lost, or the VM was returned meanwhile."""
        return await self._finish(task_lease, "failed", reason=reason)

    async def postpone(self, task_lease: TaskLease, *, reason: str, delay: timedelta) -> bool:
        """Leave a task to whoever comes first after the delay; False likewise."""
        return await self._finish(task_lease, "again", reason=reason, delay=delay)

    async def _finish(
        self,
        task_lease: TaskLease,
        outcome: str,
        *,
        reason: str = "",
        delay: timedelta = timedelta(0),
    ) -> bool:
        reply = await self._scripts.run_named(
            "finish_task",
            operation=task_lease.operation,
            vm=task_lease.vm,
            task=task_lease.task,
            outcome=outcome,
            reason=reason,
            delay=duration_ms(delay),
        )
        return bool(reply == "ok")


def _task_lease(
    operation: str, *, outcome: str, kind: str, tries: str, waited: str, user: str, **facts: str
) -> TaskLease:
    return TaskLease(
        operation=operation,
        failed=outcome == "failed",
        kind=TaskKind(kind),
        tries=int(tries),
        waited=timedelta(milliseconds=int(waited)),
        user=user or None,
        **facts,
    )
