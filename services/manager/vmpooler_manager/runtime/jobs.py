"""Work on single VMs that goes on beside the passes: clones, boots, destructions."""

import asyncio
from collections.abc import Coroutine, Iterable
from enum import StrEnum
from typing import Any

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import StoreError

log = structlog.get_logger()


class JobKind(StrEnum):
    """What is being done to a VM."""

    CLONE = "clone"
    WATCH = "watch"
    DESTROY = "destroy"
    TASK = "task"
    """A task on a running VM."""
    INSPECT = "inspect"
    """Verifying a suspect, writing an owner on a tag, listing a pool."""


LEASED = (JobKind.CLONE, JobKind.DESTROY, JobKind.TASK)
"""Kinds whose VMs have a lease in their record that must be renewed meanwhile."""


class Jobs:
    """At most one job for a VM at a time. A job that dies leaves everything to the next pass."""

    def __init__(self) -> None:
        self._tasks: dict[str, tuple[JobKind, str, asyncio.Task[None]]] = {}

    def start(self, kind: JobKind, name: str, work: Coroutine[Any, Any, None], *, pool: str) -> bool:
        """Begin the work on a VM in the background, unless there is a job for it; says whether it began."""
        if name in self._tasks:
            work.close()
            return False
        task = asyncio.get_running_loop().create_task(self._run(kind, name, work, pool))
        self._tasks[name] = (kind, pool, task)

        def ended(_: asyncio.Task[None]) -> None:
            del self._tasks[name]
            work.close()  # a task that is stopped before its first step never awaits it

        task.add_done_callback(ended)
        return True

    def stop(self, name: str) -> None:
        """End the job for this VM, if there is one."""
        if name in self._tasks:
            self._tasks[name][2].cancel()

    def is_running(self, name: str) -> bool:
        """Whether there is a job of this name."""
        return name in self._tasks

    def busy(self, pool: str) -> frozenset[str]:
        """Names of the pool's VMs with a job."""
        return frozenset(name for name, (_, of, _) in self._tasks.items() if of == pool)

    def leased(self) -> list[str]:
        """Names of all VMs whose lease is to be renewed."""
        return [name for name, (kind, _, _) in self._tasks.items() if kind in LEASED]

    async def drain(self, seconds: float) -> list[str]:
        """Wait so long for clones and destructions to end, end the others; give what was cut short."""
        for name in [name for name, (kind, _, _) in self._tasks.items() if kind not in LEASED]:
            self.stop(name)
        if self._tasks:
            await asyncio.wait(self._all(), timeout=seconds)
        unfinished = self.leased()
        for name in list(self._tasks):
            self.stop(name)
        if self._tasks:
            await asyncio.wait(self._all())
        return unfinished

    def _all(self) -> Iterable[asyncio.Task[None]]:
        return [task for _, _, task in self._tasks.values()]

    async def _run(self, kind: JobKind, name: str, work: Coroutine[Any, Any, None], pool: str) -> None:
        try:
            await work
        except StoreError as error:
            # The record's lease lapses, and a pass finds out how far this came.
            log.warning(EventName.JOB_SKIPPED, job=kind.value, vm=name, pool=pool, error=str(error))
        except Exception:
            # A fault of a driver or of ours must not end the other jobs; the next pass tries again.
            log.exception(EventName.JOB_FAILED, job=kind.value, vm=name, pool=pool)
