"""Does the tasks that users ask for on their running VMs: add a disk, take a snapshot, revert to one.

A task is this manager's as long as its lease in the record is renewed. Killed at any point, it leaves a
task that is due again, and is done under the same id: by it the provider sees whether it was done already.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import assert_never

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.vm import TaskKind
from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.core.inbox import InboxEntry
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_common.store.tasks.leases import DeadLetter, TaskLease
from vmpooler_manager.metrics import ManagerMetrics
from vmpooler_manager.providers.contract import CloneSpec, VmRef
from vmpooler_manager.providers.errors import NotFound, PermanentError, ProviderError
from vmpooler_manager.runtime.backoff import RetryPolicy
from vmpooler_manager.runtime.clock import ClockGuard
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.jobs import JobKind, Jobs
from vmpooler_manager.runtime.provider_client import ProviderClient
from vmpooler_manager.runtime.shared_state import SharedState

MOST_TRIES = 10
LONGEST = timedelta(hours=1)
"""After this time a task that nobody could do fails: its provider can't be reached by any manager."""
UNLIMITED = timedelta(days=3650)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TaskProviders:
    """Where tasks are done."""

    clouds: Mapping[str, ProviderClient]
    clone_spec_of: Callable[[str], CloneSpec]
    """From the name of a pool."""
    at_once: int
    """Tasks at one provider that this manager does side by side (`task_limit`)."""
    shared: SharedState


class TaskWorker:
    """Takes tasks from the inbox as they come, and those that are due because something went wrong.

    Any manager does any task whose provider it can use.
    """

    def __init__(
        self,
        store: Store,
        *,
        identity: ManagerIdentity,
        providers: TaskProviders,
        retries: RetryPolicy,
        clock: ClockGuard,
        jobs: Jobs,
        metrics: ManagerMetrics,
    ) -> None:
        self._store = store
        self._identity = identity
        self._providers = providers
        self._retries = retries
        self._clock = clock
        self._jobs = jobs
        self._metrics = metrics.tasks
        self._inboxes = metrics.inboxes
        self._provider_of: dict[str, str] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Take what is due whenever somebody says that something is, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while await self._claim(None):
                    pass
            except StoreError as error:
                # What is due stays due; the next heartbeat pokes again.
                log.debug(EventName.INBOX_FAILED, inbox="tasks", error=str(error))

    def poke(self) -> None:
        """Report that a task is due."""
        self._wake.set()

    async def take(self, entry: InboxEntry) -> None:
        """Claim the task that an inbox entry names, unless there is no room for it."""
        await self._claim(entry)

    async def _claim(self, entry: InboxEntry | None) -> bool:
        """Take a task; False when there is none for this manager."""
        found = await self._store.task_leases.claim(
            operation=new_operation(),
            manager=self._identity.name,
            lease=self._identity.lease,
            most_tries=MOST_TRIES,
            # A clock that jumps makes every task seem late, also those that are being worked on.
            longest=LONGEST if self._clock.was_steady else UNLIMITED,
            providers=self._providers_with_room(),
            entry=entry,
        )
        match found:
            case None:
                return False
            case DeadLetter(named):
                self._inboxes.dead("tasks")
                log.error(EventName.INBOX_ENTRY_DROPPED, inbox="tasks", vm=named or None)
            case TaskLease(failed=True):
                self._report_failure(found, found.reason)
            case TaskLease():
                self._provider_of[found.vm] = found.provider
                # A lease of ours that lapsed may still be worked on; then this one lapses, too.
                self._jobs.start(JobKind.TASK, found.vm, self._work(found), pool=found.pool)
            case _:
                assert_never(found)
        return True

    def _providers_with_room(self) -> list[str]:
        """Name the providers that can take another task, also broken ones that nobody can use: tasks fail."""
        now = asyncio.get_running_loop().time()
        self._provider_of = {vm: of for vm, of in self._provider_of.items() if self._jobs.is_running(vm)}
        in_use = Counter(self._provider_of.values())
        return [
            name
            for name, cloud in self._providers.clouds.items()
            if in_use[name] < self._providers.at_once
            and cloud.throttled_until <= now
            and (not cloud.fault or cloud.is_permanent)
            and name not in self._providers.shared.rivals
        ]

    async def _work(self, task: TaskLease) -> None:
        asked = asyncio.get_running_loop().time() - task.waited.total_seconds()
        try:
            await self._carry_out(task)
        except (NotFound, PermanentError) as error:
            await self._fail(task, str(error))
        except ProviderError as error:
            if task.tries < MOST_TRIES:
                await self._postpone(task, str(error))
            else:
                await self._fail(task, str(error))
        else:
            await self._finish(task, asked=asked)
        finally:
            # The job still runs when whoever is poked counts: this has to make the room itself.
            self._provider_of.pop(task.vm, None)
            self.poke()  # for the VM's next task, or one that there was no room for

    async def _carry_out(self, task: TaskLease) -> None:
        cloud, spec = self._providers.clouds[task.provider], self._providers.clone_spec_of(task.pool)
        vm = VmRef(task.vm, task.attempt, task.provider_id)
        match task.kind:
            case TaskKind.DISK:
                await cloud.add_disk(spec, vm, task=task.task, size=int(task.detail))
            case TaskKind.SNAPSHOT:
                await cloud.snapshot(spec, vm, name=task.task)
            case TaskKind.REVERT:
                await cloud.revert(spec, vm, task=task.task, snapshot=task.detail)
            case _:
                assert_never(task.kind)

    async def _finish(self, task: TaskLease, *, asked: float) -> None:
        if not await self._store.task_leases.done(task):
            self._report_over(task)
            return
        seconds = asyncio.get_running_loop().time() - asked
        self._metrics.done(task.kind, seconds)
        log.info(EventName.TASK_DONE, **_facts(task), seconds=round(seconds, 1))

    async def _fail(self, task: TaskLease, reason: str) -> None:
        if await self._store.task_leases.failed(task, reason=reason):
            self._report_failure(task, reason)
        else:
            self._report_over(task)

    async def _postpone(self, task: TaskLease, reason: str) -> None:
        delay = self._retries.after(task.tries)
        if not await self._store.task_leases.postpone(task, reason=reason, delay=delay):
            self._report_over(task)
            return
        self._metrics.retried(task.kind)
        log.warning(
            EventName.TASK_RETRIED,
            **_facts(task),
            again_in=round(delay.total_seconds(), 1),
            error=reason,
        )

    def _report_failure(self, task: TaskLease, reason: str) -> None:
        self._metrics.failed(task.kind)
        log.error(EventName.TASK_FAILED, **_facts(task), error=reason)

    def _report_over(self, task: TaskLease) -> None:
        self._metrics.over(task.kind)
        log.info(EventName.TASK_OVER, **_facts(task))


def _facts(task: TaskLease) -> dict[str, str | int | None]:
    return {
        "vm": task.vm,
        "pool": task.pool,
        "provider": task.provider,
        "provider_id": task.provider_id,
        "user": task.user,
        "task": task.task,
        "kind": task.kind.value,
        "detail": task.detail or None,
        "tries": task.tries,
    }
