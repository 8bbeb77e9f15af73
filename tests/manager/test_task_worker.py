"""The task worker alone, without the heartbeats that would tell it of due tasks again and again."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from random import Random

import pytest

from tests.manager.site import Site, settings_of
from tests.manager.task_requests import TaskRequests, identifier
from vmpooler_common.metrics.backends.null import NullBackend
from vmpooler_common.model.vm import TaskState
from vmpooler_manager.assembly import assemble
from vmpooler_manager.inbox.tasks import TaskProviders, TaskWorker
from vmpooler_manager.metrics import ManagerMetrics
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.runtime.backoff import Delays, RetryPolicy
from vmpooler_manager.runtime.clock import ClockGuard
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.jobs import Jobs
from vmpooler_manager.runtime.shared_state import SharedState
from vmpooler_manager.supervisor.supervisor import LEASE

POOL = "debian"


@asynccontextmanager
async def a_task_worker(
    site: Site, *, at_once: int = 5, clock: ClockGuard | None = None
) -> AsyncIterator[TaskWorker]:
    """Run one with the drivers of a manager that isn't started."""
    settings = settings_of(site.document({POOL: 0}))
    parts, general = assemble(settings), settings.general
    for cloud in parts.clouds.values():
        await cloud.open()
    jobs = Jobs()
    delays = Delays(
        general.check_loop_delay_min, general.check_loop_delay_max, general.check_loop_delay_decay
    )
    task_worker = TaskWorker(
        site.store,
        identity=ManagerIdentity("lonely", LEASE, settings.installation),
        providers=TaskProviders(
            parts.clouds, lambda pool: CloneSpec(pool, template=""), at_once=at_once, shared=SharedState()
        ),
        retries=RetryPolicy(delays, Random(1)),
        clock=clock or ClockGuard(),
        jobs=jobs,
        metrics=ManagerMetrics(NullBackend(), counts_use=False),
    )
    work = asyncio.create_task(task_worker.run())
    try:
        yield task_worker
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work
        await jobs.drain(0)
        for cloud in parts.clouds.values():
            await cloud.close()
        await parts.store.close()


async def due_disks(site: Site, count: int) -> list[str]:
    """Take VMs, ask for a disk of each, and have the tasks be due while there is no manager."""
    await site.start({POOL: count})
    await site.ready(POOL, count)
    vms = await site.take(POOL, count)
    await site.stop()
    for vm in vms:
        await TaskRequests(site).disk(vm, "d")
        await site.store.connection.call(("ZADD", f"{site.prefix}:tasks_due", 1, vm))
    return vms


async def test_a_task_that_ends_makes_room_for_the_next_one_at_once(site: Site) -> None:
    vms = await due_disks(site, 3)
    requests = TaskRequests(site)
    async with a_task_worker(site, at_once=1) as task_worker:
        task_worker.poke()
        for vm in vms:
            await requests.finished(vm)
            assert requests.done(vm) == [("disk", "d")]


async def _make_old(site: Site, vm: str) -> None:
    """Have a task have been asked for two hours ago."""
    place = (f"{site.prefix}:vm:{vm}", f"task:{identifier('d')}")
    (text,) = await site.store.connection.call(("HGET", *place))
    task = json.loads(text)
    task["created"] = str(int(task["created"]) - 2 * 3_600_000)
    await site.store.connection.call(("HSET", *place, json.dumps(task)))


@pytest.mark.parametrize(("jump", "outcome"), [(0, TaskState.FAILED), (1, TaskState.DONE)])
async def test_no_task_is_too_late_while_the_clock_of_redis_jumps(
    site: Site, jump: int, outcome: TaskState
) -> None:
    (vm,) = await due_disks(site, 1)
    await _make_old(site, vm)
    clock, now = ClockGuard(), datetime(2030, 1, 1, tzinfo=UTC)
    clock.is_steady(now, 0.0)
    clock.is_steady(now + timedelta(hours=jump), 1.0)
    async with a_task_worker(site, clock=clock) as task_worker:
        task_worker.poke()
        ((task,)) = await TaskRequests(site).finished(vm)
        assert task.state is outcome
