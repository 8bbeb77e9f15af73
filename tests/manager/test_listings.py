"""What listings may lead to, and above all what they may not."""

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from tests.manager.ondemand_requests import OnDemand
from tests.manager.running_manager import RunningManager
from tests.manager.site import OFTEN, Site
from tests.support.eventually import eventually
from tests.support.faulty_provider import Mood
from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import UnknownToken

LISTINGS = 6
"""More than it takes to mark a VM suspect and to ask for it."""


@pytest.mark.parametrize("mood", ["fail", "refuse", "partial", "empty", "throttle"])
async def test_a_listing_that_fails_or_lacks_vms_destroys_nothing(site: Site, mood: Mood) -> None:
    manager = await site.start({"debian": 4}, listing=OFTEN, check_loop_delay_max=0.5)
    ready = await site.ready("debian", 4)
    (taken,) = await site.take("debian")
    await site.ready("debian", 4)
    there = site.in_cloud()
    site.moods.set(list_vms=mood)
    await _more_listings(manager, LISTINGS)
    assert there <= site.in_cloud()
    assert manager.calls("destroy") == 0
    site.moods.set()
    for name in set(ready) - {taken}:
        await eventually(lambda name=name: _is_cleared(site, name))  # type: ignore[misc]
    assert await site.state(taken) == "running"


async def test_vms_that_listings_miss_are_replaced_and_not_checked_out(site: Site) -> None:
    manager = await site.start({"debian": 2}, listing=OFTEN)
    await site.ready("debian", 2)
    site.moods.set(list_vms="empty", inspect="fail")
    await eventually(lambda: _has_suspects(site))
    site.moods.set(list_vms="empty")
    await site.ready("debian", 2)
    suspects = await site.members("suspect", "debian")
    assert suspects
    assert not set(suspects) & set(await site.take("debian", 2))
    await eventually(lambda: _metric_at_least(manager, "pool_vms", 1, state="suspect"))


async def test_vms_that_are_really_gone_are_given_up_when_the_cloud_says_so(site: Site) -> None:
    manager = await site.start({"debian": 2}, listing=OFTEN)
    lost, kept = await site.ready("debian", 2)
    site.cloud.remove(site.row(lost)["id"])
    await site.becomes(lost, "gone")
    assert await site.reason(lost) == "vanished"
    assert kept in await site.ready("debian", 2)
    assert manager.metric("vm_failures_total", reason="vanished") == 1


async def test_a_running_vm_that_is_gone_stays_its_users(site: Site) -> None:
    manager = await site.start({"debian": 1}, listing=OFTEN)
    await site.ready("debian", 1)
    (taken,) = await site.take("debian")
    await site.ready("debian", 1)
    site.cloud.remove(site.row(taken)["id"])
    await _more_listings(manager, LISTINGS)
    assert await site.state(taken) == "running"


async def test_more_vms_that_vanish_than_may_pause_all_deletion_until_they_are_back(site: Site) -> None:
    manager = await site.start({"debian": 6}, listing=OFTEN)
    names = await site.ready("debian", 6)
    (taken,) = await site.take("debian")
    await site.ready("debian", 6)
    places = {name: site.row(name)["id"] for name in names if name != taken}
    rows = {row["id"]: row for row in site.cloud.vms()}
    for vm_id in places.values():
        site.cloud.remove(vm_id)
    await eventually(lambda: _deletion_is_paused(site, "absent debian"))
    await eventually(lambda: _metric_at_least(manager, "provider_halted", 1))
    await site.release(taken)
    await _more_listings(manager, 3)
    assert await site.state(taken) == "completed"
    assert taken in site.in_cloud()
    given_up = [name for name in places if await site.state(name) != "ready"]
    assert len(given_up) == 3
    for name in set(places) - set(given_up):
        site.put_back(rows[places[name]])
    await eventually(lambda: _deletion_is_resumed(site))
    await site.becomes(taken, "gone")


async def test_an_operator_releases_a_deletion_pause(site: Site) -> None:
    manager = await site.start({"debian": 5}, listing=OFTEN)
    for name in await site.ready("debian", 5):
        site.cloud.remove(site.row(name)["id"])
    with capture_logs() as logs:
        await eventually(lambda: _metric_at_least(manager, "provider_halted", 1))
    (logged,) = [entry for entry in logs if entry["event"] == EventName.PROVIDER_DELETION_PAUSED]
    assert logged["remedy"].endswith("vmpooler-manager --resume-deletion dummy")
    await site.store.overrides.resume_deletion("dummy")
    await eventually(lambda: _has_no_suspects(site))
    await site.settled(debian=5)
    await eventually(lambda: _metric_is(manager, "provider_halted", 0))


