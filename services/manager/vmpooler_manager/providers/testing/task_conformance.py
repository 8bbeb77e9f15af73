"""What a driver must do that adds disks, takes snapshots and reverts to them (`Feature.DISKS`, `.SNAPSHOTS`).

Its tests take `TaskConformance` beside `ProviderConformance`, which needs `Subject.disks`.
"""
# ruff: noqa: D102, S101 - these are tests: the name says the promise, an assert holds it

import asyncio
from typing import cast

import pytest

from vmpooler_manager.providers.contract import DiskProvider, Feature, SnapshotProvider, VmRef
from vmpooler_manager.providers.errors import NotFound, PermanentError
from vmpooler_manager.providers.testing.subject import Subject, new_tag, new_task, ready_vm, ref


async def running_vm(subject: Subject) -> VmRef:
    """Make a VM that is switched on and ready."""
    made = await subject.provider.create(subject.pool, new_tag(subject.pool))
    return ref(await ready_vm(subject, made))


async def disks_of(subject: Subject, vm: VmRef) -> list[int]:
    """Ask the cloud for the sizes of the VM's disks, smallest first."""
    assert subject.disks is not None
    return sorted(await subject.disks(vm))


async def add_disk(subject: Subject, vm: VmRef, size: int, task: str | None = None) -> None:
    """Add a disk, by a task of its own unless one is given."""
    await disks_of_driver(subject).add_disk(subject.pool, vm, task=task or new_task(), size=size)


async def take_snapshot(subject: Subject, vm: VmRef) -> str:
    """Take a snapshot; give its name."""
    name = new_task()
    await snapshots_of_driver(subject).snapshot(subject.pool, vm, name=name)
    return name


async def gone_vm(subject: Subject) -> VmRef:
    """Name a VM that was destroyed."""
    vm = await running_vm(subject)
    await subject.provider.destroy(subject.pool, vm)
    return vm


def disks_of_driver(subject: Subject) -> DiskProvider:
    """Give the driver as one that adds disks."""
    assert Feature.DISKS in subject.provider.features
    return cast("DiskProvider", subject.provider)


def snapshots_of_driver(subject: Subject) -> SnapshotProvider:
    """Give the driver as one that takes snapshots."""
    assert Feature.SNAPSHOTS in subject.provider.features
    return cast("SnapshotProvider", subject.provider)


class TaskConformance:
    """For clouds that can add disks, take snapshots and go back to them."""

    async def test_a_disk_is_added_to_those_that_a_vm_has(self, subject: Subject) -> None:
        vm = await running_vm(subject)
        assert await disks_of(subject, vm) == []
        await add_disk(subject, vm, 1)
        await add_disk(subject, vm, 2)
        assert await disks_of(subject, vm) == [1, 2]

    async def test_disks_of_one_size_are_added_as_often_as_they_are_asked_for(self, subject: Subject) -> None:
        vm = await running_vm(subject)
        await add_disk(subject, vm, 1)
        await add_disk(subject, vm, 1)
        assert await disks_of(subject, vm) == [1, 1]

    async def test_a_disk_is_added_to_no_other_vm(self, subject: Subject) -> None:
        one, other = await running_vm(subject), await running_vm(subject)
        await add_disk(subject, one, 1)
        assert await disks_of(subject, other) == []

    async def test_a_disk_asked_for_again_by_the_same_task_is_one_disk(self, subject: Subject) -> None:
        vm, task = await running_vm(subject), new_task()
        await add_disk(subject, vm, 1, task)
        await add_disk(subject, vm, 1, task)
        assert await disks_of(subject, vm) == [1]

    async def test_a_disk_asked_for_twice_at_once_by_the_same_task_is_one_disk(
        self, subject: Subject
    ) -> None:
        vm, task = await running_vm(subject), new_task()
        await asyncio.gather(*(add_disk(subject, vm, 1, task) for _ in range(2)))
        assert await disks_of(subject, vm) == [1]

    async def test_a_snapshot_asked_for_again_by_the_same_task_succeeds(self, subject: Subject) -> None:
        vm = await running_vm(subject)
        name = await take_snapshot(subject, vm)
        await add_disk(subject, vm, 1)
        await snapshots_of_driver(subject).snapshot(subject.pool, vm, name=name)
        await snapshots_of_driver(subject).revert(subject.pool, vm, task=new_task(), snapshot=name)
        assert await disks_of(subject, vm) == []

    async def test_going_back_takes_the_disks_away_that_were_added_since(self, subject: Subject) -> None:
        vm = await running_vm(subject)
        await add_disk(subject, vm, 1)
        name = await take_snapshot(subject, vm)
        await add_disk(subject, vm, 2)
        await snapshots_of_driver(subject).revert(subject.pool, vm, task=new_task(), snapshot=name)
        assert await disks_of(subject, vm) == [1]

    async def test_a_vm_goes_back_to_the_snapshot_that_is_named(self, subject: Subject) -> None:
        vm = await running_vm(subject)
        first = await take_snapshot(subject, vm)
        await add_disk(subject, vm, 1)
        second = await take_snapshot(subject, vm)
        await add_disk(subject, vm, 2)
        for name, disks in ((second, [1]), (first, []), (second, [1])):
            await snapshots_of_driver(subject).revert(subject.pool, vm, task=new_task(), snapshot=name)
            assert await disks_of(subject, vm) == disks

    async def test_going_back_asked_for_again_by_the_same_task_does_nothing(self, subject: Subject) -> None:
        vm, task = await running_vm(subject), new_task()
        name = await take_snapshot(subject, vm)
        await snapshots_of_driver(subject).revert(subject.pool, vm, task=task, snapshot=name)
        await add_disk(subject, vm, 1)
        await snapshots_of_driver(subject).revert(subject.pool, vm, task=task, snapshot=name)
        assert await disks_of(subject, vm) == [1]

    async def test_going_back_to_a_snapshot_that_is_not_there_is_a_permanent_error(
        self, subject: Subject
    ) -> None:
        vm, other = await running_vm(subject), await running_vm(subject)
        others = await take_snapshot(subject, other)
        for name in (new_task(), others):
            with pytest.raises(PermanentError):
                await snapshots_of_driver(subject).revert(subject.pool, vm, task=new_task(), snapshot=name)

    async def test_no_task_can_be_done_to_a_vm_that_is_gone(self, subject: Subject) -> None:
        vm = await gone_vm(subject)
        with pytest.raises(NotFound):
            await add_disk(subject, vm, 1)
        with pytest.raises(NotFound):
            await take_snapshot(subject, vm)
        with pytest.raises(NotFound):
            await snapshots_of_driver(subject).revert(subject.pool, vm, task=new_task(), snapshot=new_task())

    async def test_a_vm_with_disks_and_snapshots_is_destroyed_like_any_other(self, subject: Subject) -> None:
        vm = await running_vm(subject)
        await add_disk(subject, vm, 1)
        await take_snapshot(subject, vm)
        await subject.provider.destroy(subject.pool, vm)
        with pytest.raises(NotFound):
            await subject.provider.inspect(subject.pool, vm)
