"""Work on single VMs beside the passes."""

import asyncio

import pytest
import structlog

from tests.support.eventually import eventually
from vmpooler_common.store.core.errors import StoreUnavailable
from vmpooler_manager.runtime.jobs import JobKind, Jobs

LONG = 30.0


class Work:
    """A job that goes on until it is let end, and remembers how it ended."""

    def __init__(self, error: Exception | None = None) -> None:
        self.may_end = asyncio.Event()
        self.began = asyncio.Event()
        self.end = ""
        self._error = error

    async def __call__(self) -> None:
        self.began.set()
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            self.end = "stopped"
            raise
        if self._error is not None:
            raise self._error
        self.end = "finished"


async def nothing_left(jobs: Jobs, pool: str = "pool") -> bool:
    return not jobs.busy(pool)


async def test_a_vm_is_busy_while_its_job_goes_on() -> None:
    jobs, work = Jobs(), Work()
    assert jobs.start(JobKind.CLONE, "vm", work(), pool="pool")
    await work.began.wait()
    assert jobs.busy("pool") == {"vm"}
    assert jobs.is_running("vm")
    work.may_end.set()
    await eventually(lambda: nothing_left(jobs))
    assert work.end == "finished"
    assert not jobs.is_running("vm")


async def test_a_vm_has_one_job_at_a_time_whatever_the_kind() -> None:
    jobs, first, second = Jobs(), Work(), Work()
    jobs.start(JobKind.CLONE, "vm", first(), pool="pool")
    assert not jobs.start(JobKind.DESTROY, "vm", second(), pool="pool")
    await first.began.wait()
    assert not second.began.is_set()
    await jobs.drain(0)


async def test_the_next_job_may_begin_when_one_has_ended() -> None:
    jobs, work = Jobs(), Work()
    work.may_end.set()
    jobs.start(JobKind.CLONE, "vm", work(), pool="pool")
    await eventually(lambda: nothing_left(jobs))
    again = Work()
    assert jobs.start(JobKind.DESTROY, "vm", again(), pool="pool")
    await jobs.drain(0)


async def test_a_pool_is_busy_with_its_own_vms_only() -> None:
    jobs = Jobs()
    jobs.start(JobKind.CLONE, "vm", Work()(), pool="other")
    assert jobs.busy("pool") == frozenset()
    await jobs.drain(0)


@pytest.mark.parametrize("error", [ValueError("a bug"), StoreUnavailable("away", kind="unreachable")])
async def test_a_job_that_fails_ends_no_other_and_leaves_its_vm_free(error: Exception) -> None:
    jobs, bad, good = Jobs(), Work(error), Work()
    with structlog.testing.capture_logs() as logs:
        jobs.start(JobKind.CLONE, "bad", bad(), pool="pool")
        jobs.start(JobKind.CLONE, "good", good(), pool="pool")
        bad.may_end.set()
        await eventually(lambda: nothing_bad(jobs))
    assert [line["vm"] for line in logs] == ["bad"]
    good.may_end.set()
    await eventually(lambda: nothing_left(jobs))
    assert good.end == "finished"


async def nothing_bad(jobs: Jobs) -> bool:
    return jobs.busy("pool") == {"good"}


async def test_a_job_that_is_stopped_leaves_its_vm_free() -> None:
    jobs, work = Jobs(), Work()
    jobs.start(JobKind.CLONE, "vm", work(), pool="pool")
    await work.began.wait()
    jobs.stop("vm")
    await eventually(lambda: nothing_left(jobs))
    assert work.end == "stopped"


async def test_a_job_that_is_stopped_before_its_first_step_leaves_its_vm_free_too() -> None:
    jobs, work = Jobs(), Work()
    jobs.start(JobKind.CLONE, "vm", work(), pool="pool")
    jobs.stop("vm")
    await eventually(lambda: nothing_left(jobs))
    assert not work.began.is_set()


def test_stopping_what_does_not_run_is_no_trouble() -> None:
    Jobs().stop("vm")


async def test_clones_destructions_and_tasks_are_leased_and_nothing_else() -> None:
    jobs = Jobs()
    for kind in JobKind:
        jobs.start(kind, kind.value, Work()(), pool="pool")
    assert sorted(jobs.leased()) == ["clone", "destroy", "task"]
    await jobs.drain(0)


async def test_a_drain_waits_for_clones_and_destructions() -> None:
    jobs, clone = Jobs(), Work()
    jobs.start(JobKind.CLONE, "vm", clone(), pool="pool")
    draining = asyncio.create_task(jobs.drain(LONG))
    await clone.began.wait()
    clone.may_end.set()
    assert await draining == []
    assert clone.end == "finished"


async def test_a_drain_does_not_wait_for_jobs_that_only_inspect() -> None:
    jobs, inspection = Jobs(), Work()
    jobs.start(JobKind.INSPECT, "vm", inspection(), pool="pool")
    await inspection.began.wait()
    assert await asyncio.wait_for(jobs.drain(LONG), timeout=LONG / 2) == []
    assert inspection.end == "stopped"


async def test_a_drain_that_takes_too_long_stops_the_rest_and_names_it() -> None:
    jobs, slow = Jobs(), Work()
    jobs.start(JobKind.DESTROY, "slow", slow(), pool="pool")
    await slow.began.wait()
    assert await jobs.drain(0.01) == ["slow"]
    assert slow.end == "stopped"
    assert not jobs.is_running("slow")
