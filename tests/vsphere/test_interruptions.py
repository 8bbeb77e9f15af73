"""Whatever ends between two calls to vCenter, the manager or the way there: nothing is lost or done twice."""

import asyncio
import uuid
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.vsphere.simulated import Simulator, driver, in_thread, pool
from tests.vsphere.wire import Wire
from vmpooler_manager.providers.contract import Provider, VmStatus
from vmpooler_manager.providers.testing.subject import Subject, made_vm, new_tag, ready_vm, ref
from vmpooler_manager.providers.vsphere.provider import VsphereProvider

POOL = pool("interrupted")


async def cut_short(provider: VsphereProvider, work: Any, *, calls: int) -> bool:
    """End `work` once so many calls were sent to vCenter; False when it had ended before."""
    wanted = provider.calls + calls
    task = asyncio.create_task(work)
    while provider.calls < wanted and not task.done():  # noqa: ASYNC110 - nobody tells of calls
        await asyncio.sleep(0)
    was_cut = not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await provider.close()  # what was sent reaches vCenter all the same
    return was_cut


async def test_no_loss_of_the_way_to_vcenter_makes_a_clone_a_failed_one(vcenter: Simulator) -> None:
    async with Wire(vcenter.port) as wire, driver(vcenter, port=wire.port, max_tries=1) as provider:
        await provider.prepare(POOL)
        tag = new_tag(POOL)
        made = await provider.create(POOL, tag)
        wire.cut()
        for _ in range(5):
            await asyncio.sleep(0.3)
            assert (await provider.inspect(POOL, ref(made))).status is VmStatus.CLONING
        wire.mend()
        ready = await ready_vm(Subject(provider, POOL, POOL), made)
        assert ready.tag == tag
        await provider.destroy(POOL, ref(ready))


@pytest.mark.parametrize("calls", range(1, 8))
async def test_a_clone_whose_client_ends_at_any_call_is_found_and_finished(
    vcenter: Simulator, calls: int
) -> None:
    tag = new_tag(POOL)
    async with driver(vcenter) as first:
        await first.prepare(POOL)

        async def clone() -> None:
            await ready_vm(Subject(first, POOL, POOL), await first.create(POOL, tag))

        await cut_short(first, clone(), calls=calls)
    async with driver(vcenter) as second:
        found = await second.find(POOL, tag.clone)
        if found is None:  # the session had ended before the call was sent
            assert calls == 1
            return
        ready = await ready_vm(Subject(second, POOL, POOL), found)
        assert ready.tag == tag
        await second.destroy(POOL, ref(ready))


async def test_a_way_back_whose_client_ends_at_any_call_happens_once_and_keeps_tag_and_notes(
    vcenter: Simulator,
) -> None:
    calls = 0
    async with driver(vcenter) as second:
        await second.prepare(POOL)
        vm = await made_vm(Subject(second, POOL, POOL))
        assert vm.tag is not None
        tag = replace(vm.tag, owner="alice", ends_at=datetime(2031, 1, 1, tzinfo=UTC))
        goal, one = ref(vm), uuid.uuid4().hex
        await second.snapshot(POOL, goal, name=one)
        await second.annotate(POOL, goal, tag)
        was_cut = True
        while was_cut:
            calls += 1
            task, disks = uuid.uuid4().hex, [uuid.uuid4().hex for _ in range(2)]
            await second.add_disk(POOL, goal, task=disks[0], size=1)
            async with driver(vcenter) as first:
                await first.inspect(POOL, goal)
                was_cut = await cut_short(
                    first, first.revert(POOL, goal, task=task, snapshot=one), calls=calls
                )
            has_gone_back = not await in_thread(vcenter.added_disks, goal)
            if has_gone_back:  # what the user does from here on is safe
                await second.add_disk(POOL, goal, task=disks[1], size=2)
            await again(second, vm_ref=goal, task=task, snapshot=one)
            assert await in_thread(vcenter.added_disks, goal) == ([2] if has_gone_back else [])
            assert (await second.inspect(POOL, goal)).tag == tag
            await second.add_disk(POOL, goal, task=disks[0], size=1)  # is noted as done
            assert await in_thread(vcenter.added_disks, goal) == ([2] if has_gone_back else [])
            names = await in_thread(lambda: [tree.name for tree in all_trees(vcenter, goal.provider_id)])
            assert names == [one]
        await second.destroy(POOL, goal)
    assert calls > 8


async def again(provider: Provider, *, vm_ref: Any, task: str, snapshot: str) -> None:
    """Go back by the same task, and once more."""
    for _ in range(2):
        await provider.revert(POOL, vm_ref, task=task, snapshot=snapshot)  # type: ignore[attr-defined]


def all_trees(vcenter: Simulator, id_: str) -> list[Any]:
    """List a VM's snapshots, however deep."""
    found, rest = [], list(vcenter.vm(id_).snapshot.rootSnapshotList)
    while rest:
        found.append(rest.pop(0))
        rest += found[-1].childSnapshotList
    return found
