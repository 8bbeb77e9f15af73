"""What users want done to their VMs is done once, whatever becomes of the inbox, the provider and the VM."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.manager.running_manager import RunningManager
from tests.manager.site import Site
from tests.manager.task_requests import TaskRequests, identifier
from tests.support.eventually import eventually
from vmpooler_common.model.vm import TaskState, VmTask

SOON = 8.0
"""Seconds: an entry counts as lost after 2, heartbeats come every 1.5, and the rest is for slow machines."""
POOL = "debian"
QUICK = {"check_loop_delay_min": 0.1, "check_loop_delay_max": 0.2}


@pytest.fixture
def requests(site: Site) -> TaskRequests:
    return TaskRequests(site)


async def a_running_vm(site: Site, **options: object) -> tuple[RunningManager, str]:
    """Start a manager and take a VM."""
    manager = await site.start({POOL: 1}, **options)
    await site.ready(POOL, 1)
    (vm,) = await site.take(POOL)
    return manager, vm


def outcomes(tasks: Sequence[VmTask]) -> list[tuple[TaskState, str]]:
    return [(task.state, task.reason) for task in tasks]


async def test_what_is_asked_for_is_done_in_its_order(site: Site, requests: TaskRequests) -> None:
    manager, vm = await a_running_vm(site)
    await requests.disk(vm, "d", 16)
    await requests.snapshot(vm, "s")
    await requests.disk(vm, "e", 32)
    await requests.finished(vm)
    await requests.revert(vm, "r", "s")
    tasks = await requests.finished(vm)
    assert outcomes(tasks) == [(TaskState.DONE, "")] * 4
    assert requests.done(vm) == [("disk", "d"), ("snapshot", "s"), ("disk", "e"), ("revert", "r")]
    assert site.cloud.disks(site.row(vm)["id"]) == [16, 32]
    assert [task.is_there for task in tasks] == [True, True, False, True]
    assert manager.metric("vm_tasks_total", kind="disk", result="done") == 2
    assert manager.metric("vm_task_seconds_count", kind="snapshot") == 1


async def test_what_was_done_is_logged(site: Site, requests: TaskRequests) -> None:
    _, vm = await a_running_vm(site)
    with capture_logs() as logs:
        await requests.disk(vm, "d", 16)
        await requests.finished(vm)
    ((entry,)) = [entry for entry in logs if entry["event"] == "task.done"]
    assert (entry["vm"], entry["pool"], entry["kind"], entry["detail"]) == (vm, POOL, "disk", "16")
    assert (entry["task"], entry["provider_id"]) == (identifier("d"), site.row(vm)["id"])


async def test_a_task_whose_stream_was_deleted_is_done(site: Site, requests: TaskRequests) -> None:
    _, vm = await a_running_vm(site)
    await site.stop()
    await requests.disk(vm, "d")
    await site.store.connection.call(("DEL", f"{site.prefix}:tasks"))
    await site.start({POOL: 1})
    await requests.finished(vm, within=SOON)
    assert requests.done(vm) == [("disk", "d")]


async def test_a_group_that_was_destroyed_is_made_again(site: Site, requests: TaskRequests) -> None:
    _, vm = await a_running_vm(site)
    key = f"{site.prefix}:tasks"
    await site.store.connection.call(("XGROUP", "DESTROY", key, "managers"))
    await requests.disk(vm, "d")
    await requests.finished(vm, within=SOON)

    async def has_group() -> bool:
        (groups,) = await site.store.connection.call(("XINFO", "GROUPS", key))
        assert isinstance(groups, list)
        assert len(groups) == 1
        return True

    await eventually(has_group, within=SOON)
    await requests.disk(vm, "e")
    await requests.finished(vm)
    assert requests.done(vm) == [("disk", "d"), ("disk", "e")]


async def test_an_entry_of_a_dead_consumer_is_taken_out_when_its_task_was_done(
    site: Site, requests: TaskRequests
) -> None:
    _, vm = await a_running_vm(site)
    await site.stop()
    key = f"{site.prefix}:tasks"
    await site.store.task_inbox.prepare()
    await requests.disk(vm, "d")
    await site.store.connection.call(("XREADGROUP", "GROUP", "managers", "dead", "STREAMS", key, ">"))
    await site.start({POOL: 1})
    await requests.finished(vm, within=SOON)

    async def inbox_is_empty() -> bool:
        (entries,) = await site.store.connection.call(("XLEN", key))
        assert entries == 0
        return True

    await eventually(inbox_is_empty, within=2 * SOON)
    assert requests.done(vm) == [("disk", "d")]


async def test_an_entry_of_nothing_is_put_aside(site: Site, requests: TaskRequests) -> None:
    manager, vm = await a_running_vm(site)
    await site.store.connection.call(("XADD", f"{site.prefix}:tasks", "*", "nonsense", "x"))
    await requests.disk(vm, "d")
    await requests.finished(vm)
    (aside,) = await site.store.connection.call(("XLEN", f"{site.prefix}:dlq"))
    assert aside == 1
    assert manager.metric("dlq_entries_total", queue="tasks") == 1


async def test_many_managers_do_each_task_once(site: Site, requests: TaskRequests) -> None:
    for _ in range(2):
        await site.start({POOL: 8})
    await site.ready(POOL, 8)
    vms = await site.take(POOL, 8)
    await asyncio.gather(*(requests.disk(vm, f"{name}") for vm in vms for name in "de"))
    for vm in vms:
        await requests.finished(vm)
        assert sorted(requests.done(vm)) == [("disk", "d"), ("disk", "e")]
    done = [manager.metric("vm_tasks_total", kind="disk", result="done") or 0 for manager in site.managers]
    assert sum(done) == 16


async def test_a_passing_error_is_tried_again_and_told_meanwhile(site: Site, requests: TaskRequests) -> None:
    manager, vm = await a_running_vm(site, **QUICK)
    site.moods.set(add_disk="fail")
    await requests.disk(vm, "d")

    async def was_tried() -> bool:
        assert outcomes(await requests.tasks(vm)) == [(TaskState.PENDING, "told to fail add_disk")]
        return True

    await eventually(was_tried)
    site.moods.set()
    assert outcomes(await requests.finished(vm)) == [(TaskState.DONE, "")]
    assert (manager.metric("vm_tasks_total", kind="disk", result="retried") or 0) >= 1
    assert requests.done(vm) == [("disk", "d")]


async def test_a_task_whose_answer_is_lost_is_done_once(site: Site, requests: TaskRequests) -> None:
    _, vm = await a_running_vm(site, provider={"task_lostanswer_percent": 60, "seed": 1}, **QUICK)
    for name in "abc":
        await requests.disk(vm, name)
    assert outcomes(await requests.finished(vm)) == [(TaskState.DONE, "")] * 3
    assert requests.done(vm) == [("disk", "a"), ("disk", "b"), ("disk", "c")]


async def test_a_task_that_always_fails_is_given_up_with_the_last_reason(
    site: Site, requests: TaskRequests
) -> None:
    manager, vm = await a_running_vm(site, **QUICK)
    site.moods.set(add_disk="fail")
    await requests.disk(vm, "d")
    await requests.snapshot(vm, "s")
    tasks = await requests.finished(vm, within=60)
    assert outcomes(tasks) == [(TaskState.FAILED, "told to fail add_disk"), (TaskState.DONE, "")]
    assert manager.calls("add_disk") == 10
    assert manager.metric("vm_tasks_total", kind="disk", result="failed") == 1


async def test_a_driver_that_breaks_its_promises_fails_the_task_in_the_end(
    site: Site, requests: TaskRequests
) -> None:
    """Each such try ends by its lease, which isn't renewed any more."""
    _, vm = await a_running_vm(site)
    site.moods.set(add_disk="crash")
    await requests.disk(vm, "d")

    async def was_tried_again() -> bool:
        (text,) = await site.store.connection.call(
            ("HGET", f"{site.prefix}:vm:{vm}", f"task:{identifier('d')}")
        )
        assert '"tries":2' in str(text)
        return True

    await eventually(was_tried_again, within=3 * SOON)
    site.moods.set()
    assert outcomes(await requests.finished(vm, within=3 * SOON)) == [(TaskState.DONE, "")]


