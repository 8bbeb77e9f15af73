"""What every driver must do, one test for each promise of the contract.

A test module of this form holds a driver to it:

    class TestMyDriver(ProviderConformance, SharedPlaceConformance):
        @pytest.fixture
        async def subject(self) -> AsyncIterator[Subject]:
            ...
            yield Subject(provider=provider, pool=pool, elsewhere=elsewhere, neighbour=neighbour)

The suite makes VMs for a made-up installation in the places that it is given, and destroys them again.
It needs no empty cloud, and never touches a VM that it didn't make.
"""
# ruff: noqa: D102, S101 - these are tests: the name says the promise, an assert holds it

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from vmpooler_manager.providers.contract import Feature, VmStatus
from vmpooler_manager.providers.errors import NotFound
from vmpooler_manager.providers.testing.subject import (
    INSTALLATION,
    Subject,
    another_attempt,
    found_vm,
    is_usable_address,
    listed,
    listed_ids,
    made_vm,
    new_tag,
    ready_vm,
    ref,
)

METHODS = {
    Feature.DISKS: ("add_disk",),
    Feature.SNAPSHOTS: ("snapshot", "revert"),
    Feature.PREPARATION: ("prepare",),
    Feature.MIGRATION: ("migrate",),
    Feature.PURGE: ("unreferenced", "remove_place"),
}


