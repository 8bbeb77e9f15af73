"""How tasks on running VMs end: done, failed or put off, and when their VM is returned."""

from datetime import timedelta

import pytest

from tests.store.task_helpers import NOW, TaskHelpers, disk, revert, snapshot
from vmpooler_common.model.vm import TaskKind, TaskState
from vmpooler_common.store.core.inbox import InboxEntry
from vmpooler_common.store.tasks.leases import TaskLease

PENDING, DONE, FAILED = TaskState.PENDING, TaskState.DONE, TaskState.FAILED
LATER = timedelta(hours=1)


async def test_what_was_done_is_told(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.done("a", disk("d"), snapshot("s"), revert("r", "s"))
    assert await chores.states("a") == {"d": DONE, "s": DONE, "r": DONE}
    data = await chores.fleet.dataset()
    assert data.members("tasks_due") == {}
    assert not {"worker", "work"} & data.records["a"].keys()


async def test_what_failed_is_told_with_its_reason_and_the_next_goes_on(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"), disk("e"))
    assert await chores.fleet.store.task_leases.failed(await chores.brought(), reason="no space")
    failed, waiting = await chores.tasks("a")
    assert (failed.state, failed.reason, waiting.state) == (FAILED, "no space", PENDING)
    assert (await chores.due(operation="next")).task == "e"


async def test_a_task_that_is_put_off_waits_and_tells_why(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    taken = await chores.brought()
    assert await chores.fleet.store.task_leases.postpone(taken, reason="busy", delay=LATER)
    ((task,)) = await chores.tasks("a")
    assert (task.state, task.reason) == (PENDING, "busy")
    assert await chores.taken(operation="two") is None
    assert await chores.taken(operation="three", entry=InboxEntry("1-1", {"vm": "a"})) is None
    await chores.make_due()
    assert (await chores.due(operation="four")).tries == 2


@pytest.mark.parametrize("reason", ["busy", ""])
async def test_a_task_has_so_many_tries(chores: TaskHelpers, reason: str) -> None:
    """Whether they were told of, or their managers died of them."""
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    await chores.make_due()
    for number in range(3):
        taken = await chores.due(operation=f"try-{number}", lease=NOW)
        if reason:
            await chores.fleet.store.task_leases.postpone(taken, reason=reason, delay=NOW)
    last = await chores.due(operation="one more")
    assert (last.failed, last.task, last.tries) == (True, "d", 3)
    ((task,)) = await chores.tasks("a")
    assert (task.state, task.reason) == (FAILED, reason or "every try was cut short")


async def test_a_task_that_nobody_can_do_fails_in_the_end(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    await chores.make_due()
    assert await chores.taken(operation="one", providers=[]) is None
    last = await chores.taken(operation="two", providers=[], longest=NOW)
    assert isinstance(last, TaskLease)
    assert last.failed
    ((task,)) = await chores.tasks("a")
    assert (task.state, task.reason) == (FAILED, "nobody could do it in time")


async def test_a_slow_manager_may_say_that_it_was_done_but_not_that_it_failed(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    slow = await chores.brought(operation="slow", lease=NOW)
    quick = await chores.due(operation="quick")
    task_leases = chores.fleet.store.task_leases
    assert not await task_leases.failed(slow, reason="no space")
    assert not await task_leases.postpone(slow, reason="busy", delay=LATER)
    assert await chores.states("a") == {"d": PENDING}
    assert await task_leases.done(slow)
    assert not await task_leases.failed(quick, reason="no space")
    assert await chores.states("a") == {"d": DONE}


async def test_going_back_undoes_the_disks_that_came_after_the_snapshot(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.done("a", disk("before"), snapshot("s"), disk("after"), revert("r", "s"), disk("later"))
    there = {task.id: task.is_there for task in await chores.tasks("a")}
    assert there == {"before": True, "s": True, "after": False, "r": True, "later": True}


async def test_going_forth_to_a_later_snapshot_brings_its_disks_back(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.done("a", snapshot("early"), disk("d"), snapshot("late"), disk("e"), revert("r1", "early"))
    assert {task.id: task.is_there for task in await chores.tasks("a")}["d"] is False
    await chores.done("a", disk("f"), snapshot("side"), revert("r2", "late"))
    there = {task.id for task in await chores.tasks("a") if task.kind is TaskKind.DISK and task.is_there}
    assert there == {"d"}
    await chores.done("a", revert("r3", "side"))
    there = {task.id for task in await chores.tasks("a") if task.kind is TaskKind.DISK and task.is_there}
    assert there == {"f"}


async def test_of_tasks_that_left_nothing_behind_the_newest_are_kept(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.done("a", disk("d"), snapshot("s"))
    await chores.done("a", *(revert(f"r{number}", "s") for number in range(30)))
    assert list(await chores.states("a")) == ["d", "s", *(f"r{number}" for number in range(10, 30))]


# The end of the VM


async def test_a_vm_that_is_returned_ends_its_tasks(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.done("a", snapshot("s"))
    await chores.asked("a", disk("d"), disk("e"))
    taken = await chores.brought()
    await chores.fleet.store.checkouts.release("a", operation="return")
    tasks = await chores.tasks("a")
    reason = "the VM was returned, or its lifetime was over"
    assert [(task.state, task.reason) for task in tasks] == [(DONE, ""), (FAILED, reason), (FAILED, reason)]
    assert not await chores.fleet.store.task_leases.done(taken)
    assert await chores.tasks("a") == tasks
    assert (await chores.fleet.dataset()).members("tasks_due") == {}


async def test_an_entry_of_a_returned_vm_is_taken_out(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    await chores.fleet.store.checkouts.release("a", operation="return")
    await chores.fleet.store.task_inbox.prepare()
    (entry,) = await chores.entries()
    assert await chores.taken(entry=entry) is None
    assert (await chores.fleet.dataset()).entries["tasks"].value == []


async def test_what_was_done_is_known_as_long_as_the_record(chores: TaskHelpers) -> None:
    fleet = chores.fleet
    await fleet.running("one", "a")
    await chores.done("a", disk("d"))
    await fleet.store.checkouts.release("a", operation="return")
    await fleet.store.retirement.claim(["a"], operation="claim", manager="m", lease=LATER)
    assert await fleet.store.retirement.destroyed("a", "attempt-a", provider_id="id-a")
    assert await chores.states("a") == {"d": DONE}
    assert (await fleet.dataset()).entries["vm:a"].expires