async def test_a_permanent_error_fails_the_task_at_once(site: Site, requests: TaskRequests) -> None:
    manager, vm = await a_running_vm(site)
    site.moods.set(snapshot="refuse")
    await requests.snapshot(vm, "s")
    assert outcomes(await requests.finished(vm)) == [(TaskState.FAILED, "told to refuse snapshot")]
    assert manager.calls("snapshot") == 1


async def test_a_vm_that_the_cloud_has_lost_fails_the_task_at_once(
    site: Site, requests: TaskRequests
) -> None:
    _, vm = await a_running_vm(site)
    site.cloud.remove(site.row(vm)["id"])
    await requests.disk(vm, "d")
    ((task,)) = await requests.finished(vm)
    assert task.state is TaskState.FAILED
    assert "there is no VM" in task.reason


async def test_a_hanging_call_is_cut_off_and_made_again(site: Site, requests: TaskRequests) -> None:
    _, vm = await a_running_vm(site, provider={"operation_timeout": 0.5}, **QUICK)
    site.moods.set(add_disk="hang")
    await requests.disk(vm, "d")

    async def was_cut_off() -> bool:
        ((_, reason),) = outcomes(await requests.tasks(vm))
        assert "took longer than 0.5 s" in reason
        return True

    await eventually(was_cut_off)
    site.moods.set()
    assert outcomes(await requests.finished(vm)) == [(TaskState.DONE, "")]


