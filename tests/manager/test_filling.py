"""Pools are filled, and refilled at once."""

import pytest

from tests.manager.running_manager import RunningManager
from tests.manager.site import Site
from tests.support.eventually import eventually


async def test_a_pool_is_filled(site: Site) -> None:
    await site.start({"debian": 3})
    names = await site.ready("debian", 3)
    assert site.in_cloud() == set(names)


async def test_a_vm_carries_the_tag_that_says_whose_it_is(site: Site) -> None:
    await site.start({"debian": 1})
    (name,) = await site.ready("debian", 1)
    row = site.row(name)
    assert (row["tag_installation"], row["tag_pool"], row["tag_name"]) == ("test", "debian", name)
    assert row["tag_generation"] == await site.store.deployment.prepare()


async def test_names_have_the_prefix_and_records_the_domain(site: Site) -> None:
    await site.start({"debian": 1}, prefix="ci-")
    (name,) = await site.ready("debian", 1)
    record, _ = await site.store.checkouts.look_up(name)
    assert record is not None
    assert name.startswith("ci-")
    assert record.fqdn == f"{name}.example.test"


async def test_a_pool_is_refilled_after_a_checkout_without_waiting_for_a_listing(site: Site) -> None:
    manager = await site.start({"debian": 2})
    await site.ready("debian", 2)
    taken = await site.take("debian", 2)
    fresh = await site.ready("debian", 2)
    assert not set(taken) & set(fresh)
    assert manager.metric("refill_delay_seconds_count") == 1


async def test_many_pools_share_the_clone_slots_and_all_are_filled(site: Site) -> None:
    """The slots are far fewer than the pools: each must get its turn without waiting for a listing."""
    pools = {f"pool-{number}": 2 for number in range(6)}
    await site.start(pools, task_limit=1, provider={"createvm_max_time": 0.1})
    for pool in pools:
        await site.ready(pool, 2)


async def test_a_pool_of_size_zero_is_left_empty(site: Site) -> None:
    manager = await site.start({"empty": 0, "debian": 1})
    await site.ready("debian", 1)
    await site.ready("empty", 0)
    assert manager.metric("pool_size", pool="empty") == 0


@pytest.mark.parametrize("paused", ["pool", "provider"])
async def test_what_is_paused_is_not_cloned(site: Site, paused: str) -> None:
    if paused == "pool":
        manager = await site.start({"stopped": {"size": 1, "paused": True}})
    else:
        manager = await site.start({"stopped": 1}, provider={"paused": True})
    await eventually(lambda: _listed(manager))
    assert await site.members("pending", "stopped") == []
    assert manager.calls("create") == 0


async def test_a_paused_pool_still_takes_back_what_is_returned(site: Site) -> None:
    await site.start({"debian": 2})
    await site.ready("debian", 2)
    (taken,) = await site.take("debian")
    await site.ready("debian", 2)
    await site.stop()
    await site.start({"debian": {"size": 2, "paused": True}})
    await site.release(taken)
    await site.becomes(taken, "gone")
    assert len(await site.members("ready", "debian")) == 2


async def _listed(manager: RunningManager) -> bool:
    return bool(manager.calls("list_vms"))