class ProviderConformance:
    """Subclass it in a test module and give it the fixture `subject`."""

    @pytest.fixture(autouse=True)
    async def _leave_nothing_behind(self, subject: Subject) -> AsyncIterator[None]:
        yield
        for pool in (subject.pool, subject.elsewhere):
            while ours := [
                vm
                for vm in (await listed(subject.provider, pool)).values()
                if vm.tag is not None and vm.tag.installation == INSTALLATION
            ]:
                await asyncio.gather(*(subject.provider.destroy(pool, ref(vm)) for vm in ours))

    # Making

    async def test_a_new_vm_carries_its_name_its_tag_and_an_id(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        vm = await subject.provider.create(subject.pool, tag)
        assert (vm.name, vm.tag) == (tag.name, tag)
        assert vm.provider_id

    async def test_a_new_vm_is_switched_on_and_gets_an_address(self, subject: Subject) -> None:
        vm = await subject.provider.create(subject.pool, new_tag(subject.pool))
        ready = await ready_vm(subject, vm)
        assert is_usable_address(ready.ip)

    async def test_vms_made_at_the_same_time_are_different_ones(self, subject: Subject) -> None:
        tags = [new_tag(subject.pool) for _ in range(5)]
        vms = await asyncio.gather(*(subject.provider.create(subject.pool, tag) for tag in tags))
        assert len({vm.provider_id for vm in vms}) == 5
        assert [vm.tag for vm in vms] == tags

    async def test_booted_vms_have_different_addresses(self, subject: Subject) -> None:
        vms = [await subject.provider.create(subject.pool, new_tag(subject.pool)) for _ in range(3)]
        assert len({(await ready_vm(subject, vm)).ip for vm in vms}) == 3

    async def test_an_id_is_not_used_again_for_a_vm_of_the_same_name(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        first = await subject.provider.create(subject.pool, tag)
        await subject.provider.destroy(subject.pool, ref(first))
        second = await subject.provider.create(subject.pool, another_attempt(tag))
        assert second.provider_id != first.provider_id

    async def test_the_grace_of_a_create_is_a_duration(self, subject: Subject) -> None:
        assert subject.provider.create_grace >= timedelta(0)

    # Features

    async def test_a_driver_has_the_methods_of_the_features_that_it_declares(self, subject: Subject) -> None:
        for feature in subject.provider.features:
            for method in METHODS[feature]:
                assert callable(getattr(subject.provider, method, None)), f"{feature}: {method}"

    async def test_the_settings_declare_the_same_features(self, subject: Subject) -> None:
        if subject.settings is not None:
            assert subject.settings.features == subject.provider.features

    # Finding and inspecting

    async def test_a_vm_is_found_by_its_name_and_attempt(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        made = await subject.provider.create(subject.pool, tag)
        found = await found_vm(subject, tag)
        assert (found.provider_id, found.name, found.tag) == (made.provider_id, tag.name, tag)

    async def test_a_name_that_was_never_used_is_not_found(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        assert await subject.provider.find(subject.pool, tag.clone) is None

    async def test_a_vm_is_not_found_by_another_attempt(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        await subject.provider.create(subject.pool, tag)
        await found_vm(subject, tag)
        assert await subject.provider.find(subject.pool, another_attempt(tag).clone) is None

    async def test_inspecting_tells_who_a_vm_is(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        made = await subject.provider.create(subject.pool, tag)
        seen = await subject.provider.inspect(subject.pool, ref(made))
        assert (seen.provider_id, seen.name, seen.tag) == (made.provider_id, tag.name, tag)

    async def test_inspecting_a_vm_that_is_gone_says_not_found(self, subject: Subject) -> None:
        vm = await subject.provider.create(subject.pool, new_tag(subject.pool))
        await subject.provider.destroy(subject.pool, ref(vm))
        with pytest.raises(NotFound):
            await subject.provider.inspect(subject.pool, ref(vm))

    async def test_a_listing_holds_every_vm_with_its_tag(self, subject: Subject) -> None:
        tags = [new_tag(subject.pool) for _ in range(3)]
        made = [await subject.provider.create(subject.pool, tag) for tag in tags]
        for tag in tags:
            await found_vm(subject, tag)
        seen = await listed(subject.provider, subject.pool)
        assert [seen[vm.provider_id].tag for vm in made] == tags

    async def test_a_listing_holds_no_vm_of_another_place(self, subject: Subject) -> None:
        vm = await subject.provider.create(subject.pool, new_tag(subject.pool))
        assert vm.provider_id not in await listed_ids(subject, subject.elsewhere)

    async def test_a_listing_tells_status_and_address_as_inspecting_does(self, subject: Subject) -> None:
        vm = await subject.provider.create(subject.pool, new_tag(subject.pool))
        inspected = await ready_vm(subject, vm)
        seen = (await listed(subject.provider, subject.pool))[vm.provider_id]
        assert (seen.status, seen.ip) == (VmStatus.RUNNING, inspected.ip)

    async def test_every_listing_shows_what_was_done_before_it_began(self, subject: Subject) -> None:
        kept, tag = await made_vm(subject), new_tag(subject.pool)
        assert kept.tag is not None
        for turn in range(5):
            changed = replace(kept.tag, owner=f"user {turn}")
            await subject.provider.annotate(subject.pool, ref(kept), changed)
            other = await made_vm(subject, another_attempt(tag))
            seen = await listed(subject.provider, subject.pool)
            assert seen[kept.provider_id].tag == changed
            assert other.provider_id in seen
            await subject.provider.destroy(subject.pool, ref(other))
            assert other.provider_id not in await listed_ids(subject, subject.pool)

    # Tagging

    async def test_find_inspect_and_list_show_a_new_tag(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        vm = await made_vm(subject, tag)
        changed = replace(tag, owner="joe", ends_at=datetime(2031, 5, 6, 7, 8, 9, tzinfo=UTC))
        await subject.provider.annotate(subject.pool, ref(vm), changed)
        inspected = await subject.provider.inspect(subject.pool, ref(vm))
        found = await subject.provider.find(subject.pool, tag.clone)
        seen = await listed(subject.provider, subject.pool)
        assert found is not None
        assert [inspected.tag, found.tag, seen[vm.provider_id].tag] == [changed] * 3

    async def test_a_tag_keeps_unusual_characters(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        vm = await made_vm(subject, tag)
        odd = replace(tag, owner='Zoë "O\'Neil" <ci=build;%20>, \\ {} 東京')
        await subject.provider.annotate(subject.pool, ref(vm), odd)
        assert (await subject.provider.inspect(subject.pool, ref(vm))).tag == odd

    async def test_a_vm_that_is_gone_can_not_be_tagged(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        vm = await subject.provider.create(subject.pool, tag)
        await subject.provider.destroy(subject.pool, ref(vm))
        with pytest.raises(NotFound):
            await subject.provider.annotate(subject.pool, ref(vm), tag)

    # Destroying

    async def test_a_destroyed_vm_is_neither_found_nor_listed(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        vm = await made_vm(subject, tag)
        await subject.provider.destroy(subject.pool, ref(vm))
        assert await subject.provider.find(subject.pool, tag.clone) is None
        assert vm.provider_id not in await listed_ids(subject, subject.pool)

    async def test_a_vm_that_is_still_cloning_can_be_destroyed(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        vm = await subject.provider.create(subject.pool, tag)
        await subject.provider.destroy(subject.pool, ref(vm))
        assert await subject.provider.find(subject.pool, tag.clone) is None
        assert vm.provider_id not in await listed_ids(subject, subject.pool)

    async def test_destroying_leaves_the_other_vms(self, subject: Subject) -> None:
        kept, destroyed = [
            await subject.provider.create(subject.pool, new_tag(subject.pool)) for _ in range(2)
        ]
        await subject.provider.destroy(subject.pool, ref(destroyed))
        assert (await subject.provider.inspect(subject.pool, ref(kept))).provider_id == kept.provider_id

    async def test_destroying_a_vm_that_is_gone_succeeds(self, subject: Subject) -> None:
        vm = await subject.provider.create(subject.pool, new_tag(subject.pool))
        await subject.provider.destroy(subject.pool, ref(vm))
        await subject.provider.destroy(subject.pool, ref(vm))

    async def test_destroying_never_touches_a_later_vm_of_the_same_name(self, subject: Subject) -> None:
        tag = new_tag(subject.pool)
        first = await subject.provider.create(subject.pool, tag)
        await subject.provider.destroy(subject.pool, ref(first))
        second = await subject.provider.create(subject.pool, another_attempt(tag))
        await subject.provider.destroy(subject.pool, ref(first))
        seen = await subject.provider.inspect(subject.pool, ref(second))
        assert seen.provider_id == second.provider_id

    async def test_destroying_a_vm_twice_at_once_succeeds_both_times(self, subject: Subject) -> None:
        vm = await subject.provider.create(subject.pool, new_tag(subject.pool))
        await asyncio.gather(*(subject.provider.destroy(subject.pool, ref(vm)) for _ in range(2)))
        with pytest.raises(NotFound):
            await subject.provider.inspect(subject.pool, ref(vm))

    # Cancelled calls

    async def test_calls_that_are_cancelled_leave_nothing_locked(self, subject: Subject) -> None:
        vm = await subject.provider.create(subject.pool, new_tag(subject.pool))
        for turns in range(20):
            calls = [
                asyncio.ensure_future(subject.provider.inspect(subject.pool, ref(vm))),
                asyncio.ensure_future(subject.provider.list_vms(subject.pool)),
                asyncio.ensure_future(subject.provider.create(subject.pool, new_tag(subject.pool))),
            ]
            for _ in range(turns):
                await asyncio.sleep(0)
            for call in calls:
                call.cancel()
            await asyncio.gather(*calls, return_exceptions=True)
        async with asyncio.timeout(subject.patience.total_seconds()):
            await subject.provider.inspect(subject.pool, ref(vm))


class SharedPlaceConformance:
    """For clouds where the VMs of several pools may be at one place; needs `Subject.neighbour`."""

    async def test_pools_at_one_place_see_each_others_vms_and_can_tell_them_apart(
        self, subject: Subject
    ) -> None:
        assert subject.neighbour is not None
        tag = new_tag(subject.pool)
        made = await made_vm(subject, tag)
        [seen] = [
            vm
            for vm in (await listed(subject.provider, subject.neighbour)).values()
            if vm.provider_id == made.provider_id
        ]
        assert seen.tag is not None
        assert seen.tag.pool == subject.pool.name


class SharedCloudConformance:
    """For clouds that can have more than one client; needs `Subject.second`."""

    async def test_another_client_sees_the_same_vm_and_may_destroy_it(self, subject: Subject) -> None:
        assert subject.second is not None
        tag = new_tag(subject.pool)
        vm = await made_vm(subject, tag)
        assert (await subject.second.inspect(subject.pool, ref(vm))).tag == tag
        await subject.second.destroy(subject.pool, ref(vm))
        with pytest.raises(NotFound):
            await subject.provider.inspect(subject.pool, ref(vm))

    async def test_vms_outlive_the_client_that_made_them(self, subject: Subject) -> None:
        assert subject.second is not None
        tag = new_tag(subject.pool)
        vm = await subject.second.create(subject.pool, tag)
        await subject.second.close()
        found = await found_vm(subject, tag)
        assert (found.provider_id, found.tag) == (vm.provider_id, tag)

    async def test_a_listing_shows_what_another_client_did_before_it_began(self, subject: Subject) -> None:
        assert subject.second is not None
        vm = await made_vm(subject)
        assert vm.tag is not None
        for turn in range(5):
            changed = replace(vm.tag, owner=f"user {turn}")
            await subject.second.annotate(subject.pool, ref(vm), changed)
            assert (await listed(subject.provider, subject.pool))[vm.provider_id].tag == changed
        await subject.second.destroy(subject.pool, ref(vm))
        assert vm.provider_id not in await listed_ids(subject, subject.pool)
