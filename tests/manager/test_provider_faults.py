"""Clouds that refuse, fail, throttle, hang or aren't there."""

import asyncio

from tests.manager.running_manager import RunningManager
from tests.manager.site import OFTEN, Site
from tests.support.eventually import eventually
from tests.support.faulty_provider import DRIVER


async def test_a_provider_without_a_driver_breaks_its_pools_and_no_others(site: Site) -> None:
    document = site.document({"debian": 1, "windows": {"size": 1, "provider": "vsphere"}})
    document["providers"]["vsphere"] = {"provider_class": "proxmox"}
    manager = await site.start_with(document)
    await site.ready("debian", 1)
    await eventually(lambda: _is_broken(site, "windows", "driver"))
    await eventually(lambda: _metric_is(manager, "pool_broken", 1, pool="windows"))
    assert manager.metric("pool_broken", pool="debian") == 0
    assert (await site.numbers("debian")).broken == ""
    assert await site.members("pending", "windows") == []


async def test_a_driver_that_fails_when_it_is_made_breaks_its_pools_and_no_others(site: Site) -> None:
    document = site.document({"debian": 1, "windows": {"size": 1, "provider": "second"}})
    document["providers"]["second"] = {"provider_class": DRIVER}  # which looks for `moods`, and falls over
    await site.start_with(document)
    await site.ready("debian", 1)
    await eventually(lambda: _is_broken(site, "windows", "KeyError: 'moods'"))
    assert (await site.numbers("debian")).broken == ""


async def test_clones_that_all_fail_are_tried_less_and_less_and_again_when_they_work(site: Site) -> None:
    site.moods.set(create="fail")
    manager = await site.start({"debian": 2}, check_loop_delay_min=0.3, check_loop_delay_decay=3)
    began = asyncio.get_running_loop().time()
    await eventually(lambda: _called(manager, "create", 6))
    assert manager.calls("create") <= 2 * _rounds(asyncio.get_running_loop().time() - began)
    site.moods.set()
    await site.settled(debian=2)
    assert (await site.numbers("debian")).broken == ""
    assert site.in_cloud() == set(await site.members("ready", "debian"))


async def test_vms_that_all_break_while_they_boot_are_made_less_and_less_often(site: Site) -> None:
    manager = await site.start(
        {"debian": 2},
        provider={"getvm_poweroff_percent": 100, "vmready_max_time": 0.3},
        check_loop_delay_min=0.3,
        check_loop_delay_decay=3,
    )
    began = asyncio.get_running_loop().time()
    await eventually(lambda: _called(manager, "create", 6))
    assert manager.calls("create") <= 2 * _rounds(asyncio.get_running_loop().time() - began)


async def test_a_clone_that_can_never_work_breaks_its_pool_until_it_does(site: Site) -> None:
    site.moods.set(create="refuse")
    manager = await site.start({"debian": 1}, check_loop_delay_max=1)
    await eventually(lambda: _is_broken(site, "debian", "told to refuse create"))
    await eventually(lambda: _metric_is(manager, "pool_broken", 1, pool="debian"))
    site.moods.set()
    await site.settled(debian=1)
    await eventually(lambda: _is_mended(site, "debian"))
    await eventually(lambda: _metric_is(manager, "pool_broken", 0, pool="debian"))


async def test_a_listing_that_can_never_work_breaks_its_pool_until_it_does(site: Site) -> None:
    site.moods.set(list_vms="refuse")
    await site.start({"debian": 1}, listing=OFTEN, check_loop_delay_max=1)
    await eventually(lambda: _is_broken(site, "debian", "told to refuse list_vms"))
    assert len(await site.ready("debian", 1)) == 1
    site.moods.set()
    await eventually(lambda: _is_mended(site, "debian"))


async def test_clones_that_fail_after_the_vm_was_made_leave_nothing_behind(site: Site) -> None:
    manager = await site.start({"debian": 1}, provider={"createvm_orphan_percent": 100})
    await eventually(lambda: _called(manager, "create", 2))
    await site.stop()
    await site.start({"debian": 1})
    await site.settled(debian=1)
    assert site.in_cloud() == set(await site.members("ready", "debian"))


