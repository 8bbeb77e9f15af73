"""Which VMs may be moved to another host, how many at once, and what is noted of it."""

from datetime import timedelta

from tests.store.fleet import Fleet, attempt_of
from tests.store.operation import HOUR


async def begin(fleet: Fleet, vm: str, *, limit: int = 1, life: timedelta = HOUR) -> str | None:
    return await fleet.store.migrations.begin(
        vm, attempt_of(vm), operation=f"move {vm}", limit=limit, life=life
    )


async def end(fleet: Fleet, vm: str, host: str | None) -> bool:
    return await fleet.store.migrations.end(vm, attempt_of(vm), host=host)


async def test_only_so_many_are_moved_at_once_over_all_managers(fleet: Fleet) -> None:
    await fleet.running("one", "a", "b", "c")
    assert await begin(fleet, "a", limit=2) is not None
    assert await begin(fleet, "b", limit=2) is not None
    assert await begin(fleet, "c", limit=2) is None
    await end(fleet, "a", None)
    assert await begin(fleet, "c", limit=2) is not None


async def test_the_place_of_a_manager_that_died_lapses(fleet: Fleet) -> None:
    await fleet.running("one", "a", "b")
    assert await begin(fleet, "a", life=timedelta(0)) is not None
    assert await begin(fleet, "b") is not None


async def test_a_vm_is_moved_once_and_only_while_somebody_has_it(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    await fleet.ready("one", "b")
    assert await begin(fleet, "a", limit=9) is not None
    migrations = fleet.store.migrations
    assert await migrations.begin("a", attempt_of("a"), operation="again", limit=9, life=HOUR) is None
    assert await migrations.begin("a", "another", operation="other", limit=9, life=HOUR) is None
    assert await begin(fleet, "b", limit=9) is None


async def test_a_move_is_noted_with_the_vm_and_no_move_is_none(fleet: Fleet) -> None:
    await fleet.running("one", "a", "b")
    for vm in ("a", "b"):
        await fleet.store.clones.created(
            vm, attempt_of(vm), provider_id=f"id-{vm}", ip=None, host="host-1", cloned=True
        )
        assert await begin(fleet, vm, limit=2) == "host-1"
    assert await end(fleet, "a", "host-2")
    assert not await end(fleet, "b", "host-1")
    [moved, stayed] = [(await fleet.store.checkouts.look_up(vm))[0] for vm in ("a", "b")]
    assert moved is not None
    assert stayed is not None
    assert (moved.host, moved.is_migrated) == ("host-2", True)
    assert (stayed.host, stayed.is_migrated) == ("host-1", False)
