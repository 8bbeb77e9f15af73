"""How a VM of the dummy cloud comes and goes in the course of time."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.providers.cloud_file import CloudFile
from tests.providers.dummies import POOL, dummy
from vmpooler_manager.providers.contract import CloneSpec, VmStatus
from vmpooler_manager.providers.dummy.machine import HOSTS, Machine
from vmpooler_manager.providers.dummy.provider import DummyProvider
from vmpooler_manager.providers.dummy.table import Table
from vmpooler_manager.providers.errors import TransientError
from vmpooler_manager.providers.testing import unmeasured
from vmpooler_manager.providers.testing.subject import new_tag, ref

HOUR = 3600.0


@pytest.fixture
def cloud(tmp_path: Path) -> CloudFile:
    return CloudFile(tmp_path / "cloud.db")


@pytest.fixture
def slow(tmp_path: Path) -> dict[str, Any]:
    """Settings of a cloud in which everything takes minutes; the seed makes none of it short."""
    return {
        "filename": tmp_path / "cloud.db",
        "createvm_max_time": HOUR,
        "vmready_max_time": HOUR,
        "destroyvm_max_shutdown_time": HOUR,
        "destroyvm_max_time": HOUR,
        "createdisk_max_time": HOUR,
        "createsnapshot_max_time": HOUR,
        "revertsnapshot_max_time": HOUR,
        "seed": 1,
    }


async def test_without_delays_a_new_vm_is_ready_at_once() -> None:
    async with dummy() as provider:
        vm = await provider.create(POOL, new_tag(POOL))
        assert vm.status is VmStatus.RUNNING
        assert vm.ip == "10.0.0.1"


async def test_create_returns_while_the_vm_is_cloning(slow: dict[str, Any]) -> None:
    async with dummy(**slow) as provider:
        vm = await provider.create(POOL, new_tag(POOL))
        assert (vm.status, vm.ip) == (VmStatus.CLONING, None)


async def test_a_vm_boots_when_its_clone_has_ended(slow: dict[str, Any], cloud: CloudFile) -> None:
    async with dummy(**slow) as provider:
        vm = await provider.create(POOL, new_tag(POOL))
        cloud.change(vm.provider_id, clone_ends_at=time.time() - 1)
        seen = await provider.inspect(POOL, ref(vm))
        assert (seen.status, seen.ip) == (VmStatus.RUNNING, None)


async def test_a_clone_ends_although_its_client_is_gone(slow: dict[str, Any], cloud: CloudFile) -> None:
    async with dummy(**slow) as provider:
        vm = await provider.create(POOL, new_tag(POOL))
    cloud.change(vm.provider_id, clone_ends_at=time.time() - 2, ready_at=time.time() - 1)
    async with dummy(**slow) as provider:
        assert (await provider.inspect(POOL, ref(vm))).status is VmStatus.RUNNING


async def test_booting_begins_when_the_clone_ends(slow: dict[str, Any], cloud: CloudFile) -> None:
    async with dummy(**slow) as provider:
        made = [(await provider.create(POOL, new_tag(POOL))).provider_id for _ in range(5)]
    for row in map(cloud.vm, made):
        assert row["created_at"] < row["clone_ends_at"] < row["ready_at"]


async def test_a_destroy_that_is_cancelled_leaves_the_vm_switched_off(
    slow: dict[str, Any], cloud: CloudFile
) -> None:
    async with dummy(**slow) as provider:
        vm = await provider.create(POOL, new_tag(POOL))
        await cancel_destroy_when_off(provider, vm, cloud)
        assert (await provider.inspect(POOL, ref(vm))).status is VmStatus.OFF


async def test_the_next_destroy_goes_on_where_one_was_cancelled(
    slow: dict[str, Any], cloud: CloudFile
) -> None:
    async with dummy(**slow) as provider:
        vm = await provider.create(POOL, new_tag(POOL))
        await cancel_destroy_when_off(provider, vm, cloud)
    # Still with an hour for the shutdown, which is over.
    async with dummy(**slow | {"destroyvm_max_time": 0}) as provider, asyncio.timeout(30):
        await provider.destroy(POOL, ref(vm))
    assert cloud.vms() == []


async def test_destroying_holds_the_connection_so_that_a_starved_pool_can_be_watched(
    slow: dict[str, Any], cloud: CloudFile
) -> None:
    async with dummy(**slow, connection_pool_timeout=0.05) as provider:
        vm = await provider.create(POOL, new_tag(POOL))
        destroying = asyncio.create_task(provider.destroy(POOL, ref(vm)))
        await until_off(cloud, vm.provider_id)
        with pytest.raises(TransientError, match="no free connection"):
            await provider.list_vms(POOL)
        destroying.cancel()
        await asyncio.wait([destroying])


async def cancel_destroy_when_off(provider: Any, vm: Any, cloud: CloudFile) -> None:
    destroying = asyncio.create_task(provider.destroy(POOL, ref(vm)))
    await until_off(cloud, vm.provider_id)
    destroying.cancel()
    with pytest.raises(asyncio.CancelledError):
        await destroying


async def until_off(cloud: CloudFile, id: str) -> None:  # noqa: A002 - the column's name
    async with asyncio.timeout(30):
        while cloud.vm(id)["powered_on"]:  # noqa: ASYNC110 - the file tells nobody when it changes
            await asyncio.sleep(0.005)


async def test_a_create_that_is_late_by_the_providers_own_grace_fails_and_makes_nothing() -> None:
    class WithoutGrace(DummyProvider):
        create_grace = timedelta(0)

    provider = WithoutGrace("dummy", {}, unmeasured())
    await provider.open()
    with pytest.raises(TransientError, match="too old"):
        await provider.create(POOL, new_tag(POOL))
    assert (await provider.list_vms(POOL)).vms == ()
    await provider.close()


async def test_the_table_refuses_a_vm_that_comes_too_late() -> None:
    table = await Table.open(None)
    now = time.time()
    machine = {
        "id": "dummy-1",
        "place": "here",
        "name": "late-riser",
        "template": "templates/debian-12",
        "clone_target": "",
        "created_at": now - 10,
        "clone_ends_at": now,
        "ready_at": now,
        "clone_failure": None,
        "ready_known": True,
    }
    assert await table.add(machine, new_tag(POOL), refused_from=now - 8) is None
    assert await table.get("dummy-1") is None
    assert await table.add(machine, new_tag(POOL), refused_from=now + HOUR) is not None
    await table.close()


async def test_a_call_that_closing_overtook_is_a_transient_error() -> None:
    table = await Table.open(None)
    await table.close()
    with pytest.raises(TransientError, match="closed"):
        await table.at_place("here")


async def test_two_vms_of_one_name_are_two_vms() -> None:
    tag = new_tag(POOL)
    async with dummy() as provider:
        first, second = [await provider.create(POOL, tag) for _ in range(2)]
        assert first.provider_id != second.provider_id
        assert len((await provider.list_vms(POOL)).vms) == 2
        await provider.destroy(POOL, ref(first))
        found = await provider.find(POOL, tag.clone)
        assert found is not None
        assert found.provider_id == second.provider_id


async def test_a_vm_is_found_where_it_was_made_when_the_pool_moves_to_another_folder() -> None:
    tag = new_tag(POOL)
    moved = CloneSpec(name=POOL.name, template=POOL.template, options={"folder": "Archive"})
    async with dummy() as provider:
        await provider.create(POOL, tag)
        assert await provider.find(moved, tag.clone) is not None
        assert (await provider.list_vms(moved)).vms == ()


async def test_a_foreign_vm_is_listed_without_a_tag(tmp_path: Path, cloud: CloudFile) -> None:
    async with dummy(filename=tmp_path / "cloud.db") as provider:
        cloud.add_foreign_vm("theirs-1", place=POOL.name, name="mail-server")
        [seen] = (await provider.list_vms(POOL)).vms
        assert (seen.name, seen.tag) == ("mail-server", None)


async def test_a_tag_that_lacks_a_mark_is_no_tag(tmp_path: Path, cloud: CloudFile) -> None:
    async with dummy(filename=tmp_path / "cloud.db") as provider:
        vm = await provider.create(POOL, new_tag(POOL))
        cloud.change(vm.provider_id, tag_generation=None)
        assert (await provider.inspect(POOL, ref(vm))).tag is None


def test_addresses_differ_and_avoid_those_of_networks() -> None:
    addresses = [machine(number).ip for number in range(1, 600)]
    assert len(set(addresses)) == len(addresses)
    assert addresses[253:256] == ["10.0.0.254", "10.0.1.1", "10.0.1.2"]


def test_vms_are_spread_over_ten_hosts() -> None:
    assert {machine(number).host for number in range(1, 50)} == {f"HOST{n}" for n in range(1, HOSTS + 1)}


def machine(number: int) -> Machine:
    return Machine(
        number=number,
        id=f"dummy-{number}",
        place="here",
        name="vm",
        clone_ends_at=0,
        ready_at=0,
        ready_known=True,
        clone_failure=None,
        hostname="vm",
        moves=0,
        powered_on=True,
        tag=None,
    )
