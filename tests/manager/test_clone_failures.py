"""Clones that fail after they were accepted or for want of room, and pools that can't be prepared."""

from tests.manager.ondemand_requests import OnDemand
from tests.manager.running_manager import RunningManager
from tests.manager.site import Site
from tests.support.eventually import eventually
from vmpooler_common.model.overrides import Property
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.pools.overrides import Permission, PoolChange
from vmpooler_common.store.requests.requests import RequestStatus


async def test_a_clone_that_fails_late_tells_its_reason_to_who_waits(site: Site, requests: OnDemand) -> None:
    late = {"createvm_latefail_percent": 100, "createvm_max_time": 0.2}
    manager = await site.start({"debian": 0}, provider=late, max_vm_retries=2)
    await requests.open("r1", "debian")
    assert "createvm_latefail_percent" in await requests.failed("r1")
    assert manager.metric("vm_failures_total", reason="clone_failed") == 2
    await eventually(lambda: _holds_nothing(site))


async def test_want_of_room_is_told_and_fails_no_request_before_its_deadline(
    site: Site, requests: OnDemand
) -> None:
    full = {"createvm_nocapacity_percent": 100}
    manager = await site.start({"debian": 0}, provider=full, max_vm_retries=1, check_loop_delay_max=0.5)
    await requests.open("r1", "debian")
    await eventually(lambda: _counts(manager, "no_capacity", 3))
    request = await requests.show("r1")
    assert request.status is not RequestStatus.FAILED
    assert [item.failed_attempts for item in request.items] == [0]
    assert "no room" in request.error
    assert (await site.numbers("debian")).broken == ""
    await site.stop()
    await site.start({"debian": 0})
    await requests.ready("r1")


async def test_a_pool_that_can_not_be_prepared_is_broken_before_its_first_clone(
    site: Site, requests: OnDemand
) -> None:
    known = {"templates": ["templates/debian"]}
    manager = await site.start({"debian": 1, "solaris": 1}, provider=known)
    await site.ready("debian", 1)
    await eventually(lambda: _is_broken(site, "solaris", "there is no template 'templates/solaris'"))
    await requests.open("r1", "solaris")
    assert manager.calls("create") == 1
    assert await site.members("pending", "solaris") == []
    assert manager.metric("pool_broken", pool="debian") == 0
    await override(site, "templates/debian")
    await site.ready("solaris", 1)
    await eventually(lambda: _is_broken(site, "solaris", ""))


async def override(site: Site, template: str) -> None:
    await site.store.overrides.override(
        Property.TEMPLATE,
        [PoolChange("solaris", "templates/solaris", template)],
        permission=Permission(),
        operation=new_operation(),
    )


async def _counts(manager: RunningManager, reason: str, times: int) -> bool:
    return (manager.metric("vm_failures_total", reason=reason) or 0) >= times


async def _holds_nothing(site: Site) -> bool:
    return not site.in_cloud()


async def _is_broken(site: Site, pool: str, reason: str) -> bool:
    broken = (await site.numbers(pool)).broken
    return reason in broken if reason else not broken
