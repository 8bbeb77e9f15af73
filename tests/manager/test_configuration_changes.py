"""A manager that starts with another configuration brings what is there to it."""

from datetime import timedelta

from tests.manager.site import OFTEN, Site
from tests.support.eventually import eventually


async def test_a_smaller_pool_loses_its_oldest_ready_vms(site: Site) -> None:
    await site.start({"debian": 3})
    oldest, second, youngest = await site.ready("debian", 3)
    await site.stop()
    manager = await site.start({"debian": 1})
    await site.settled(debian=1)
    assert await site.members("ready", "debian") == [youngest]
    assert site.in_cloud() == {youngest}
    assert await site.reason(oldest) == await site.reason(second) == "excess"
    assert manager.metric("vm_failures_total", pool="debian", reason="excess") == 2


async def test_a_larger_pool_is_filled_up(site: Site) -> None:
    await site.start({"debian": 1})
    before = await site.ready("debian", 1)
    await site.stop()
    await site.start({"debian": 3})
    assert set(before) < set(await site.ready("debian", 3))


async def test_a_pool_that_left_the_configuration_loses_its_ready_vms_and_keeps_the_running_ones(
    site: Site,
) -> None:
    await site.start({"debian": 2, "old": 2})
    ready = await site.ready("old", 2)
    (taken,) = await site.take("old", lifetime=timedelta(seconds=4))
    await site.ready("old", 2)
    await site.stop()
    manager = await site.start({"debian": 2})
    for name in set(ready) - {taken}:
        await site.becomes(name, "gone")
    assert await site.state(taken) == "running"
    assert taken in site.in_cloud()
    await site.becomes(taken, "gone")
    assert await site.reason(taken) == "lifetime over"
    assert taken not in site.in_cloud()

    async def forgotten() -> bool:
        (known,) = await site.store.connection.call(("HEXISTS", f"{site.prefix}:pools", "old"))
        return not known and manager.metric("pool_size", pool="old") is None

    await eventually(forgotten)
    await site.settled(debian=2)


async def test_a_pool_that_left_the_configuration_is_listed_where_its_vms_are(site: Site) -> None:
    await site.start({"debian": 1, "old": {"size": 2, "folder": "Pooled VMs"}})
    orphan, kept = await site.ready("old", 2)
    await site.take("old", 2, lifetime=timedelta(hours=1))
    await site.stop()
    for command in (("DEL", f"{site.prefix}:vm:{orphan}"), ("ZREM", f"{site.prefix}:running:old", orphan)):
        await site.store.connection.call(command)
    site.cloud.change(site.row(orphan)["id"], tag_owner=None)
    await site.start({"debian": 1}, listing=OFTEN)

    async def only_the_orphan_is_gone() -> bool:
        return orphan not in site.in_cloud()

    await eventually(only_the_orphan_is_gone)
    assert kept in site.in_cloud()
    assert await site.state(kept) == "running"


async def test_a_pool_that_no_manager_has_keeps_its_vms_until_the_grace_period_is_over(site: Site) -> None:
    """The only manager that has it may be away for a while; what is returned meanwhile is destroyed."""
    await site.start({"debian": 1, "other": 2})
    kept = await site.ready("other", 2)
    (taken,) = await site.take("other", lifetime=timedelta(hours=1))
    kept.remove(taken)
    await site.ready("other", 2)
    await site.stop()
    await site.start({"debian": 1}, pool_removal_grace=10)
    await site.release(taken)
    await site.becomes(taken, "gone")
    assert set(kept) < set(await site.ready("other", 2))
    assert not (await site.numbers("other")).leaving
    await site.stop()
    await site.start({"debian": 1, "other": 2}, pool_removal_grace=10)
    await site.settled(debian=1, other=2)
    assert set(kept) < set(await site.ready("other", 2))


async def test_a_vm_of_a_pool_that_left_the_configuration_can_be_returned(site: Site) -> None:
    await site.start({"debian": 1, "old": 1})
    await site.ready("old", 1)
    (taken,) = await site.take("old")
    await site.stop()
    await site.start({"debian": 1})
    await site.release(taken)
    await site.becomes(taken, "gone")
    assert taken not in site.in_cloud()


async def test_vms_of_a_pool_that_moved_to_another_provider_are_destroyed_at_the_former_one(
    site: Site, tmp_path: object
) -> None:
    await site.start({"debian": 2})
    before = await site.ready("debian", 2)
    (taken,) = await site.take("debian")
    await site.ready("debian", 2)
    await site.stop()
    document = site.document({"debian": {"size": 1, "provider": "second"}})
    document["providers"]["second"] = {"provider_class": "dummy"}
    await site.start_with(document)
    await site.settled(debian=1)
    await site.release(taken)
    await site.becomes(taken, "gone")
    (left,) = await site.members("ready", "debian")
    assert site.in_cloud() == {left}, (
        "the one that is left is of the former provider, and in use until it is taken"
    )
    assert left not in before or left != taken
    await site.take("debian")
    (fresh,) = await site.ready("debian", 1)
    record, _ = await site.store.checkouts.look_up(fresh)
    assert record is not None
    assert record.provider == "second"
    assert fresh not in site.in_cloud()


async def test_the_owner_is_noted_at_the_provider_that_has_the_vm(site: Site) -> None:
    """The pool has moved since; the VM has not."""
    await site.start({"debian": 1})
    (name,) = await site.ready("debian", 1)
    await site.stop()
    document = site.document({"debian": {"size": 1, "provider": "second"}})
    document["providers"]["second"] = {"provider_class": "dummy"}
    await site.start_with(document)
    await site.take("debian")

    async def noted() -> bool:
        return bool(site.row(name)["tag_owner"])

    await eventually(noted)
