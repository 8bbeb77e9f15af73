"""What every DNS plug-in that keeps records must do, one test for each promise of the contract.

A test module of this form holds a plug-in to it:

    class TestMyPlugin(DnsConformance):
        @pytest.fixture
        async def subject(self) -> AsyncIterator[DnsSubject]:
            ...
            yield DnsSubject(plugin=plugin, domain="lab.example", addresses_of=…, occupy=…, second=…)
"""
# ruff: noqa: D102, S101 - these are tests: the name says the promise, an assert holds it

import asyncio
from collections.abc import AsyncIterator

import pytest

from vmpooler_manager.dns.contract import OwnedRecords
from vmpooler_manager.dns.errors import NameTaken
from vmpooler_manager.dns.testing.subject import INSTALLATION, DnsSubject, another_vm, new_name, new_owner


class DnsConformance:
    """Subclass it in a test module and give it the fixture `subject`."""

    @pytest.fixture(autouse=True)
    async def _leave_nothing_behind(self, subject: DnsSubject) -> AsyncIterator[None]:
        yield
        for records in await subject.plugin.owned():
            if records.owner.installation == INSTALLATION:
                await subject.plugin.remove(records.name, records.owner)

    async def test_it_keeps_records(self, subject: DnsSubject) -> None:
        assert subject.plugin.keeps_records

    async def test_a_published_name_leads_to_its_addresses_and_is_taken(self, subject: DnsSubject) -> None:
        name, (first, second) = new_name(subject), subject.addresses
        assert not await subject.plugin.is_taken(name)
        await subject.plugin.publish(name, [first, second], new_owner())
        assert set(await subject.addresses_of(name)) == {first, second}
        assert await subject.plugin.is_taken(name)

    async def test_ipv6_addresses_are_published_beside_ipv4_ones(self, subject: DnsSubject) -> None:
        if subject.ipv6_address is None:
            return
        name, wanted = new_name(subject), [subject.addresses[0], subject.ipv6_address]
        await subject.plugin.publish(name, wanted, new_owner())
        assert set(await subject.addresses_of(name)) == set(wanted)

    async def test_publishing_again_changes_nothing(self, subject: DnsSubject) -> None:
        name, owner = new_name(subject), new_owner()
        for plugin in (subject.plugin, subject.second):
            await plugin.publish(name, subject.addresses[:1], owner)
        assert set(await subject.addresses_of(name)) == {subject.addresses[0]}

    async def test_a_changed_address_replaces_the_former_one(self, subject: DnsSubject) -> None:
        name, owner, (first, second) = new_name(subject), new_owner(), subject.addresses
        await subject.plugin.publish(name, [first], owner)
        await subject.plugin.publish(name, [second], owner)
        assert set(await subject.addresses_of(name)) == {second}
        if subject.names_of is not None:
            assert name not in await subject.names_of(first)

    async def test_an_address_leads_back_to_its_name(self, subject: DnsSubject) -> None:
        if subject.names_of is None:
            return
        name, owner, address = new_name(subject), new_owner(), subject.addresses[0]
        await subject.plugin.publish(name, [address], owner)
        assert set(await subject.names_of(address)) == {name}
        await subject.plugin.remove(name, owner)
        assert not await subject.names_of(address)

    async def test_a_removed_name_is_gone_and_free_and_may_be_removed_again(
        self, subject: DnsSubject
    ) -> None:
        name, owner = new_name(subject), new_owner()
        await subject.plugin.publish(name, subject.addresses[:1], owner)
        for plugin in (subject.plugin, subject.plugin, subject.second):
            await plugin.remove(name, owner)
        assert not await subject.addresses_of(name)
        assert not await subject.plugin.is_taken(name)

    async def test_a_name_that_never_was_is_removed_without_an_error(self, subject: DnsSubject) -> None:
        await subject.plugin.remove(new_name(subject), new_owner())

    async def test_records_of_somebody_else_are_neither_replaced_nor_removed(
        self, subject: DnsSubject
    ) -> None:
        name, owner = new_name(subject), new_owner()
        await subject.occupy(name)
        assert await subject.plugin.is_taken(name)
        with pytest.raises(NameTaken):
            await subject.plugin.publish(name, subject.addresses[:1], owner)
        await subject.plugin.remove(name, owner)
        assert set(await subject.addresses_of(name)) == {"192.0.2.99"}

    async def test_records_of_another_vm_are_neither_replaced_nor_removed(self, subject: DnsSubject) -> None:
        name, owner, (first, second) = new_name(subject), new_owner(), subject.addresses
        later = another_vm(owner)
        await subject.plugin.publish(name, [first], owner)
        with pytest.raises(NameTaken):
            await subject.plugin.publish(name, [second], later)
        await subject.plugin.remove(name, later)
        assert set(await subject.addresses_of(name)) == {first}

    async def test_one_of_two_vms_that_want_a_name_at_the_same_time_gets_it(
        self, subject: DnsSubject
    ) -> None:
        name, (first, second) = new_name(subject), subject.addresses
        results = await asyncio.gather(
            subject.plugin.publish(name, [first], new_owner()),
            subject.second.publish(name, [second], new_owner()),
            return_exceptions=True,
        )
        assert [type(result) for result in results if result] == [NameTaken]
        assert set(await subject.addresses_of(name)) == {second if results[0] else first}

    async def test_names_are_listed_with_their_owners_until_they_are_removed(
        self, subject: DnsSubject
    ) -> None:
        name, owner = new_name(subject), new_owner()
        await subject.plugin.publish(name, subject.addresses[:1], owner)
        assert OwnedRecords(name, owner) in await subject.second.owned()
        await subject.plugin.remove(name, owner)
        assert name not in {records.name for records in await subject.second.owned()}

    async def test_names_of_others_are_not_listed(self, subject: DnsSubject) -> None:
        name = new_name(subject)
        await subject.occupy(name)
        assert name not in {records.name for records in await subject.plugin.owned()}

    async def test_a_client_may_be_closed_twice(self, subject: DnsSubject) -> None:
        await subject.second.close()
        await subject.second.close()