async def test_a_cloud_that_throttles_is_asked_again_when_it_is_ready(site: Site) -> None:
    """Nothing but the end of the pause asks for the next pass."""
    site.moods.set(create="throttle")
    manager = await site.start({"debian": 1, "ubuntu": 1})
    await eventually(lambda: _called(manager, "create", 1))
    site.moods.set()
    await site.settled(debian=1, ubuntu=1)
    assert (manager.metric("provider_calls_total", result="throttled") or 0) >= 1


async def test_calls_that_throttle_now_and_then_only_take_longer(site: Site) -> None:
    await site.start({"debian": 3}, provider={"throttle_percent": 20, "seed": 4})
    await site.settled(debian=3)


async def test_a_call_that_hangs_ends_at_the_deadline_and_the_pool_is_filled(site: Site) -> None:
    site.moods.set(create="hang")
    manager = await site.start({"debian": 1}, provider={"operation_timeout": 0.3})
    await eventually(lambda: _result(manager, "timeout"))
    site.moods.set()
    await site.settled(debian=1)


async def test_a_listing_that_hangs_hinders_nothing_else(site: Site) -> None:
    site.moods.set(list_vms="hang")
    manager = await site.start({"debian": 1}, listing=OFTEN)
    await site.ready("debian", 1)
    before = manager.metric("pool_check_seconds_count") or 0
    await site.take("debian")
    await site.ready("debian", 1)
    assert (manager.metric("pool_check_seconds_count") or 0) - before < 20
    assert manager.calls("list_vms") == 0


async def test_a_single_connection_serves_everybody_in_turn(site: Site) -> None:
    provider = {"connection_pool_size": 1, "destroyvm_max_time": 0.2, "connection_pool_timeout": 20}
    manager = await site.start({"debian": 3}, provider=provider)
    await site.ready("debian", 3)
    taken = await site.take("debian", 3)
    await site.release(*taken)
    await site.settled(debian=3)
    assert manager.metric("connection_waited_seconds_count", type="provider_connection_pool")
    for name in taken:
        assert await site.state(name) == "gone"


async def test_calls_that_find_no_connection_in_time_are_made_later(site: Site) -> None:
    provider = {"connection_pool_size": 1, "destroyvm_max_time": 1, "connection_pool_timeout": 0.05}
    manager = await site.start({"debian": 3}, provider=provider)
    await site.settled(debian=3)
    await site.release(*await site.take("debian", 3))
    await site.settled(debian=3)
    assert (manager.metric("provider_calls_total", result="transient") or 0) >= 1


async def test_looks_at_a_new_vm_that_fail_conclude_nothing(site: Site) -> None:
    site.moods.set(inspect="fail")
    manager = await site.start({"debian": 1}, provider={"createvm_max_time": 0.5})
    await eventually(lambda: _called(manager, "inspect", 2))
    (begun,) = site.in_cloud()
    site.moods.set()
    assert await site.ready("debian", 1) == [begun]


async def test_a_look_for_a_failed_clone_that_fails_is_repeated(site: Site) -> None:
    site.moods.set(create="fail", find="fail")
    manager = await site.start({"debian": 1})
    await eventually(lambda: _called(manager, "find", 2))
    site.moods.set()
    await site.settled(debian=1)


def _rounds(elapsed: float) -> int:
    """Count the attempts that shortest delays of 0.24 s, growing by 3, allow in so many seconds."""
    rounds, pause = 1, 0.24
    while elapsed >= pause:
        elapsed -= pause
        pause *= 3
        rounds += 1
    return rounds


async def _is_broken(site: Site, pool: str, reason: str) -> bool:
    return reason in (await site.numbers(pool)).broken


async def _is_mended(site: Site, pool: str) -> bool:
    return (await site.numbers(pool)).broken == ""


async def _metric_is(manager: RunningManager, name: str, value: float, **labels: str) -> bool:
    return manager.metric(name, **labels) == value


async def _called(manager: RunningManager, operation: str, times: int) -> bool:
    return manager.calls(operation) >= times


async def _result(manager: RunningManager, result: str) -> bool:
    return bool(manager.metric("provider_calls_total", result=result))
