"""The verbs of tasks on running VMs as operations."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from datetime import timedelta

from tests.store.dataset import ask
from tests.store.fleet import LEASE, MANAGER, PROVIDER, Fleet, serving
from tests.store.operation import HOUR, Operation, operation
from tests.store.task_helpers import LONGEST, MOST_TRIES, TaskHelpers, disk, revert, snapshot
from vmpooler_common.model.vm import VmTask
from vmpooler_common.store.core.errors import StoreUnavailable
from vmpooler_common.store.core.inbox import InboxEntry
from vmpooler_common.store.store import Store
from vmpooler_common.store.tasks.leases import TaskLease
from vmpooler_common.store.tasks.tasks import TaskBounds


async def _running(fleet: Fleet) -> None:
    await fleet.running("one", "a")


async def _owned(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    await fleet.running("one", "a", token="secret")


async def _with_a_snapshot(fleet: Fleet) -> None:
    await _running(fleet)
    await TaskHelpers(fleet).done("a", snapshot("s"), disk("d"))


async def _asked(fleet: Fleet) -> None:
    await _running(fleet)
    await fleet.store.task_inbox.prepare()
    await TaskHelpers(fleet).asked("a", disk("d"), snapshot("s"))


async def _read_by_a_dead_consumer(fleet: Fleet) -> None:
    await _asked(fleet)
    await TaskHelpers(fleet).entries()


async def _due(fleet: Fleet) -> None:
    await _asked(fleet)
    await TaskHelpers(fleet).make_due()


async def _tried_often(fleet: Fleet) -> None:
    await _due(fleet)
    for number in range(MOST_TRIES):
        await TaskHelpers(fleet).due(operation=f"try-{number}", lease=timedelta(0))


async def _poisoned(fleet: Fleet) -> None:
    await fleet.store.task_inbox.prepare()
    await ask(fleet.client, "XADD", f"{fleet.prefix}:tasks", "1-1", "nonsense", "x")
    await TaskHelpers(fleet).entries()


async def _taken(fleet: Fleet) -> None:
    await _due(fleet)
    await TaskHelpers(fleet).due()


async def _inbox_only(fleet: Fleet) -> None:
    await fleet.store.task_inbox.prepare()


def _asks(task: VmTask, token: str | None = None) -> Callable[[Store], Awaitable[object]]:
    return lambda store: store.tasks.add("a", task, token=token, needs_token=bool(token), only_owner=True)


def _undertakes(entry: InboxEntry | None = None) -> Callable[[Store], Awaitable[object]]:
    return lambda store: store.task_leases.claim(
        operation="undertake",
        manager=MANAGER,
        lease=LEASE,
        most_tries=MOST_TRIES,
        longest=LONGEST,
        providers=[PROVIDER],
        entry=entry,
    )


async def _undertaken(store: Store) -> TaskLease:
    """Give what `_taken` took, as the operation that took it is told again."""
    found = await store.task_leases.claim(
        operation="take",
        manager=MANAGER,
        lease=LEASE,
        most_tries=MOST_TRIES,
        longest=LONGEST,
        providers=[PROVIDER],
    )
    assert isinstance(found, TaskLease)
    return found


async def _does(store: Store) -> object:
    return await store.task_leases.done(await _undertaken(store))


async def _fails(store: Store) -> object:
    return await store.task_leases.failed(await _undertaken(store), reason="no space")


async def _puts_off(store: Store) -> object:
    return await store.task_leases.postpone(await _undertaken(store), reason="busy", delay=HOUR)


async def _recovers(store: Store) -> object:
    return [entry.fields for entry in await store.task_inbox.recover("consumer", idle=timedelta(0))]


async def _first(store: Store) -> object:
    async with aclosing(store.task_inbox.follow("consumer")) as batches:
        return [entry.fields for entry in await anext(batches)]


async def _follows(store: Store) -> object:
    """Follow the inbox, again after the connection broke; what was read by then is recovered."""
    try:
        return await _first(store)
    except StoreUnavailable:
        recovered = await store.task_inbox.recover("consumer", idle=timedelta(0))
        return [entry.fields for entry in recovered] or await _first(store)


OPERATIONS_ON_TASKS: tuple[Operation, ...] = (
    operation("ask for a disk", "tasks.add", _asks(disk("d")), "add_task", arrange=_running),
    operation(
        "ask for a snapshot with a token",
        "tasks.add",
        _asks(snapshot("s"), "secret"),
        "add_task",
        arrange=_owned,
    ),
    operation(
        "ask with an unknown token", "tasks.add", _asks(disk("d"), "forged"), "add_task", arrange=_owned
    ),
    operation(
        "ask for more than may be",
        "tasks.add",
        lambda store: store.tasks.add(
            "a",
            disk("d"),
            token="secret",
            needs_token=True,
            only_owner=True,
            bounds=TaskBounds(most_disk=1),
        ),
        "add_task",
        arrange=_owned,
    ),
    operation("ask to go back", "tasks.add", _asks(revert("r", "s")), "add_task", arrange=_with_a_snapshot),
    operation(
        "ask to go back to nothing",
        "tasks.add",
        _asks(revert("r", "x")),
        "add_task",
        arrange=_with_a_snapshot,
    ),
    operation("undertake what is due", "task_leases.claim", _undertakes(), "claim_task", arrange=_due),
    operation(
        "undertake what an entry brings",
        "task_leases.claim",
        _undertakes(InboxEntry("1-1", {"vm": "a"})),
        "claim_task",
        arrange=_asked,
    ),
    operation(
        "undertake what had its tries",
        "task_leases.claim",
        _undertakes(),
        "claim_task",
        arrange=_tried_often,
    ),
    operation(
        "undertake what an entry of nothing brings",
        "task_leases.claim",
        _undertakes(InboxEntry("1-1", {"nonsense": "x"})),
        "claim_task",
        arrange=_poisoned,
    ),
    operation("do a task", "task_leases.done", _does, "claim_task", "finish_task", arrange=_taken),
    operation("fail a task", "task_leases.failed", _fails, "claim_task", "finish_task", arrange=_taken),
    operation(
        "put a task off", "task_leases.postpone", _puts_off, "claim_task", "finish_task", arrange=_taken
    ),
    operation("prepare the inbox of tasks", "task_inbox.prepare", lambda store: store.task_inbox.prepare()),
    operation("recover a task's entry", "task_inbox.recover", _recovers, arrange=_read_by_a_dead_consumer),
    operation(
        "tidy the inbox of tasks",
        "task_inbox.tidy",
        lambda store: store.task_inbox.tidy(idle=HOUR),
        arrange=_inbox_only,
        only_reads=True,
    ),
    operation("follow the inbox of tasks", "task_inbox.follow", _follows, arrange=_asked),
    operation(
        "return a VM with tasks",
        "checkouts.release",
        lambda store: store.checkouts.release("a", operation="return"),
        "release",
        arrange=_taken,
    ),
    operation(
        "heartbeat of who works on a task",
        "leases.heartbeat",
        lambda store: store.leases.heartbeat(MANAGER, lease=LEASE, offer=serving(["one"]), working_on=["a"]),
        "heartbeat",
        arrange=_taken,
    ),
    operation(
        "leave a task to others",
        "leases.leave",
        lambda store: store.leases.leave(MANAGER, ["a"]),
        "leave",
        arrange=_taken,
    ),
)