async def test_vms_without_a_record_are_found_and_destroyed(site: Site) -> None:
    manager = await site.start({"debian": 2}, listing=OFTEN)
    lost, kept = await site.ready("debian", 2)
    await _lose_record(site, lost, state="ready")
    await site.becomes(lost, "gone", within=30)
    assert await site.reason(lost) == "orphan"
    assert lost not in site.in_cloud()
    assert kept in await site.ready("debian", 2)
    assert manager.metric("vm_failures_total", reason="orphan") == 1


async def test_more_orphans_than_may_pause_all_deletion(site: Site) -> None:
    await site.start({"debian": 5}, listing=OFTEN)
    lost = (await site.ready("debian", 5))[:4]
    for name in lost:
        await _lose_record(site, name, state="ready")
    await eventually(lambda: _deletion_is_paused(site, "orphan debian"), within=30)
    await site.ready("debian", 5)
    assert len(set(lost) & site.in_cloud()) >= 2


async def test_resuming_deletion_once_is_enough_for_all_orphans_that_paused_it(site: Site) -> None:
    manager = await site.start({"debian": 9}, listing=OFTEN)
    lost = await site.ready("debian", 9)
    for name in lost:
        await _lose_record(site, name, state="ready")
    await eventually(lambda: _deletion_is_paused(site, "orphan debian"), within=30)
    await eventually(lambda: _all_are_refused(site, len(lost) - 2))
    await site.store.overrides.resume_deletion("dummy")
    for name in lost:
        await site.becomes(name, "gone", within=30)
    assert manager.metric("provider_halted") == 0
    await site.settled(debian=9)


async def _all_are_refused(site: Site, count: int) -> bool:
    (refused,) = await site.store.connection.call(("SCARD", f"{site.prefix}:refused:dummy"))
    return bool(refused == count)


async def test_a_vm_of_somebody_else_is_reported_and_left_alone(site: Site) -> None:
    manager = await site.start({"debian": 1}, listing=OFTEN)
    await site.ready("debian", 1)
    site.cloud.add_foreign_vm("theirs-1", place="debian", name="theirs")
    await eventually(lambda: _metric_at_least(manager, "foreign_vms", 1, pool="debian"))
    await _more_listings(manager, LISTINGS)
    assert "theirs" in site.in_cloud()
    assert await site.state("theirs") == "unknown"


async def test_vms_of_pools_in_one_place_are_each_their_own_pools(site: Site) -> None:
    folder = {"size": 2, "folder": "shared"}
    manager = await site.start({"debian": folder, "ubuntu": folder}, listing=OFTEN)
    for pool in ("debian", "ubuntu"):
        await site.ready(pool, 2)
    there = site.in_cloud()
    await _more_listings(manager, LISTINGS)
    assert site.in_cloud() == there
    assert manager.metric("foreign_vms") == 0
    assert manager.calls("destroy") == 0


async def test_the_owner_and_the_end_are_written_on_the_tag_of_a_vm_that_was_checked_out(site: Site) -> None:
    await site.start({"debian": 1})
    await site.ready("debian", 1)
    before = datetime.now(UTC)
    (taken,) = await site.take("debian", lifetime=timedelta(hours=2))

    async def noted() -> bool:
        return bool(site.row(taken)["tag_owner"])

    await eventually(noted)
    row = site.row(taken)
    assert row["tag_owner"] == "anonymous"
    assert row["tag_ends_at"] >= (before + timedelta(hours=2)).timestamp() - 1
    assert await site.members("untagged", "debian") == []


async def test_an_owner_that_could_not_be_noted_is_noted_later(site: Site) -> None:
    manager = await site.start({"debian": 1})
    await site.ready("debian", 1)
    site.moods.set(annotate="fail")
    (taken,) = await site.take("debian")
    await eventually(lambda: _called(manager, "annotate", 2))
    assert site.row(taken)["tag_owner"] is None
    site.moods.set()

    async def noted() -> bool:
        return bool(site.row(taken)["tag_owner"])

    await eventually(noted)


