"""Several managers share the pools, and take over from each other."""

from pathlib import Path

from tests.manager.running_manager import RunningManager
from tests.manager.site import Site
from tests.support.eventually import eventually
from tests.support.faulty_provider import Moods

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


async def test_a_manager_that_can_not_open_its_provider_leaves_the_pools_to_one_that_can(
    site: Site, tmp_path: Path
) -> None:
    moods = Moods(tmp_path / "cut-off.json")
    moods.set(open="fail")
    cut_off = await site.start(POOLS, provider={"moods": str(moods.path)})
    await eventually(lambda: _exports(cut_off, "debian", "ubuntu"))
    assert cut_off.complaint().startswith("no pool can be served: dummy:")
    healthy = await site.start(POOLS)
    await site.settled(debian=2, ubuntu=2)
    await eventually(lambda: _exports(healthy, "debian", "ubuntu"))
    assert (cut_off.metric("servable_pools"), healthy.metric("servable_pools")) == (0, 2)
    assert cut_off.complaint()
    assert not healthy.complaint()
    assert not (await site.numbers("debian")).broken


async def test_a_manager_that_is_cut_off_from_the_cloud_gives_its_pools_up_and_gets_them_back(
    site: Site, tmp_path: Path
) -> None:
    moods = Moods(tmp_path / "cut-off.json")
    cut_off = await site.start(POOLS, provider={"moods": str(moods.path)}, listing=0.005)
    healthy = await site.start(POOLS, listing=0.005)
    await eventually(lambda: _split(healthy, cut_off))
    await site.settled(debian=2, ubuntu=2)
    moods.set(list_vms="fail", create="fail", destroy="fail", inspect="fail")
    await eventually(lambda: _exports(healthy, "debian", "ubuntu"))
    await site.release(*await site.take("debian", 2), *await site.take("ubuntu", 2))
    await site.settled(debian=2, ubuntu=2)
    moods.set()
    await eventually(lambda: _split(healthy, cut_off))
    assert not cut_off.complaint()


async def _split(first: RunningManager, second: RunningManager) -> bool:
    return sorted([*_exported(first), *_exported(second)]) == ["debian", "ubuntu"] and bool(_exported(second))


async def _exports(manager: RunningManager, *pools: str) -> bool:
    return _exported(manager) == set(pools)


def _exported(manager: RunningManager) -> set[str]:
    return {pool for pool in POOLS if manager.metric("pool_size", pool=pool) is not None}
