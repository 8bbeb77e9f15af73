"""The operations of operators: changing pools while they are used."""

from collections.abc import Awaitable

from tests.store.fleet import Fleet
from tests.store.operation import Operation, operation
from vmpooler_common.model.overrides import Property
from vmpooler_common.store.pools.overrides import Permission, PoolChange
from vmpooler_common.store.store import Store

OPERATOR = Permission(token="secret", needs_token=True, admins=("alice",), only_admins=True)
STRANGER = Permission(token="forged", needs_token=True)


async def _vms(fleet: Fleet) -> None:
    await fleet.token("secret", "alice")
    await fleet.ready("one", "a", "b")
    await fleet.suspect("two", "c")
    await fleet.created("two", "d")


async def _set_before(fleet: Fleet) -> None:
    await _vms(fleet)
    await fleet.store.overrides.override(
        Property.TEMPLATE, [PoolChange("one", "x/y", "a/b")], permission=OPERATOR, operation="before"
    )


async def _paused(fleet: Fleet) -> None:
    await _vms(fleet)
    await fleet.store.overrides.pause("one", "why", permission=OPERATOR, operation="before")


def _sets(what: Property, *changes: PoolChange, by: Permission = OPERATOR) -> Operation:
    def run(store: Store) -> Awaitable[object]:
        return store.overrides.override(what, changes, permission=by, operation="set")

    label = f"set {what} of {len(changes)}" + ("" if by is OPERATOR else " as a stranger")
    return operation(label, "overrides.override", run, "override_pools", arrange=_vms)


OPERATIONS_OF_ADMINS: tuple[Operation, ...] = (
    _sets(Property.SIZE, PoolChange("one", "5", "2"), PoolChange("two", "5", "5")),
    _sets(
        Property.TEMPLATE,
        PoolChange("one", "x/y", "a/b"),
        PoolChange("two", "x/y", "ä/b"),
        PoolChange("3", "", "c/d"),
    ),
    _sets(Property.CLONE_TARGET, PoolChange("one", "", "cluster")),
    _sets(Property.SIZE),
    _sets(Property.SIZE, PoolChange("one", "5", "2"), by=STRANGER),
    operation(
        "take a template back",
        "overrides.override",
        lambda store: store.overrides.override(
            Property.TEMPLATE, [PoolChange("one", "x/y", "")], permission=OPERATOR, operation="set"
        ),
        "override_pools",
        arrange=_set_before,
    ),
    operation(
        "drain pools",
        "overrides.drain",
        lambda store: store.overrides.drain(["one", "two"], permission=OPERATOR, operation="drain"),
        "drain_pools",
        arrange=_vms,
    ),
    operation(
        "drain pools as a stranger",
        "overrides.drain",
        lambda store: store.overrides.drain(["one"], permission=STRANGER, operation="drain"),
        "drain_pools",
        arrange=_vms,
    ),
    operation(
        "pause a pool",
        "overrides.pause",
        lambda store: store.overrides.pause(
            "one", "its template is rebuilt", permission=OPERATOR, operation="pause"
        ),
        "pause_pool",
        arrange=_vms,
    ),
    operation(
        "let a pool work again",
        "overrides.pause",
        lambda store: store.overrides.pause("one", None, permission=OPERATOR, operation="resume"),
        "pause_pool",
        arrange=_paused,
    ),
    operation(
        "pause a pool as a stranger",
        "overrides.pause",
        lambda store: store.overrides.pause("one", "why", permission=STRANGER, operation="pause"),
        "pause_pool",
        arrange=_vms,
    ),
    operation(
        "check a permission",
        "overrides.check",
        lambda store: store.overrides.check(OPERATOR),
        "authorise",
        arrange=_vms,
    ),
    operation(
        "check a stranger's permission",
        "overrides.check",
        lambda store: store.overrides.check(STRANGER),
        "authorise",
        arrange=_vms,
    ),
    operation(
        "read what is set",
        "overrides.current",
        lambda store: store.overrides.current(),
        "show_overrides",
        arrange=_set_before,
        only_reads=True,
    ),
)
