"""Redis is emptied, restarted, replaced or away: nothing that somebody has is destroyed."""

from tests.manager.site import OFTEN, Site
from tests.support.eventually import eventually
from tests.support.redis_server import RedisServer


async def test_losing_all_data_destroys_no_running_vm_and_the_pools_fill_again(own_site: Site) -> None:
    site = own_site
    manager = await site.start({"debian": 2}, listing=OFTEN)
    await site.ready("debian", 2)
    taken = await site.take("debian", 2)
    old = [*taken, *await site.ready("debian", 2)]
    before = await site.store.deployment.prepare()
    await site.store.connection.call(("FLUSHALL",))

    async def foreign() -> bool:
        return manager.metric("foreign_vms", pool="debian") == len(old)

    await eventually(foreign)
    await site.settled(debian=2)
    assert set(old) <= site.in_cloud()
    assert manager.calls("destroy") == 0
    fresh = await site.members("ready", "debian")
    generations = {site.row(name)["tag_generation"] for name in fresh}
    assert generations == {await site.store.deployment.prepare()}
    assert before not in generations


async def test_on_a_redis_that_was_restarted_nothing_is_destroyed_before_a_complete_listing(
    own_site: Site, own_redis_server: RedisServer
) -> None:
    site = own_site
    manager = await site.start({"debian": 2}, listing=OFTEN)
    await site.ready("debian", 2)
    await site.take("debian")
    (kept,) = await site.take("debian")
    await site.ready("debian", 2)
    site.moods.set(list_vms="fail")
    own_redis_server.stop()
    own_redis_server.start()
    await site.release(kept)
    seen = manager.metric("pool_check_seconds_count") or 0
    listed = manager.calls("list_vms")

    async def passed() -> bool:
        passes = (manager.metric("pool_check_seconds_count") or 0) - seen
        return passes >= 3 and manager.calls("list_vms") >= listed + 2

    await eventually(passed)
    assert await site.state(kept) == "completed"
    assert kept in site.in_cloud()
    site.moods.set()
    await site.becomes(kept, "gone")


async def test_pools_are_filled_again_after_redis_was_away(
    own_site: Site, own_redis_server: RedisServer
) -> None:
    site = own_site
    manager = await site.start({"debian": 2})
    await site.ready("debian", 2)
    own_redis_server.stop()

    async def noticed() -> bool:
        return bool(manager.metric("redis_errors_total"))

    await eventually(noticed)
    own_redis_server.start()
    await site.take("debian", 2)
    await site.settled(debian=2)
