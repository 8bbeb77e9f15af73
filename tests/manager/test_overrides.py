"""Sizes, templates and clone targets that are set while managers run, and pools that are drained."""

from typing import Any

import pytest

from tests.manager.ondemand_requests import OnDemand
from tests.manager.site import Site
from tests.support.eventually import eventually
from vmpooler_common.model.overrides import Property
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.pools.overrides import Permission, PoolChange
from vmpooler_common.store.requests.requests import RequestStatus
from vmpooler_common.store.retirement.retirement import Condition

OLD, NEW = "templates/debian", "templates/new"
SLOW = {"vmready_max_time": 100_000}
"""VMs of such a cloud don't boot by themselves."""


async def override(
    site: Site, what: Property, value: str, *, configured: str = "", pool: str = "debian"
) -> None:
    """Do what the API does; no value takes it back."""
    await site.store.overrides.override(
        what, [PoolChange(pool, configured, value)], permission=Permission(), operation=new_operation()
    )


async def drain(site: Site, *pools: str) -> None:
    await site.store.overrides.drain(pools, permission=Permission(), operation=new_operation())


async def replaced(site: Site, before: list[str], count: int, **columns: Any) -> list[str]:
    """Wait until none of the VMs is left and the pool is full of others, made as these columns say."""
    await site.settled(debian=count)
    names = await site.members("ready", "debian")
    assert not set(names) & set(before)
    for name in names:
        row = site.row(name)
        assert {column: row[column] for column in columns} == columns
    return names


async def pending_in_cloud(site: Site, count: int) -> list[dict[str, Any]]:
    """Wait until so many VMs of the pool are known to boot."""

    async def inspect() -> list[dict[str, Any]]:
        names = await site.members("pending", "debian")
        records = [(await site.store.checkouts.look_up(name))[0] for name in names]
        assert [record.phase for record in records if record] == ["created"] * count
        return [site.row(name) for name in names]

    return await eventually(inspect)


async def test_a_larger_size_fills_the_pool_at_once(site: Site) -> None:
    manager = await site.start({"debian": 1})
    before = await site.ready("debian", 1)
    await override(site, Property.SIZE, "3", configured="1")
    assert set(before) < set(await site.ready("debian", 3))

    async def reported() -> bool:
        return manager.metric("pool_size", pool="debian") == 3

    await eventually(reported)


async def test_a_change_is_followed_though_nothing_else_happens_in_the_pool(site: Site) -> None:
    """No VM of it tells anything, and its manager would look in an hour."""
    manager = await site.start({"debian": 0}, check_loop_delay_min=3600, check_loop_delay_max=3600)

    async def listed() -> bool:
        return manager.metric("pool_size", pool="debian") == 0

    await eventually(listed)
    await override(site, Property.SIZE, "1", configured="0")
    await site.ready("debian", 1)


async def test_a_smaller_size_removes_the_oldest_at_once(site: Site) -> None:
    await site.start({"debian": 3})
    *_, youngest = await site.ready("debian", 3)
    await override(site, Property.SIZE, "1", configured="3")
    await site.settled(debian=1)
    assert await site.members("ready", "debian") == [youngest]


async def test_a_size_of_0_empties_the_pool_but_for_requests(site: Site, requests: OnDemand) -> None:
    await site.start({"debian": 2})
    await site.ready("debian", 2)
    await override(site, Property.SIZE, "0", configured="2")
    await site.settled(debian=0)
    await requests.open("wanted", "debian")
    await requests.becomes("wanted", RequestStatus.READY)
    await site.settled(debian=0)


async def test_a_size_that_is_taken_back_is_the_configured_one_again(site: Site) -> None:
    await override(site, Property.SIZE, "3", configured="1")
    await site.start({"debian": 1})
    await site.ready("debian", 3)
    await override(site, Property.SIZE, "", configured="1")
    await site.settled(debian=1)


async def test_another_template_replaces_all_vms_that_nobody_has(site: Site) -> None:
    await site.start({"debian": 3})
    await site.ready("debian", 3)
    (taken,) = await site.take("debian")
    before = await site.ready("debian", 3)
    await override(site, Property.TEMPLATE, NEW, configured=OLD)
    names = await replaced(site, before, 3, template=NEW)
    assert await site.state(taken) == "running"
    assert await site.reason(before[0]) == "drained"
    assert (await site.store.overrides.current()).prepared == {"debian": NEW}
    await override(site, Property.TEMPLATE, "", configured=OLD)
    await replaced(site, names, 3, template=OLD)
    assert await site.state(taken) == "running"
    assert (await site.store.overrides.current()).prepared == {"debian": OLD}


async def test_another_clone_target_replaces_them_likewise(site: Site) -> None:
    await site.start({"debian": {"size": 2, "clone_target": "first"}})
    before = await site.ready("debian", 2)
    assert {site.row(name)["clone_target"] for name in before} == {"first"}
    await override(site, Property.CLONE_TARGET, "second", configured="first")
    await replaced(site, before, 2, clone_target="second", template=OLD)


