"""What drivers must do about features that not every cloud has, and about clones that fail late.

A driver's tests take the classes that fit its cloud beside `ProviderConformance`.
"""
# ruff: noqa: D102, S101 - these are tests: the name says the promise, an assert holds it

import asyncio
from typing import cast

import pytest

from vmpooler_manager.providers.contract import (
    CloneSpec,
    Feature,
    MigratingProvider,
    PreparingProvider,
    PurgingProvider,
    VmRef,
)
from vmpooler_manager.providers.errors import CloneFailed, NotFound, PermanentError, TransientError
from vmpooler_manager.providers.testing.subject import (
    INTERVAL,
    Subject,
    listed_ids,
    made_vm,
    new_tag,
    ready_vm,
    ref,
)


class LateFailureConformance:
    """For clouds that accept a clone before they know whether it works; needs `Subject.fail_next_clone`."""

    async def test_a_clone_that_fails_later_says_why_and_leaves_nothing(self, subject: Subject) -> None:
        assert subject.fail_next_clone is not None
        reason = await subject.fail_next_clone()
        tag = new_tag(subject.pool)
        vm = await subject.provider.create(subject.pool, tag)
        async with asyncio.timeout(subject.patience.total_seconds()):
            failure = await self._failure(subject, ref(vm))
        assert reason in str(failure)
        assert isinstance(failure.cause, TransientError | PermanentError)
        assert vm.provider_id not in await listed_ids(subject, subject.pool)
        try:
            found = await subject.provider.find(subject.pool, tag.clone)
        except CloneFailed:
            found = None
        assert found is None
        await subject.provider.destroy(subject.pool, ref(vm))

    @staticmethod
    async def _failure(subject: Subject, vm: VmRef) -> CloneFailed:
        while True:  # a cloud tells nobody when it gives up
            try:
                await subject.provider.inspect(subject.pool, vm)
            except CloneFailed as failure:
                return failure
            await asyncio.sleep(INTERVAL)


def preparing(subject: Subject) -> PreparingProvider:
    """Give the driver as one that prepares pools."""
    assert Feature.PREPARATION in subject.provider.features
    return cast("PreparingProvider", subject.provider)


class PreparationConformance:
    """For drivers with `Feature.PREPARATION`; needs `Subject.unpreparable`."""

    async def test_a_pool_that_can_work_is_prepared_as_often_as_anybody_asks(self, subject: Subject) -> None:
        driver = preparing(subject)
        await driver.prepare(subject.pool)
        await asyncio.gather(*(driver.prepare(subject.pool) for _ in range(3)))
        await made_vm(subject)

    async def test_a_pool_that_can_not_work_is_a_permanent_error_that_names_it(
        self, subject: Subject
    ) -> None:
        assert subject.unpreparable is not None
        with pytest.raises(PermanentError) as refused:
            await preparing(subject).prepare(subject.unpreparable)
        assert subject.unpreparable.name in str(refused.value)


def migrating(subject: Subject) -> MigratingProvider:
    """Give the driver as one that moves VMs."""
    assert Feature.MIGRATION in subject.provider.features
    return cast("MigratingProvider", subject.provider)


class MigrationConformance:
    """For drivers with `Feature.MIGRATION`."""

    async def test_a_vm_is_the_same_and_runs_after_it_was_told_to_move(self, subject: Subject) -> None:
        before = await ready_vm(subject, await made_vm(subject))
        moved = await migrating(subject).migrate(subject.pool, ref(before))
        seen = await ready_vm(subject, before)
        assert (moved.provider_id, moved.tag) == (before.provider_id, before.tag)
        assert moved.host
        assert seen.host == moved.host

    async def test_a_vm_that_is_gone_can_not_be_moved(self, subject: Subject) -> None:
        vm = await made_vm(subject)
        await subject.provider.destroy(subject.pool, ref(vm))
        with pytest.raises(NotFound):
            await migrating(subject).migrate(subject.pool, ref(vm))


def purging(subject: Subject) -> PurgingProvider:
    """Give the driver as one that knows unused places."""
    assert Feature.PURGE in subject.provider.features
    return cast("PurgingProvider", subject.provider)


class PurgeConformance:
    """For drivers with `Feature.PURGE`; `elsewhere` must be below the provider's own places."""

    async def test_a_place_that_no_pool_uses_is_told_with_its_vms(self, subject: Subject) -> None:
        driver = purging(subject)
        vm = await made_vm(subject)
        assert vm.provider_id in await self._unreferenced(subject, subject.elsewhere.name)
        assert vm.provider_id not in await self._unreferenced(subject, subject.pool.name)
        for place in await driver.unreferenced([subject.elsewhere]):
            if vm.provider_id in {one.provider_id for one in place.vms}:
                there = CloneSpec("gone", template="", options=place.options)
                assert vm.provider_id in await listed_ids(subject, there)
                await driver.remove_place(place)  # it isn't empty
        assert (await subject.provider.inspect(subject.pool, ref(vm))).provider_id == vm.provider_id

    async def test_an_empty_place_is_removed_and_used_again(self, subject: Subject) -> None:
        driver = purging(subject)
        vm = await made_vm(subject)
        places = await driver.unreferenced([subject.elsewhere])
        [place] = [place for place in places if vm.provider_id in {one.provider_id for one in place.vms}]
        await subject.provider.destroy(subject.pool, ref(vm))
        for _ in range(2):
            await driver.remove_place(place)
        assert place.name not in {one.name for one in await driver.unreferenced([subject.elsewhere])}
        if Feature.PREPARATION in subject.provider.features:
            await cast("PreparingProvider", subject.provider).prepare(subject.pool)
            await made_vm(subject)

    async def _unreferenced(self, subject: Subject, used: str) -> set[str]:
        pools = [pool for pool in (subject.pool, subject.elsewhere) if pool.name == used]
        places = await purging(subject).unreferenced(pools)
        return {vm.provider_id for place in places for vm in place.vms}
