"""The operations of users who change the VMs that they have."""

from collections.abc import Awaitable

from tests.store.fleet import Fleet, attempt_of
from tests.store.operation import HOUR, Operation, operation
from tests.store.task_helpers import disk
from vmpooler_common.store.store import Store
from vmpooler_common.store.tasks.tasks import TaskBounds
from vmpooler_common.store.vms.changes import MOST_TAGS, Access, VmChange

LONGER_AND_TAGGED = VmChange(lifetime=5 * HOUR, tags={"build": "17", "url": "https://ci.example.test/17"})


def _changes(
    store: Store, change: VmChange = LONGER_AND_TAGGED, *, vm: str = "a", token: str | None = None
) -> Awaitable[object]:
    return store.changes.modify(
        vm, change, operation="change", access=Access.HOLDER, token=token, only_owner=True, admins=["root"]
    )


def _adds_a_disk(store: Store) -> Awaitable[object]:
    return _changes(store, VmChange(tags={"build": "17"}, disk=disk("d")))


async def _taken(fleet: Fleet) -> None:
    await fleet.running("one", "a", "b", lifetime=HOUR)


async def _taken_with_a_token(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    await fleet.token("other", "bob")
    await fleet.running("one", "a", token="secret")


def _begins_a_migration(store: Store) -> Awaitable[str | None]:
    return store.migrations.begin("a", attempt_of("a"), operation="move", limit=1, life=HOUR)


def _ends_a_migration(store: Store) -> Awaitable[bool]:
    return store.migrations.end("a", attempt_of("a"), host="host-2")


async def _moves(fleet: Fleet) -> None:
    await _taken(fleet)
    await _begins_a_migration(fleet.store)


OPERATIONS_ON_VMS: tuple[Operation, ...] = (
    operation(
        "add more disk than may be",
        "changes.modify",
        lambda store: _changes(
            store, VmChange(disk=disk("d"), bounds=TaskBounds(most_disk=1)), token="secret"
        ),
        "change_vm",
        arrange=_taken_with_a_token,
    ),
    operation("modify", "changes.modify", _changes, "change_vm", arrange=_taken),
    operation("modify its disks", "changes.modify", _adds_a_disk, "change_vm", arrange=_taken),
    operation(
        "modify with the owner's token",
        "changes.modify",
        lambda store: _changes(store, token="secret"),
        "change_vm",
        arrange=_taken_with_a_token,
    ),
    operation(
        "modify another user's",
        "changes.modify",
        lambda store: _changes(store, token="other"),
        "change_vm",
        arrange=_taken_with_a_token,
    ),
    operation("modify without a token", "changes.modify", _changes, "change_vm", arrange=_taken_with_a_token),
    operation(
        "modify what is not running",
        "changes.modify",
        _changes,
        "change_vm",
        arrange=lambda fleet: fleet.ready("one", "a"),
    ),
    operation(
        "modify with too many tags",
        "changes.modify",
        lambda store: _changes(store, VmChange(tags={f"tag-{at}": "x" for at in range(MOST_TAGS + 1)})),
        "change_vm",
        arrange=_taken,
    ),
    operation(
        "begin a migration", "migrations.begin", _begins_a_migration, "begin_migration", arrange=_taken
    ),
    operation("end a migration", "migrations.end", _ends_a_migration, "end_migration", arrange=_moves),
)