async def test_a_restart_replaces_nothing(site: Site) -> None:
    await override(site, Property.TEMPLATE, NEW, configured=OLD)
    await override(site, Property.CLONE_TARGET, "cluster")
    await site.start({"debian": 2})
    before = await site.ready("debian", 2)
    assert {site.row(name)["template"] for name in before} == {NEW}
    await site.stop()
    await site.start({"debian": 3})
    assert set(before) < set(await site.ready("debian", 3))


async def test_a_template_that_was_changed_in_the_file_leaves_the_vms_that_are_there(site: Site) -> None:
    await site.start({"debian": 1})
    (before,) = await site.ready("debian", 1)
    await site.stop()
    await site.start({"debian": {"size": 2, "template": NEW}})
    names = await site.ready("debian", 2)
    assert {site.row(name)["template"] for name in names} == {OLD, NEW}
    assert before in names


async def test_pending_vms_of_the_old_template_are_replaced_too(site: Site) -> None:
    await site.start({"debian": 2}, provider=SLOW)
    old = await pending_in_cloud(site, 2)
    await override(site, Property.TEMPLATE, NEW, configured=OLD)

    async def inspect() -> bool:
        assert [row["template"] for row in site.cloud.vms()] == [NEW, NEW]
        return True

    await eventually(inspect)
    assert {await site.reason(row["name"]) for row in old} == {"drained"}


async def test_a_vm_that_is_made_for_a_request_is_given_to_it_all_the_same(
    site: Site, requests: OnDemand
) -> None:
    await site.start({"debian": 0}, provider=SLOW)
    await requests.open("wanted", "debian")
    (row,) = await pending_in_cloud(site, 1)
    await override(site, Property.TEMPLATE, NEW, configured=OLD)
    await drain(site, "debian")

    async def seen() -> bool:
        return (await site.store.overrides.current()).prepared == {"debian": NEW}

    await eventually(seen)  # a pass has gone by the new template
    site.cloud.change(row["id"], ready_at=0)
    await requests.becomes("wanted", RequestStatus.READY)
    assert await site.members("running", "debian") == [row["name"]]


async def test_a_reset_replaces_the_vms_once(site: Site) -> None:
    await site.start({"debian": 2, "ubuntu": 1})
    before = await site.ready("debian", 2)
    (other,) = await site.ready("ubuntu", 1)
    (taken,) = await site.take("debian")
    before = await site.ready("debian", 2)
    await drain(site, "debian")
    after = await replaced(site, before, 2)
    assert await site.state(taken) == "running"
    assert await site.state(other) == "ready"
    await site.stop()
    await site.start({"debian": 2, "ubuntu": 1})
    await site.take("ubuntu")
    await site.ready("ubuntu", 1)
    assert await site.members("ready", "debian") == after


async def test_a_pool_that_was_drained_while_no_manager_ran_is_drained_by_the_next_one(site: Site) -> None:
    await site.start({"debian": 2})
    before = await site.ready("debian", 2)
    await site.stop()
    await drain(site, "debian")
    await site.start({"debian": 2})
    await replaced(site, before, 2)


async def test_what_a_manager_left_of_a_drain_another_one_finishes(site: Site) -> None:
    await site.start({"debian": 3})
    before = await site.ready("debian", 3)
    await site.stop()
    await drain(site, "debian")
    await site.store.retirement.retire(
        before[1],
        VmState.READY,
        operation=new_operation(),
        reason="drained",
        condition=Condition(Guard.STALE),
    )
    for _ in range(2):
        await site.start({"debian": 3})
    await replaced(site, before, 3)


async def test_what_was_set_waits_for_a_pool_that_has_left_the_configuration(site: Site) -> None:
    await override(site, Property.SIZE, "2", configured="1")
    await site.start({"debian": 1, "ubuntu": 1})
    await site.ready("debian", 2)
    await site.stop()
    await site.start({"ubuntu": 1})
    await site.settled(debian=0)
    await site.stop()
    await site.start({"debian": 1, "ubuntu": 1})
    await site.ready("debian", 2)


async def test_a_pool_whose_template_was_wrong_goes_on_as_soon_as_another_one_is_set(site: Site) -> None:
    """Without waiting for the pause after its last failure to end."""
    site.moods.set(create="refuse")
    await site.start({"debian": 1}, check_loop_delay_min=3600, check_loop_delay_max=3600)

    async def broken() -> bool:
        return bool((await site.numbers("debian")).broken)

    await eventually(broken)
    site.moods.set()
    await override(site, Property.TEMPLATE, NEW, configured=OLD)
    await site.ready("debian", 1)
    assert (await site.numbers("debian")).broken == ""


@pytest.mark.parametrize("value", ["0x10", "-3", "100000"])
async def test_a_size_that_was_meddled_with_is_ignored(site: Site, value: str) -> None:
    await site.store.connection.call(("HSET", f"{site.prefix}:size", "debian", value))
    manager = await site.start({"debian": 1})
    await site.settled(debian=1)
    assert manager.metric("pool_size", pool="debian") == 1