async def test_a_vm_whose_record_is_lost_and_whose_tag_says_in_use_is_left_alone(site: Site) -> None:
    """Beside it one whose tag says nothing: when that is gone, this one had its chance, too."""
    await site.start({"debian": 2}, listing=OFTEN)
    await site.ready("debian", 2)
    (taken,) = await site.take("debian")
    (unused, _) = await site.ready("debian", 2)

    async def noted() -> bool:
        return bool(site.row(taken)["tag_owner"])

    await eventually(noted)
    await _lose_record(site, taken, state="running")
    await _lose_record(site, unused, state="ready")
    await site.becomes(unused, "gone", within=30)
    assert taken in site.in_cloud()
    assert await site.state(taken) == "unknown"


async def test_a_vm_whose_grant_is_lost_and_whose_tag_names_its_user_is_reinstated(
    site: Site, requests: OnDemand
) -> None:
    token = await requests.token("alice")
    await site.start({"debian": 2}, listing=OFTEN)
    await site.ready("debian", 2)
    (taken,) = await site.take("debian", lifetime=timedelta(hours=2), token=token)

    async def noted() -> bool:
        return bool(site.row(taken)["tag_owner"])

    await eventually(noted)
    await site.ready("debian", 2)
    before, _ = await site.store.checkouts.look_up(taken)
    await _lose_grant(site, taken)
    await site.becomes(taken, "running")
    after, _ = await site.store.checkouts.look_up(taken)
    assert before is not None
    assert after is not None
    assert (after.user, after.has_token, after.ends_at) == ("alice", True, before.ends_at)
    assert taken not in await site.members("ready", "debian")
    with pytest.raises(UnknownToken):
        await site.release(taken)
    await site.store.checkouts.release(taken, operation="return", token=token, only_owner=True)
    await site.becomes(taken, "gone")


async def test_a_vm_whose_lost_grant_is_over_is_not_checked_out_but_replaced(site: Site) -> None:
    await site.start({"debian": 1}, listing=OFTEN)
    await site.ready("debian", 1)
    (taken,) = await site.take("debian", lifetime=timedelta(seconds=1))
    site.moods.set(destroy="fail")
    await site.becomes(taken, "destroying")
    assert site.row(taken)["tag_owner"]
    await _lose_grant(site, taken)
    site.moods.set()
    await site.becomes(taken, "gone")
    assert await site.reason(taken) == "lifetime over"


async def _lose_grant(site: Site, name: str) -> None:
    """Have a VM be ready again, as in an older copy of the data."""
    key, prefix = f"{site.prefix}:vm:{name}", site.prefix
    await site.store.connection.call(
        ("MULTI",),
        ("HSET", key, "state", "ready", "op", "promoted"),
        ("HDEL", key, "checkout", "ends", "user", "token", "completed", "reason", "claim", "manager"),
        *(("ZREM", f"{prefix}:{state}:debian", name) for state in ("running", "completed", "destroying")),
        ("ZADD", f"{prefix}:ready:debian", 1, name),
        ("EXEC",),
    )


async def _lose_record(site: Site, name: str, *, state: str) -> None:
    """Forget a VM as a Redis that lost its latest writes does."""
    await site.store.connection.call(
        ("DEL", f"{site.prefix}:vm:{name}"), ("ZREM", f"{site.prefix}:{state}:debian", name)
    )


async def _more_listings(manager: RunningManager, count: int) -> None:
    wanted = manager.calls("list_vms") + count
    await eventually(lambda: _called(manager, "list_vms", wanted))


async def _called(manager: RunningManager, operation: str, times: float) -> bool:
    return manager.calls(operation) >= times


async def _has_suspects(site: Site) -> bool:
    return bool(await site.members("suspect", "debian"))


async def _has_no_suspects(site: Site) -> bool:
    return not await _has_suspects(site)


async def _is_cleared(site: Site, name: str) -> bool:
    return await site.state(name) == "ready" and name not in await site.members("suspect", "debian")


async def _metric_is(manager: RunningManager, name: str, value: float) -> bool:
    return manager.metric(name) == value


async def _metric_at_least(manager: RunningManager, name: str, value: float, **labels: str) -> bool:
    return (manager.metric(name, **labels) or 0) >= value


async def _deletion_pause(site: Site) -> str:
    (reason,) = await site.store.connection.call(("HGET", f"{site.prefix}:deletion_paused", "dummy"))
    return str(reason or "")


async def _deletion_is_paused(site: Site, beginning: str) -> bool:
    return (await _deletion_pause(site)).startswith(beginning)


async def _deletion_is_resumed(site: Site) -> bool:
    return not await _deletion_pause(site)
