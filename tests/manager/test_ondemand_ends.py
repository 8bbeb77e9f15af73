"""On-demand requests that fail or are deleted: with the reason, and without a VM that is left over."""

from datetime import timedelta

from tests.manager.ondemand_requests import OnDemand
from tests.manager.running_manager import RunningManager
from tests.manager.site import Site
from tests.support.eventually import eventually
from vmpooler_common.store.requests.requests import RequestStatus

BRISK = {"check_loop_delay_max": 0.5}
PATIENT = {**BRISK, "max_vm_retries": 1000}
BOOTING = {"vmready_max_time": 1_000, "seed": 1}
"""Clones that take no time of VMs that are never ready."""


async def _is_granted(requests: OnDemand, request: str, vms: int) -> bool:
    return sum(bool(item.vm) for item in (await requests.show(request)).items) == vms


async def _has_failed_once(requests: OnDemand, request: str) -> bool:
    return bool((await requests.show(request)).error)


async def _are_in_cloud(site: Site, vms: int) -> bool:
    return len(site.cloud.vms()) == vms


async def _counts(manager: RunningManager, name: str, value: float) -> bool:
    return manager.metric(name) == value


async def test_a_clone_that_fails_is_made_again(site: Site, requests: OnDemand) -> None:
    site.moods.set(create="fail")
    await site.start({"debian": 0}, **PATIENT)
    await requests.open("r", "debian", "debian")
    await eventually(lambda: _has_failed_once(requests, "r"))
    site.moods.set()
    vms = await requests.ready("r")
    await site.settled(debian=0)
    assert site.in_cloud() == set(vms)


async def test_a_request_fails_after_so_many_clones_with_the_last_error(
    site: Site, requests: OnDemand
) -> None:
    site.moods.set(create="fail")
    manager = await site.start({"debian": 0}, max_vm_retries=3, **BRISK)
    await requests.open("r", "debian")
    assert await requests.failed("r") == "told to fail create"
    assert manager.calls("create") == 3
    await site.settled(debian=0)


async def test_a_request_for_a_pool_that_no_manager_knows_fails_soon_with_the_reason(
    site: Site, requests: OnDemand
) -> None:
    await site.start({"debian": 0})
    await requests.open("r", "debian", "unknown")
    await eventually(lambda: requests.is_accepted("r"))
    await site.store.connection.call(("HINCRBY", f"{site.prefix}:request:r", "accepted", -61_000))
    assert await requests.failed("r") == "the pool 'unknown' isn't configured in any manager"
    await site.settled(debian=0)


async def test_a_request_fails_at_once_when_its_clones_can_never_work(site: Site, requests: OnDemand) -> None:
    site.moods.set(create="refuse")
    manager = await site.start({"debian": 0})
    await requests.open("r", "debian", "debian")
    await requests.open("other", "debian")
    assert await requests.failed("r") == await requests.failed("other") == "told to refuse create"
    await eventually(lambda: _counts(manager, "ondemand_requests_failed_total", 2))
    await site.settled(debian=0)


async def test_a_request_for_a_pool_without_a_driver_fails_and_others_are_met(
    site: Site, requests: OnDemand
) -> None:
    document = site.document({"debian": 0, "windows": {"size": 0, "provider": "proxmox"}})
    document["providers"]["proxmox"] = {}
    await site.start_with(document)
    await requests.open("both", "debian", "windows")
    await requests.open("one", "debian")
    assert "driver" in await requests.failed("both")
    (vm,) = await requests.ready("one")
    await site.settled(debian=0)
    assert site.in_cloud() == {vm}


async def test_a_request_fails_at_its_deadline_and_its_vms_are_returned(
    site: Site, requests: OnDemand
) -> None:
    await site.start({"debian": 1}, **PATIENT)
    (given,) = await site.ready("debian", 1)
    site.moods.set(create="fail")
    await requests.open("r", "debian", "debian", ttl=timedelta(seconds=2))
    await eventually(lambda: _is_granted(requests, "r", 1))
    assert await requests.failed("r") == (
        "told to fail create. The request failed to provision instances"
        " within the configured ondemand_request_ttl '5'"
    )
    await site.becomes(given, "gone")
    site.moods.set()
    await site.settled(debian=1)
    assert site.in_cloud() == set(await site.members("ready", "debian"))


async def test_a_vm_that_is_not_ready_in_time_is_a_failed_attempt_of_the_request(
    site: Site, requests: OnDemand
) -> None:
    await site.start(
        {"debian": {"size": 0, "timeout": 0.01}}, provider={"vmready_fail_percent": 100}, max_vm_retries=2
    )
    await requests.open("r", "debian")
    assert "was not ready in time" in await requests.failed("r")
    await site.settled(debian=0)
    assert site.in_cloud() == set()


async def test_deleting_a_request_returns_its_vms(site: Site, requests: OnDemand) -> None:
    await site.start({"debian": 1, "windows": 0})
    await requests.open("r", "debian", "windows")
    vms = await requests.ready("r")
    await requests.delete("r")
    for vm in vms:
        await site.becomes(vm, "gone")
    await site.settled(debian=1, windows=0)
    assert not site.in_cloud() & set(vms)


async def test_deleting_a_request_retires_its_pending_vms(site: Site, requests: OnDemand) -> None:
    manager = await site.start({"debian": 0}, provider=BOOTING)
    await requests.open("r", *["debian"] * 3)
    await eventually(lambda: _are_in_cloud(site, 3))
    await requests.delete("r")
    await site.settled(debian=0)
    await eventually(lambda: _are_in_cloud(site, 0))
    assert manager.metric("vm_failures_total", reason="excess") == 3
    assert (await requests.show("r")).status is RequestStatus.DELETED


async def test_deleting_one_request_spares_what_another_waits_for(site: Site, requests: OnDemand) -> None:
    await site.start({"debian": 0}, provider=BOOTING)
    await requests.open("kept", "debian")
    await requests.open("deleted", "debian", "debian")
    await eventually(lambda: _are_in_cloud(site, 3))
    await requests.delete("deleted")
    await eventually(lambda: _are_in_cloud(site, 1))
    (left,) = site.cloud.vms()
    site.cloud.change(left["id"], ready_at=0)
    assert await requests.ready("kept") == [left["name"]]


async def test_a_request_for_a_pool_that_left_the_configuration_fails(site: Site, requests: OnDemand) -> None:
    site.moods.set(create="fail")
    await site.start({"debian": 1, "old": 0}, **PATIENT)
    await requests.open("r", "old")
    await eventually(lambda: _has_failed_once(requests, "r"))
    await site.stop()
    await site.start({"debian": 1}, **PATIENT)
    await site.store.connection.call(("HINCRBY", f"{site.prefix}:absent", "old", 60_000))
    assert await requests.failed("r") == "no manager is configured for the pool"


async def test_a_paused_pool_keeps_its_requests_waiting(site: Site, requests: OnDemand) -> None:
    await site.start({"debian": {"size": 0, "paused": True}})
    await requests.open("r", "debian")
    await eventually(lambda: requests.is_accepted("r"))
    await site.stop()
    assert await site.members("pending", "debian") == []
    await site.start({"debian": 0})
    await requests.ready("r")
