"""Several managers share the pools, and take over from each other."""

from tests.manager.running_manager import RunningManager
from tests.manager.site import Site
from tests.support.eventually import eventually

POOLS = {"debian": 2, "ubuntu": 2}


async def test_two_managers_share_the_pools_and_each_exports_its_own(site: Site) -> None:
    first = await site.start(POOLS)
    await eventually(lambda: _exports(first, "debian", "ubuntu"))
    second = await site.start(POOLS)
    await eventually(lambda: _split(first, second))
    await site.settled(debian=2, ubuntu=2)
    for pool in POOLS:
        (holder,) = [manager for manager in (first, second) if _exported(manager) == {pool}]
        assert holder.metric("pool_vms", pool=pool, state="ready") is not None
        assert holder.metric("leases_held") == 1


async def test_a_manager_that_leaves_gives_its_pools_to_the_other_at_once(site: Site) -> None:
    first = await site.start(POOLS)
    second = await site.start(POOLS)
    await eventually(lambda: _split(first, second))
    site.managers.remove(second)
    await second.stop()
    (entry,) = await site.store.connection.call(("HVALS", f"{site.prefix}:leases"))
    assert all(lease.endswith(first.name) for lease in entry)
    await eventually(lambda: _exports(first, "debian", "ubuntu"))
    await site.take("debian", 2)
    await site.take("ubuntu", 2)
    await site.settled(debian=2, ubuntu=2)


async def test_two_managers_never_overfill_a_pool(site: Site) -> None:
    for _ in range(3):
        await site.start({"debian": 4}, provider={"createvm_max_time": 0.2})
    await site.settled(debian=4)
    for _ in range(3):
        await site.release(*await site.take("debian", 3))
        await site.settled(debian=4)
    assert len(site.in_cloud()) == 4


async def test_what_a_manager_had_begun_is_finished_by_the_next(site: Site) -> None:
    await site.start({"debian": 1}, provider={"vmready_max_time": 100_000})

    async def begun() -> str:
        return next((row["id"] for row in site.cloud.vms()), "")

    first = await eventually(begun)
    await site.stop()
    site.cloud.change(first, ready_at=0)
    await site.start({"debian": 1})
    (name,) = await site.ready("debian", 1)
    assert site.row(name)["id"] == first
    assert len(site.cloud.vms()) == 1


async def test_a_clone_that_never_reached_the_cloud_is_replaced_by_the_next_manager(site: Site) -> None:
    """Nothing but time tells that the VM won't appear any more."""
    site.moods.set(create="hang")
    manager = await site.start({"debian": 1})

    async def begun() -> bool:
        names = await site.members("pending", "debian")
        record = (await site.store.checkouts.look_up(names[0]))[0] if names else None
        return record is not None and record.phase == "creating"

    await eventually(begun)
    (name,) = await site.members("pending", "debian")
    site.managers.remove(manager)
    await manager.stop()
    site.moods.set()
    await site.start({"debian": 1})
    await site.settled(debian=1)
    assert await site.reason(name) == "clone_failed"


async def _split(first: RunningManager, second: RunningManager) -> bool:
    return sorted([*_exported(first), *_exported(second)]) == ["debian", "ubuntu"] and bool(_exported(second))


async def _exports(manager: RunningManager, *pools: str) -> bool:
    return _exported(manager) == set(pools)


def _exported(manager: RunningManager) -> set[str]:
    return {pool for pool in POOLS if manager.metric("pool_size", pool=pool) is not None}
