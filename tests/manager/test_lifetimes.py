"""How VMs end: returned, too old, out of time, never ready."""

from datetime import timedelta

from tests.manager.running_manager import RunningManager
from tests.manager.site import OFTEN, Site
from tests.support.eventually import eventually

SHORT = timedelta(milliseconds=300)


async def test_a_returned_vm_is_destroyed_and_gone_from_the_cloud(site: Site) -> None:
    await site.start({"debian": 1})
    await site.ready("debian", 1)
    (taken,) = await site.take("debian")
    await site.ready("debian", 1)
    await site.release(taken)
    await site.becomes(taken, "gone")
    assert taken not in site.in_cloud()
    await site.settled(debian=1)


async def test_a_vm_that_was_ready_for_too_long_is_replaced(site: Site) -> None:
    manager = await site.start({"debian": {"size": 1, "ready_ttl": 0.01}})
    (first,) = await site.ready("debian", 1)
    await site.becomes(first, "gone")
    assert await site.reason(first) == "expired_ready"
    assert (manager.metric("vm_failures_total", pool="debian", reason="expired_ready") or 0) >= 1
    assert first not in site.in_cloud()


async def test_a_running_vm_ends_with_its_lifetime_and_one_without_end_does_not(site: Site) -> None:
    await site.start({"debian": 2})
    await site.ready("debian", 2)
    (mortal,) = await site.take("debian", lifetime=SHORT)
    (immortal,) = await site.take("debian", lifetime=None)
    await site.becomes(mortal, "gone")
    assert await site.reason(mortal) == "lifetime over"
    assert await site.state(immortal) == "running"
    assert immortal in site.in_cloud()


async def test_a_running_vm_is_not_recycled_for_its_age(site: Site) -> None:
    await site.start({"debian": {"size": 1, "ready_ttl": 0.01}})
    await site.ready("debian", 1)
    (taken,) = await site.take("debian")
    (fresh,) = await site.ready("debian", 1)
    await site.becomes(fresh, "gone")
    assert await site.state(taken) == "running"


async def test_a_vm_that_is_never_ready_is_given_up_at_its_timeout_and_replaced(site: Site) -> None:
    manager = await site.start(
        {"debian": {"size": 1, "timeout": 0.01}}, provider={"vmready_fail_percent": 100}
    )

    async def pending() -> list[str]:
        return await site.members("pending", "debian")

    (first, *_) = await eventually(pending)
    await site.becomes(first, "gone")
    assert await site.reason(first) == "clone_timeout"
    assert first not in site.in_cloud()
    assert (manager.metric("vm_failures_total", reason="clone_timeout") or 0) >= 1
    assert first not in await eventually(pending)


async def test_a_vm_that_is_switched_off_while_it_boots_is_replaced(site: Site) -> None:
    await site.start({"debian": 1}, provider={"vmready_max_time": 1_000, "seed": 1})

    async def booting() -> str:
        return next((row["id"] for row in site.cloud.vms()), "")

    first = await eventually(booting)
    site.cloud.change(first, powered_on=0)

    async def replaced() -> bool:
        return first not in {row["id"] for row in site.cloud.vms()}

    await eventually(replaced)


async def test_a_ready_vm_that_is_switched_off_is_replaced(site: Site) -> None:
    manager = await site.start({"debian": 2}, listing=OFTEN)
    dark, lit = await site.ready("debian", 2)
    site.cloud.change(site.row(dark)["id"], powered_on=0)
    await site.becomes(dark, "gone")
    assert await site.reason(dark) == "powered_off"
    assert lit in await site.ready("debian", 2)
    assert manager.metric("vm_failures_total", reason="powered_off") == 1


async def test_a_running_vm_that_is_switched_off_is_its_users_business(site: Site) -> None:
    manager = await site.start({"debian": 2}, listing=OFTEN)
    await site.ready("debian", 2)
    (taken,) = await site.take("debian")
    (dark, _) = await site.ready("debian", 2)
    for name in (taken, dark):
        site.cloud.change(site.row(name)["id"], powered_on=0)
    await site.becomes(dark, "gone")
    assert await site.state(taken) == "running"
    assert taken in site.in_cloud()
    assert manager.metric("vm_failures_total") == 1


async def test_a_destruction_that_fails_is_tried_again(site: Site) -> None:
    manager = await site.start({"debian": 1})
    await site.ready("debian", 1)
    (taken,) = await site.take("debian")
    site.moods.set(destroy="fail")
    await site.release(taken)
    await eventually(lambda: _tried(manager, "destroy", 3))
    assert taken in site.in_cloud()
    site.moods.set()
    await site.becomes(taken, "gone")


async def _tried(manager: RunningManager, operation: str, times: int) -> bool:
    return manager.calls(operation) >= times
