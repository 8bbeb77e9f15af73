"""Why a pool is empty: what its manager tells everybody while something fails, and when it works again."""

import pytest

from tests.manager.running_manager import RunningManager
from tests.manager.site import OFTEN, Site
from tests.support.eventually import eventually
from tests.support.faulty_provider import Mood
from vmpooler_common.model.overrides import Property
from vmpooler_common.model.problem import Problem, ProblemKind
from vmpooler_common.store.core.errors import NoneReady
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.pools.overrides import Permission, PoolChange


async def problem(site: Site, pool: str = "debian") -> Problem | None:
    return (await site.numbers(pool)).problem


async def comes(site: Site, kind: ProblemKind, text: str, *, tries: int = 1) -> None:
    """Wait for a problem of this kind that was met so often."""

    async def is_there() -> bool:
        found = await problem(site)
        assert found is not None
        assert (found.kind, found.tries >= tries) == (kind, True), found
        assert text in found.text
        return True

    await eventually(is_there)


async def goes(site: Site) -> None:
    async def is_gone() -> bool:
        return await problem(site) is None

    await eventually(is_gone)


@pytest.mark.parametrize(
    ("call", "mood", "kind"),
    [
        ("create", "fail", ProblemKind.CLONES),
        ("create", "refuse", ProblemKind.BROKEN),
        ("list_vms", "fail", ProblemKind.LISTING),
    ],
)
async def test_what_fails_is_told_while_it_does(site: Site, call: str, mood: Mood, kind: ProblemKind) -> None:
    site.moods.set(**{call: mood})
    manager = await site.start({"debian": 1}, listing=OFTEN, check_loop_delay_max=0.5)
    await comes(site, kind, call)
    first = await problem(site)
    if kind is ProblemKind.CLONES:
        await comes(site, kind, call, tries=3)
        later = await problem(site)
        assert first
        assert later
        assert later.since == first.since
        assert later.next_try is not None
    await eventually(lambda: _is(manager, "pool_problem", 1, pool="debian", kind=kind))
    site.moods.set()
    await site.ready("debian", 1)
    await goes(site)
    assert not manager.metric("pool_problem", pool="debian", kind=kind)


async def test_a_provider_without_a_driver_is_told(site: Site) -> None:
    document = site.document({"debian": 1})
    document["providers"]["dummy"]["provider_class"] = "proxmox"
    await site.start_with(document)
    await comes(site, ProblemKind.PROVIDER, "driver")


async def test_a_new_manager_tells_since_when_and_ends_what_the_old_one_told(site: Site) -> None:
    site.moods.set(create="fail")
    await site.start({"debian": 1}, check_loop_delay_max=0.5)
    await comes(site, ProblemKind.CLONES, "create")
    before = await problem(site)
    await site.stop()
    await site.start({"debian": 1}, check_loop_delay_max=0.5)
    await comes(site, ProblemKind.CLONES, "create")
    after = await problem(site)
    assert before
    assert after
    assert after.since == before.since
    await site.stop()
    site.moods.set()
    await site.start({"debian": 1})
    await site.ready("debian", 1)
    await goes(site)


async def test_vms_that_are_never_ready_are_told(site: Site) -> None:
    await site.start(
        {"debian": {"size": 1, "timeout": 0.02}}, provider={"vmready_min_time": 60, "vmready_max_time": 61}
    )
    await comes(site, ProblemKind.BOOTS, "not ready in time", tries=2)


async def test_vms_that_cannot_be_destroyed_are_told(site: Site) -> None:
    await site.start({"debian": 1})
    await site.ready("debian", 1)
    site.moods.set(destroy="fail")
    await site.release(*await site.take("debian"))
    await comes(site, ProblemKind.DESTROYING, "destroy")
    site.moods.set()
    await site.settled(debian=1)
    await goes(site)


async def test_a_paused_pool_makes_nothing_and_goes_on_with_returns(site: Site) -> None:
    async def pause(reason: str | None) -> None:
        await site.store.overrides.pause("debian", reason, permission=Permission(), operation=new_operation())

    manager = await site.start({"debian": 2, "other": 1})
    first, _ = await site.ready("debian", 2)
    await site.take("debian")
    await site.ready("debian", 2)
    await pause("the template is rebuilt")
    await eventually(lambda: _is(manager, "pool_paused", 1, pool="debian"))
    await site.release(first)
    await eventually(lambda: _is_gone(site, first))
    with pytest.raises(NoneReady):
        await site.take("debian")
    await site.store.overrides.override(  # a larger size is wanted, and nothing made for it
        Property.SIZE, [PoolChange("debian", "2", "4")], permission=Permission(), operation="size"
    )
    await site.take("other")
    await site.settled(other=1)
    numbers = await site.numbers("debian")
    assert (numbers.ready, numbers.pending) == (2, 0)
    await pause(None)
    await site.settled(debian=4, other=1)
    assert manager.metric("pool_paused", pool="debian") == 0


async def _is_gone(site: Site, name: str) -> bool:
    return name not in site.in_cloud()


async def _is(manager: RunningManager, metric: str, value: float, **labels: str) -> bool:
    return manager.metric(metric, **labels) == value
