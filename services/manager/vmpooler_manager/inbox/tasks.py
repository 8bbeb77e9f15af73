"""Does what users want done to their running VMs: disks, snapshots, going back to one.

A task is this manager's as long as its lease in the record is renewed. Killed at any point, it leaves a
task that is due again, and is done under the same id: by it the provider sees whether it was done already.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from random import Random
from typing import assert_never

import structlog

from vmpooler_common.model.vm import TaskKind
from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.core.inbox import InboxEntry
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_common.store.tasks.leases import DeadLetter, TaskLease
from vmpooler_manager.metrics.inboxes import InboxMetrics
from vmpooler_manager.metrics.tasks import TaskMetrics
from vmpooler_manager.providers.contract import CloneSpec, VmRef
from vmpooler_manager.providers.errors import NotFound, PermanentError, ProviderError
from vmpooler_manager.runtime.backoff import Delays
from vmpooler_manager.runtime.clock import ClockGuard
from vmpooler_manager.runtime.jobs import JobKind, Jobs
from vmpooler_manager.runtime.provider_client import ProviderClient

MOST_TRIES = 10
LONGEST = timedelta(hours=1)
"""After this time a task that nobody could do fails: its provider can't be reached by any manager."""
UNLIMITED = timedelta(days=3650)

log = structlog.get_logger()


class TaskWorker:
    """Takes tasks from the inbox as they come, and those that are due because something went wrong.

    Any manager does any task whose provider it can use; at most `at_once` at a provider.
    """

    def __init__(
        self,
        store: Store,
        *,
        manager: str,
        lease: timedelta,
        clouds: Mapping[str, ProviderClient],
        order_of: Callable[[str], CloneSpec],
        delays: Delays,
        random: Random,
        at_once: int,
        clock: ClockGuard,
        jobs: Jobs,
        metrics: TaskMetrics,
        inboxes: InboxMetrics,
    ) -> None:
        self._store = store
        self._manager = manager
        self._lease = lease
        self._clouds = clouds
        self._order_of = order_of
        self._delays = delays
        self._random = random
        self._at_once = at_once
        self._clock = clock
        self._jobs = jobs
        self._metrics = metrics
        self._inboxes = inboxes
        self._provider_of: dict[str, str] = {}
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Take what is due whenever somebody says that something is, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while await self._undertake(None):
                    pass
            except StoreError as error:
                # What is due stays due; the next heartbeat tells of it again.
                log.debug("looking for tasks failed", error=str(error))

    def poke(self) -> None:
        """Tell that a task is due."""
        self._wake.set()

    async def take(self, entry: InboxEntry) -> None:
        """Take the task up that an entry of the inbox brings, unless there is no room for it."""
        await self._undertake(entry)

    async def _undertake(self, entry: InboxEntry | None) -> bool:
        """Take a task; False when there is none for this manager."""
        found = await self._store.task_leases.undertake(
            operation=new_operation(),
            manager=self._manager,
            lease=self._lease,
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
                log.error("entry of the inbox put aside", vm=named or None)
            case TaskLease(failed=True):
                self._tell_failure(found, found.reason)
            case TaskLease():
                self._provider_of[found.vm] = found.provider
                # A lease of ours that lapsed may still be worked on; then this one lapses, too.
                self._jobs.start(JobKind.TASK, found.vm, self._work(found), pool=found.pool)
            case _:
                assert_never(found)
        return True

    def _providers_with_room(self) -> list[str]:
        """Name the providers that can take another task. A hopeless one can: it says why nothing works."""
        now = asyncio.get_running_loop().time()
        self._provider_of = {vm: of for vm, of in self._provider_of.items() if self._jobs.is_running(vm)}
        in_use = Counter(self._provider_of.values())
        return [
            name
            for name, cloud in self._clouds.items()
            if in_use[name] < self._at_once
            and cloud.throttled_until <= now
            and (not cloud.fault or cloud.is_permanent)
        ]

    async def _work(self, task: TaskLease) -> None:
        asked = asyncio.get_running_loop().time() - task.waited.total_seconds()
        try:
            await self._carry_out(task)
        except (NotFound, PermanentError) as error:
            await self._fail(task, str(error))
        except ProviderError as error:
            if task.tries < MOST_TRIES:
                await self._put_off(task, str(error))
            else:
                await self._fail(task, str(error))
        else:
            await self._finish(task, asked=asked)
        finally:
            # The job still runs when whoever is poked counts: this has to make the room itself.
            self._provider_of.pop(task.vm, None)
            self.poke()  # for the VM's next task, or one that there was no room for

    async def _carry_out(self, task: TaskLease) -> None:
        cloud, order = self._clouds[task.provider], self._order_of(task.pool)
        vm = VmRef(task.vm, task.attempt, task.provider_id)
        match task.kind:
            case TaskKind.DISK:
                await cloud.add_disk(order, vm, task=task.task, size=int(task.detail))
            case TaskKind.SNAPSHOT:
                await cloud.snapshot(order, vm, name=task.task)
            case TaskKind.REVERT:
                await cloud.revert(order, vm, task=task.task, snapshot=task.detail)
            case _:
                assert_never(task.kind)

    async def _finish(self, task: TaskLease, *, asked: float) -> None:
        if not await self._store.task_leases.done(task):
            self._tell_over(task)
            return
        seconds = asyncio.get_running_loop().time() - asked
        self._metrics.done(task.kind, seconds)
        log.info("task done", **_facts(task), seconds=round(seconds, 1))

    async def _fail(self, task: TaskLease, reason: str) -> None:
        if await self._store.task_leases.failed(task, reason=reason):
            self._tell_failure(task, reason)
        else:
            self._tell_over(task)

    async def _put_off(self, task: TaskLease, reason: str) -> None:
        delay = self._delays.after(task.tries, self._random)
        if not await self._store.task_leases.postpone(task, reason=reason, delay=delay):
            self._tell_over(task)
            return
        self._metrics.retried(task.kind)
        log.warning(
            "task failed and is tried again",
            **_facts(task),
            again_in=round(delay.total_seconds(), 1),
            error=reason,
        )

    def _tell_failure(self, task: TaskLease, reason: str) -> None:
        self._metrics.failed(task.kind)
        log.error("task failed", **_facts(task), error=reason)

    def _tell_over(self, task: TaskLease) -> None:
        self._metrics.over(task.kind)
        log.info("task is over: its VM was returned, or another manager settled it", **_facts(task))


def _facts(task: TaskLease) -> dict[str, str | int | None]:
    return {
        "vm": task.vm,
        "pool": task.pool,
        "provider": task.provider,
        "provider_id": task.provider_id,
        "user": task.user or None,
        "task": task.task,
        "kind": task.kind.value,
        "detail": task.detail or None,
        "tries": task.tries,
    }
