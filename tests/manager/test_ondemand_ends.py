"""On-demand requests that fail or are deleted: with the reason, and without a VM that is left over."""

from datetime import timedelta

from tests.manager.orders import Orders
from tests.manager.running_manager import RunningManager
from tests.manager.site import Site
from tests.support.eventually import eventually
from vmpooler_common.store.requests.requests import RequestStatus

BRISK = {"check_loop_delay_max": 0.5}
PATIENT = {**BRISK, "max_vm_retries": 1000}
BOOTING = {"vmready_max_time": 1_000, "seed": 1}
"""Clones that take no time of VMs that are never ready."""


async def _is_granted(orders: Orders, request: str, vms: int) -> bool:
    return sum(bool(want.vm) for want in (await orders.look(request)).items) == vms


async def _has_failed_once(orders: Orders, request: str) -> bool:
    return bool((await orders.look(request)).error)


async def _are_in_cloud(site: Site, vms: int) -> bool:
    return len(site.cloud.vms()) == vms


async def _counts(manager: RunningManager, name: str, value: float) -> bool:
    return manager.metric(name) == value


async def test_a_clone_that_fails_is_made_again(site: Site, orders: Orders) -> None:
    site.moods.set(create="fail")
    await site.start({"debian": 0}, **PATIENT)
    await orders.open("r", "debian", "debian")
    await eventually(lambda: _has_failed_once(orders, "r"))
    site.moods.set()
    vms = await orders.ready("r")
    await site.settled(debian=0)
    assert site.in_cloud() == set(vms)


async def test_a_request_fails_after_so_many_clones_with_the_last_error(site: Site, orders: Orders) -> None:
    site.moods.set(create="fail")
    manager = await site.start({"debian": 0}, max_vm_retries=3, **BRISK)
    await orders.open("r", "debian")
    assert await orders.failed("r") == "told to fail create"
    assert [want.failed_attempts for want in (await orders.look("r")).items] == [3]
    assert manager.calls("create") == 3
    await site.settled(debian=0)


async def test_a_request_for_a_pool_that_no_manager_knows_fails_soon_with_the_reason(
    site: Site, orders: Orders
) -> None:
    await site.start({"debian": 0})
    await orders.open("r", "debian", "unknown")
    await eventually(lambda: orders.is_accepted("r"))
    await site.store.connection.call(("HINCRBY", f"{site.prefix}:request:r", "accepted", -61_000))
    assert await orders.failed("r") == "the pool 'unknown' isn't configured in any manager"
    await site.settled(debian=0)


async def test_a_request_fails_at_once_when_its_clones_can_never_work(site: Site, orders: Orders) -> None:
    site.moods.set(create="refuse")
    manager = await site.start({"debian": 0})
    await orders.open("r", "debian", "debian")
    await orders.open("other", "debian")
    assert await orders.failed("r") == await orders.failed("other") == "told to refuse create"
    await eventually(lambda: _counts(manager, "ondemand_requests_failed_total", 2))
    await site.settled(debian=0)


async def test_a_request_for_a_pool_without_a_driver_fails_and_others_are_met(
    site: Site, orders: Orders
) -> None:
    document = site.document({"debian": 0, "windows": {"size": 0, "provider": "vsphere"}})
    document["providers"]["vsphere"] = {"server": "vc", "username": "u", "password": "p"}
    await site.start_with(document)
    await orders.open("both", "debian", "windows")
    await orders.open("one", "debian")
    assert "driver" in await orders.failed("both")
    (vm,) = await orders.ready("one")
    await site.settled(debian=0)
    assert site.in_cloud() == {vm}


async def test_a_request_fails_at_its_deadline_and_its_vms_are_returned(site: Site, orders: Orders) -> None:
    await site.start({"debian": 1}, **PATIENT)
    (given,) = await site.ready("debian", 1)
    site.moods.set(create="fail")
    await orders.open("r", "debian", "debian", ttl=timedelta(seconds=2))
    await eventually(lambda: _is_granted(orders, "r", 1))
    assert await orders.failed("r") == (
        "told to fail create. The request failed to provision instances"
        " within the configured ondemand_request_ttl '5'"
    )
    await site.becomes(given, "gone")
    site.moods.set()
    await site.settled(debian=1)
    assert site.in_cloud() == set(await site.members("ready", "debian"))


async def test_a_vm_that_is_not_ready_in_time_is_charged_to_the_request(site: Site, orders: Orders) -> None:
    await site.start(
        {"debian": {"size": 0, "timeout": 0.01}}, provider={"vmready_fail_percent": 100}, max_vm_retries=2
    )
    await orders.open("r", "debian")
    assert "was not ready in time" in await orders.failed("r")
    await site.settled(debian=0)
    assert site.in_cloud() == set()


async def test_deleting_a_request_returns_its_vms(site: Site, orders: Orders) -> None:
    await site.start({"debian": 1, "windows": 0})
    await orders.open("r", "debian", "windows")
    vms = await orders.ready("r")
    await orders.delete("r")
    for vm in vms:
        await site.becomes(vm, "gone")
    await site.settled(debian=1, windows=0)
    assert not site.in_cloud() & set(vms)


async def test_deleting_a_request_sheds_what_is_in_the_making(site: Site, orders: Orders) -> None:
    manager = await site.start({"debian": 0}, provider=BOOTING)
    await orders.open("r", *["debian"] * 3)
    await eventually(lambda: _are_in_cloud(site, 3))
    await orders.delete("r")
    await site.settled(debian=0)
    await eventually(lambda: _are_in_cloud(site, 0))
    assert manager.metric("vm_failures_total", reason="excess") == 3
    assert (await orders.look("r")).status is RequestStatus.DELETED


async def test_deleting_one_request_spares_what_another_waits_for(site: Site, orders: Orders) -> None:
    await site.start({"debian": 0}, provider=BOOTING)
    await orders.open("kept", "debian")
    await orders.open("deleted", "debian", "debian")
    await eventually(lambda: _are_in_cloud(site, 3))
    await orders.delete("deleted")
    await eventually(lambda: _are_in_cloud(site, 1))
    (left,) = site.cloud.vms()
    site.cloud.change(left["id"], ready_at=0)
    assert await orders.ready("kept") == [left["name"]]


async def test_a_request_for_a_pool_that_left_the_configuration_fails(site: Site, orders: Orders) -> None:
    site.moods.set(create="fail")
    await site.start({"debian": 1, "old": 0}, **PATIENT)
    await orders.open("r", "old")
    await eventually(lambda: _has_failed_once(orders, "r"))
    await site.stop()
    await site.start({"debian": 1}, **PATIENT)
    assert await orders.failed("r") == "the pool isn't configured any more"


async def test_a_paused_pool_keeps_its_requests_waiting(site: Site, orders: Orders) -> None:
    await site.start({"debian": {"size": 0, "paused": True}})
    await orders.open("r", "debian")
    await eventually(lambda: orders.is_accepted("r"))
    await site.stop()
    assert await site.members("pending", "debian") == []
    await site.start({"debian": 0})
    await orders.ready("r")
