"""On-demand requests are met: with what is ready or with clones, users in turn."""

from datetime import timedelta

from tests.manager.ondemand_requests import OnDemand
from tests.manager.running_manager import RunningManager
from tests.manager.site import Site
from tests.support.eventually import eventually
from vmpooler_common.model.vm import VmRecord


async def record_of(site: Site, name: str) -> VmRecord:
    record, _ = await site.store.checkouts.look_up(name)
    assert record is not None
    return record


async def waits(manager: RunningManager, source: str) -> float:
    return manager.metric("ondemand_wait_seconds_count", source=source) or 0


async def test_a_request_is_met_by_pools_that_keep_nothing(site: Site, requests: OnDemand) -> None:
    manager = await site.start({"debian": 0, "windows": 0})
    await requests.open("r", "debian", "windows", "debian")
    vms = await requests.ready("r")
    assert [(await record_of(site, vm)).pool for vm in vms] == ["debian", "windows", "debian"]
    assert {await site.state(vm) for vm in vms} == {"running"}
    assert site.in_cloud() == set(vms)
    await eventually(lambda: _metric_is(manager, "pool_backlog", 0))
    assert (await waits(manager, "cold"), await waits(manager, "warm")) == (3, 0)
    await site.settled(debian=0, windows=0)
    assert manager.calls("create") == 3


async def test_a_request_that_came_before_the_manager_is_met(site: Site, requests: OnDemand) -> None:
    await requests.open("r", "debian")
    await site.start({"debian": 0})
    await requests.ready("r")


async def test_ready_vms_go_to_a_request_and_are_replaced(site: Site, requests: OnDemand) -> None:
    manager = await site.start({"debian": 2})
    before = await site.ready("debian", 2)
    await requests.open("r", "debian", "debian", "debian")
    vms = await requests.ready("r")
    assert set(before) < set(vms)
    after = await site.ready("debian", 2)
    assert not set(after) & set(vms)
    assert (await waits(manager, "warm"), await waits(manager, "cold")) == (2, 1)


async def test_grants_are_counted_by_user_where_that_is_configured(site: Site, requests: OnDemand) -> None:
    manager = await site.start({"debian": 1}, usage_stats=True)
    await site.ready("debian", 1)
    await requests.open("r", "debian", "debian", token=await requests.token("ann"))
    await requests.ready("r")
    labels = {"user": "ann", "operation": "allocate", "pool": "debian"}
    await eventually(lambda: _metric_is(manager, "user_total", 2, **labels))


async def test_grants_are_not_counted_by_user_otherwise(site: Site, requests: OnDemand) -> None:
    manager = await site.start({"debian": 0})
    await requests.open("r", "debian")
    await requests.ready("r")
    await eventually(lambda: _metric_is(manager, "ondemand_wait_seconds_count", 1))
    assert manager.metric("user_total") is None


async def test_ready_vms_are_kept_for_checkouts_where_that_is_configured(
    site: Site, requests: OnDemand
) -> None:
    manager = await site.start({"debian": 2}, ondemand_from_ready=False)
    before = await site.ready("debian", 2)
    await requests.open("r", "debian", "debian")
    vms = await requests.ready("r")
    assert not set(before) & set(vms)
    assert await site.ready("debian", 2) == before
    assert (await waits(manager, "warm"), await waits(manager, "cold")) == (0, 2)


async def test_what_a_pool_has_too_many_serves_a_request_in_any_case(site: Site, requests: OnDemand) -> None:
    await site.start({"debian": 3})
    before = await site.ready("debian", 3)
    await site.stop()
    await requests.open("r", "debian")
    await site.store.backlog.accept("r")
    await site.start({"debian": 2}, ondemand_from_ready=False)
    assert await requests.ready("r") == before[:1]
    assert await site.ready("debian", 2) == before[1:]


async def test_a_small_request_is_not_behind_all_of_a_large_one(site: Site, requests: OnDemand) -> None:
    await site.start({"debian": 0}, ondemand_clone_limit=2, provider={"createvm_max_time": 0.3, "seed": 5})
    await requests.open("large", *["debian"] * 20, token=await requests.token("ann"))
    await eventually(lambda: requests.is_accepted("large"))
    await requests.open("small", "debian", token=await requests.token("bob"))
    (mine,) = await requests.ready("small")
    theirs = [item.vm for item in (await requests.show("large")).items if item.vm]
    assert len(theirs) < 10
    assert len(await requests.ready("large")) == 20
    assert mine not in theirs


async def test_a_user_is_served_first_come_first_served(site: Site, requests: OnDemand) -> None:
    site.moods.set(create="fail")
    await site.start({"debian": 0}, max_vm_retries=1000, check_loop_delay_max=0.5)
    token = await requests.token("ann")
    for request in ("first", "second", "third"):
        await requests.open(request, "debian", token=token)
        await site.store.backlog.accept(request)
    site.moods.set()
    names = [(await requests.ready(request))[0] for request in ("first", "second", "third")]
    taken = [(await record_of(site, name)).checked_out_at for name in names]
    assert taken == sorted(taken, key=lambda at: at.timestamp() if at else 0)


async def test_the_token_decides_user_and_lifetime(site: Site, requests: OnDemand) -> None:
    await site.start({"debian": 0})
    await requests.open("with", "debian", token=await requests.token("ann"))
    await requests.open("without", "debian")
    await requests.open("endless", "debian", lifetime=None)
    (mine,), (anybodys,), (endless,) = [
        await requests.ready(request) for request in ("with", "without", "endless")
    ]
    found = {name: await record_of(site, name) for name in (mine, anybodys, endless)}
    assert [record.user for record in found.values()] == ["ann", None, None]
    assert [record.has_token for record in found.values()] == [True, False, False]
    lifetimes = [
        record.ends_at - record.checked_out_at if record.ends_at and record.checked_out_at else None
        for record in found.values()
    ]
    assert lifetimes == [timedelta(hours=2), timedelta(hours=1), None]


async def test_the_owner_of_a_vm_that_was_made_on_demand_is_written_on_its_tag(
    site: Site, requests: OnDemand
) -> None:
    await site.start({"debian": 0})
    await requests.open("r", "debian", token=await requests.token("ann"))
    (name,) = await requests.ready("r")

    async def noted() -> bool:
        return bool(site.row(name)["tag_owner"] == "ann")

    await eventually(noted)


async def test_a_vm_that_was_made_on_demand_ends_with_its_lifetime(site: Site, requests: OnDemand) -> None:
    await site.start({"debian": 0})
    await requests.open("r", "debian", lifetime=timedelta(seconds=1))
    (name,) = await requests.ready("r")
    await site.becomes(name, "gone")
    assert await site.reason(name) == "lifetime over"
    assert site.in_cloud() == set()


async def _metric_is(manager: RunningManager, name: str, value: float, **labels: str) -> bool:
    return manager.metric(name, **labels) == value