async def test_a_vm_that_is_returned_while_it_is_worked_on_ends_the_task(
    site: Site, requests: TaskRequests
) -> None:
    manager, vm = await a_running_vm(site)
    site.moods.set(add_disk="hang")
    await requests.disk(vm, "d")
    await eventually(lambda: _is_worked_on(site, vm))
    await site.release(vm)
    await site.becomes(vm, "gone")
    reason = "the VM was returned, or its lifetime was over"
    assert outcomes(await requests.finished(vm)) == [(TaskState.FAILED, reason)]
    assert manager.calls("destroy") == 1


async def test_a_lifetime_that_ends_ends_the_tasks(site: Site, requests: TaskRequests) -> None:
    await site.start({POOL: 1})
    await site.ready(POOL, 1)
    site.moods.set(add_disk="fail")
    (vm,) = await site.take(POOL, lifetime=timedelta(seconds=3))
    await requests.disk(vm, "d")
    await site.becomes(vm, "gone")
    assert [task.state for task in await requests.tasks(vm)] == [TaskState.FAILED]


async def test_a_manager_that_stops_leaves_its_task_to_the_next_one(
    site: Site, requests: TaskRequests
) -> None:
    _, vm = await a_running_vm(site)
    site.moods.set(add_disk="hang")
    await requests.disk(vm, "d")
    await eventually(lambda: _is_worked_on(site, vm))
    await site.stop()
    site.moods.set()
    await site.start({POOL: 1})
    assert outcomes(await requests.finished(vm, within=SOON)) == [(TaskState.DONE, "")]
    assert requests.done(vm) == [("disk", "d")]


async def test_only_so_many_tasks_are_worked_on_at_once_and_the_others_follow(
    site: Site, requests: TaskRequests
) -> None:
    await site.start({POOL: 6}, task_limit=2)
    await site.ready(POOL, 6)
    vms = await site.take(POOL, 6)
    site.moods.set(add_disk="hang")
    for vm in vms:
        await requests.disk(vm, "d")
    await eventually(lambda: _are_worked_on(site, vms, 2))
    for vm in vms:
        assert requests.done(vm) == []
    await site.stop()
    site.moods.set()
    await site.start({POOL: 6}, task_limit=2)
    for vm in vms:
        await requests.finished(vm, within=2 * SOON)
        assert requests.done(vm) == [("disk", "d")]


async def _is_worked_on(site: Site, vm: str) -> bool:
    return await _are_worked_on(site, [vm], 1)


async def _are_worked_on(site: Site, vms: Sequence[str], count: int) -> bool:
    workers = await site.store.connection.call(*(("HGET", f"{site.prefix}:vm:{vm}", "worker") for vm in vms))
    assert sum(worker is not None for worker in workers) == count
    return True
