"""However entries of the inbox are lost, doubled or spoilt: every request is accepted once."""

from structlog.testing import capture_logs

from tests.manager.ondemand_requests import OnDemand
from tests.manager.site import Site
from tests.support.eventually import eventually

SOON = 8.0
"""Seconds: an entry counts as lost after 2, heartbeats come every 1.5, and the rest is for slow machines."""


async def _inbox(site: Site) -> int:
    (entries,) = await site.store.connection.call(("XLEN", f"{site.prefix}:requests"))
    return int(entries)


async def _is_empty(site: Site) -> bool:
    return await _inbox(site) == 0


async def _has_group(site: Site) -> bool:
    (groups,) = await site.store.connection.call(("XINFO", "GROUPS", f"{site.prefix}:requests"))
    return isinstance(groups, list) and len(groups) == 1


async def test_a_request_whose_entry_was_lost_is_met(site: Site, requests: OnDemand) -> None:
    await requests.open("r", "debian")
    await site.store.connection.call(("DEL", f"{site.prefix}:requests"))
    await site.start({"debian": 0})
    await requests.ready("r", within=SOON)


async def test_a_group_that_was_destroyed_is_made_again(site: Site, requests: OnDemand) -> None:
    await site.start({"debian": 0})
    await eventually(lambda: _has_group(site))
    await site.store.connection.call(("XGROUP", "DESTROY", f"{site.prefix}:requests", "managers"))
    await eventually(lambda: _has_group(site))
    await requests.open("r", "debian")
    await requests.ready("r")
    await eventually(lambda: _is_empty(site))


async def test_an_outage_ends_though_nobody_asks_for_anything(site: Site) -> None:
    await site.start({"debian": 0})
    await eventually(lambda: _has_group(site))
    with capture_logs() as logs:
        await site.store.connection.call(("XGROUP", "DESTROY", f"{site.prefix}:requests", "managers"))

        async def has_ended() -> bool:
            reported = [entry["event"] for entry in logs if entry.get("what") == "on-demand inbox"]
            assert reported == ["outage.began", "outage.ended"]
            return True

        await eventually(has_ended, within=2 * SOON)


async def test_a_stream_that_was_deleted_is_made_again(site: Site, requests: OnDemand) -> None:
    await site.start({"debian": 0})
    await eventually(lambda: _has_group(site))
    await site.store.connection.call(("DEL", f"{site.prefix}:requests"))
    await eventually(lambda: _has_group(site))
    await requests.open("r", "debian")
    await requests.ready("r")
    await eventually(lambda: _is_empty(site))


async def test_an_entry_that_a_dead_manager_had_read_is_finished(site: Site, requests: OnDemand) -> None:
    stream = f"{site.prefix}:requests"
    await site.store.request_inbox.prepare()
    await requests.open("r", "debian")
    await site.store.connection.call(("XREADGROUP", "GROUP", "managers", "dead", "STREAMS", stream, ">"))
    await site.start({"debian": 0})
    await requests.ready("r", within=SOON)
    await eventually(lambda: _is_empty(site))


async def test_an_entry_that_was_doubled_gives_no_vm_twice(site: Site, requests: OnDemand) -> None:
    await requests.open("r", "debian", "debian")
    for _ in range(3):
        await site.store.connection.call(("XADD", f"{site.prefix}:requests", "*", "request", "r"))
    manager = await site.start({"debian": 0})
    vms = await requests.ready("r")
    await eventually(lambda: _is_empty(site))
    await site.settled(debian=0)
    assert site.in_cloud() == set(vms)
    assert manager.calls("create") == 2


async def test_entries_that_cannot_be_understood_are_put_aside(site: Site, requests: OnDemand) -> None:
    manager = await site.start({"debian": 0})
    stream = f"{site.prefix}:requests"
    await site.store.connection.call(
        ("XADD", stream, "*", "request", "unknown"), ("XADD", stream, "*", "something", "else")
    )
    await requests.open("r", "debian")
    await requests.ready("r")

    async def put_aside() -> bool:
        return manager.metric("dlq_entries_total", queue="requests") == 2

    await eventually(put_aside)
    assert await _inbox(site) == 0
    (kept,) = await site.store.connection.call(("XLEN", f"{site.prefix}:dlq"))
    assert kept == 2
