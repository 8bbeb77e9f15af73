"""Tasks on running VMs: who may ask for them, and how they come to be done once, in their order."""

from datetime import timedelta

import pytest

from tests.store.dataset import ask
from tests.store.fleet import PROVIDER, SITUATIONS, serving
from tests.store.task_helpers import NOW, TaskHelpers, disk, revert, snapshot
from vmpooler_common.model.vm import TaskKind, TaskState, VmTask
from vmpooler_common.store.core.errors import NoSuchVm, NotOwner, TooManyTasks, UnknownToken
from vmpooler_common.store.core.inbox import InboxEntry
from vmpooler_common.store.tasks.leases import DeadLetter

PENDING, DONE, FAILED = TaskState.PENDING, TaskState.DONE, TaskState.FAILED
LATER = timedelta(hours=1)


async def due_tasks(chores: TaskHelpers, manager: str, *working_on: str) -> int:
    """Send a manager's heartbeat; give how many tasks it hears to be due."""
    beat = await chores.fleet.store.leases.heartbeat(
        manager, lease=LATER, offer=serving([]), working_on=working_on
    )
    return beat.due_tasks


# Asking


async def test_a_task_that_was_asked_for_waits_with_its_vm(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d", 16), snapshot("s"))
    assert await chores.tasks("a") == (disk("d", 16), snapshot("s"))
    assert list((await chores.fleet.dataset()).members("tasks_due")) == ["a"]


@pytest.mark.parametrize("situation", [situation for situation in SITUATIONS if situation != "running"])
async def test_only_running_vms_are_worked_on(chores: TaskHelpers, situation: str) -> None:
    await SITUATIONS[situation](chores.fleet, "one", "a")
    before = await chores.fleet.dataset()
    with pytest.raises(NoSuchVm):
        await chores.asked("a", disk("d"))
    assert await chores.fleet.dataset() == before


async def test_a_vm_taken_with_a_token_needs_its_owners(chores: TaskHelpers) -> None:
    fleet = chores.fleet
    for token, user in (("alices", "alice"), ("bobs", "bob"), ("roots", "root")):
        await fleet.token(token, user)
    await fleet.running("one", "a", token="alices")
    before = await fleet.dataset()
    with pytest.raises(UnknownToken):
        await chores.asked("a", disk("d"))
    with pytest.raises(NotOwner):
        await chores.asked("a", disk("d"), token="bobs")
    assert await fleet.dataset() == before
    await chores.asked("a", disk("d"), token="alices")
    await fleet.store.tasks.add(
        "a", disk("e"), token="roots", needs_token=True, only_owner=True, admins=["root"]
    )
    await fleet.store.tasks.add("a", disk("f"), token="bobs", needs_token=True, only_owner=False)
    assert list(await chores.states("a")) == ["d", "e", "f"]


async def test_where_a_token_is_needed_its_lack_is_told_before_anything_else(chores: TaskHelpers) -> None:
    with pytest.raises(UnknownToken):
        await chores.fleet.store.tasks.add("x", disk("d"), token=None, needs_token=True, only_owner=True)
    with pytest.raises(UnknownToken):
        await chores.fleet.store.tasks.add("x", disk("d"), token="forged", needs_token=True, only_owner=True)


async def test_a_token_that_asks_is_noted_as_used(chores: TaskHelpers) -> None:
    await chores.fleet.token("alices", "alice")
    await chores.fleet.running("one", "a")
    assert (await chores.fleet.store.tokens.look_up("alices")).last_used_at is None
    await chores.asked("a", disk("d"), token="alices")
    assert (await chores.fleet.store.tokens.look_up("alices")).last_used_at is not None


async def test_only_so_many_tasks_of_a_vm_wait(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a", "b")
    await chores.asked("a", *(disk(f"d{number}") for number in range(10)))
    with pytest.raises(TooManyTasks, match="too many tasks of a are waiting"):
        await chores.asked("a", snapshot("s"))
    await chores.asked("b", snapshot("s"))


@pytest.mark.parametrize("make", [disk, snapshot])
async def test_a_vm_has_only_so_many_disks_and_snapshots(chores: TaskHelpers, make: type) -> None:
    await chores.fleet.running("one", "a")
    await chores.done("a", *(make(f"x{number}") for number in range(32)))
    kind = make("y").kind
    with pytest.raises(TooManyTasks, match=f"a has as many {kind}s as a VM may have"):
        await chores.asked("a", make("y"))
    other = snapshot if make is disk else disk
    await chores.asked("a", other("z"))


async def test_nothing_is_gone_back_to_that_is_not_there(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a", "b")
    await chores.done("b", snapshot("of another"))
    await chores.done("a", disk("d"))
    await chores.asked("a", snapshot("still pending"))
    for name in ("of another", "d", "still pending", "unknown"):
        with pytest.raises(NoSuchVm):
            await chores.asked("a", revert("r", name))


async def test_a_task_asked_for_again_by_its_id_is_one(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    await chores.asked("a", disk("d"))
    assert await chores.tasks("a") == (VmTask("d", TaskKind.DISK, "8", PENDING),)
    assert len((await chores.fleet.dataset()).entries["tasks"].value) == 1


# Taking


async def test_an_entry_brings_the_task_to_who_reads_it(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d", 16))
    taken = await chores.brought(manager="manager-2")
    assert (taken.vm, taken.task, taken.kind, taken.detail) == ("a", "d", TaskKind.DISK, "16")
    assert (taken.pool, taken.provider, taken.provider_id, taken.attempt) == (
        "one",
        PROVIDER,
        "id-a",
        "attempt-a",
    )
    data = await chores.fleet.dataset()
    assert data.entries["tasks"].value == []
    assert data.records["a"]["worker"] == "manager-2"


async def test_nothing_is_due_while_the_inbox_may_still_bring_it(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    assert await chores.taken() is None
    assert (
        await chores.fleet.store.leases.heartbeat("m", lease=LATER, offer=serving([]), working_on=[])
    ).due_tasks == 0


async def test_a_task_whose_entry_is_lost_is_due_soon(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    await ask(chores.fleet.client, "DEL", f"{chores.fleet.prefix}:tasks")
    soon = (await chores.fleet.dataset()).members("tasks_due")["a"] - await chores.fleet.server_ms()
    assert 0 < soon <= 2000
    await chores.make_due()
    assert (
        await chores.fleet.store.leases.heartbeat("m", lease=LATER, offer=serving([]), working_on=[])
    ).due_tasks == 1
    assert (await chores.due()).task == "d"


async def test_one_task_of_a_vm_is_taken_at_a_time_in_their_order(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("first"), snapshot("second"))
    first = await chores.brought(operation="one")
    second_entry = InboxEntry("1-1", {"vm": "a"})
    assert first.task == "first"
    assert await chores.taken(operation="two", entry=second_entry) is None
    assert await chores.fleet.store.task_leases.done(first)
    assert (await chores.due(operation="three")).task == "second"


async def test_a_lease_that_is_over_leaves_the_task_to_others(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    await chores.brought(operation="one", lease=NOW)
    again = await chores.due(operation="two", manager="manager-2")
    assert (again.task, again.tries) == ("d", 2)


async def test_a_heartbeat_keeps_the_lease_of_the_tasks_that_are_worked_on(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a", "b")
    await chores.asked("a", disk("d"))
    await chores.brought(manager="m", lease=NOW)
    assert await due_tasks(chores, "another", "a", "b") == 1
    assert await due_tasks(chores, "m", "a", "b") == 0
    assert await due_tasks(chores, "m") == 0


async def test_a_manager_that_leaves_leaves_its_tasks(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    await chores.brought(manager="m", lease=LATER)
    await chores.fleet.store.leases.leave("another", ["a"])
    assert await chores.taken(operation="two") is None
    await chores.fleet.store.leases.leave("m", ["a"])
    assert (await chores.due(operation="three")).task == "d"


async def test_a_manager_without_room_at_the_provider_leaves_the_task_to_one_that_has_some(
    chores: TaskHelpers,
) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    await chores.fleet.store.task_inbox.prepare()
    (entry,) = await chores.entries()
    assert await chores.taken(operation="one", providers=["elsewhere"], entry=entry) is None
    assert (await chores.fleet.dataset()).entries["tasks"].value == []
    assert await chores.taken(operation="two", providers=[]) is None
    assert (await chores.due(operation="three")).tries == 1


async def test_an_entry_of_nothing_is_put_aside(chores: TaskHelpers) -> None:
    await chores.fleet.store.task_inbox.prepare()
    for fields in (("nonsense", "x"), ("vm", "unknown", "task", "d")):
        await ask(chores.fleet.client, "XADD", f"{chores.fleet.prefix}:tasks", "*", *fields)
    nonsense, unknown = await chores.entries()
    assert await chores.taken(operation="one", entry=nonsense) == DeadLetter("")
    assert await chores.taken(operation="two", entry=unknown) == DeadLetter("unknown")
    data = await chores.fleet.dataset()
    assert data.entries["dlq"].value == [
        ("tasks", "", "the entry names no VM"),
        ("tasks", "unknown", "no VM has this name"),
    ]
    assert data.entries["tasks"].value == []
    assert await chores.fleet.store.task_inbox.recover("m", idle=NOW) == []


async def test_an_entry_that_comes_again_changes_nothing(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a")
    await chores.asked("a", disk("d"))
    await chores.fleet.store.task_inbox.prepare()
    (entry,) = await chores.entries()
    await chores.taken(operation="one", entry=entry)
    before = await chores.fleet.dataset()
    assert await chores.taken(operation="two", entry=entry) is None
    assert await chores.fleet.dataset() == before


async def test_what_has_nothing_to_do_is_forgotten(chores: TaskHelpers) -> None:
    await chores.fleet.running("one", "a", "b")
    await chores.asked("a", disk("d"))
    await chores.asked("b", disk("d"))
    await ask(chores.fleet.client, "DEL", f"{chores.fleet.prefix}:vm:a")
    await ask(chores.fleet.client, "HDEL", f"{chores.fleet.prefix}:vm:b", "task:d")
    await chores.make_due()
    assert await chores.taken() is None
    assert await due_tasks(chores, "m") == 0
