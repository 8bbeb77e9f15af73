"""What govmomi's simulator can't do, from a server that only says it."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from pyVmomi import vim, vmodl

from tests.support.eventually import eventually
from tests.vsphere.edge import Edge, edge
from tests.vsphere.inventory import FOLDER, POOL, VMS, driver, furnish, put_host, put_vm
from vmpooler_manager.providers.contract import VmRef, VmStatus
from vmpooler_manager.providers.errors import NoCapacity, NotFound, PermanentError, ProviderError
from vmpooler_manager.providers.testing.subject import new_tag
from vmpooler_manager.providers.vsphere.provider import VsphereProvider
from vmpooler_manager.providers.vsphere.tags import annotation


@pytest.fixture
def vcenter(tmp_path: Path) -> Iterator[Edge]:
    with edge(tmp_path) as world:
        furnish(world)
        yield world


def all_vms(world: Edge) -> list[str]:
    return [id_ for id_, (_, properties) in world.objects.items() if properties.get("parent") == FOLDER]


def without_watcher(version: str, longest: int) -> Any:
    raise vmodl.fault.InvalidState


async def names(provider: VsphereProvider) -> list[str]:
    return sorted(vm.name for vm in (await provider.list_vms(POOL)).vms)


WHOLE = [f"vm{number}" for number in range(10, 10 + VMS)]


async def test_an_answer_in_pages_is_read_to_its_end(vcenter: Edge) -> None:
    vcenter.page, vcenter.updates = 3, without_watcher
    async with driver(vcenter) as provider:
        assert await names(provider) == WHOLE
    assert len(vcenter.asked_for("ContinueRetrievePropertiesEx")) >= 2


async def test_truncated_updates_are_taken_to_their_end(vcenter: Edge) -> None:
    ids = all_vms(vcenter)

    def updates(version: str, longest: int) -> Any:
        if version in ("", "1", "2"):
            begin = int(version or 0)
            part = ids[begin * 3 : begin * 3 + 3]
            return vcenter.news(part, version=str(begin + 1), truncated=begin < 2)
        return None

    vcenter.updates = updates
    async with driver(vcenter) as provider:
        assert await names(provider) == WHOLE
    assert not vcenter.asked_for("RetrievePropertiesEx")


async def test_updates_that_break_off_are_no_listing(vcenter: Edge) -> None:
    def updates(version: str, longest: int) -> Any:
        if version:
            raise vmodl.fault.SystemError(reason="overload")
        return vcenter.news(all_vms(vcenter)[:3], version="1", truncated=True)

    vcenter.updates = updates
    async with driver(vcenter) as provider:
        assert await names(provider) == WHOLE
        vcenter.objects.pop(FOLDER._GetMoId())
        with pytest.raises(ProviderError):
            await provider.list_vms(POOL)


async def test_properties_that_may_not_be_read_are_an_error_and_no_listing(vcenter: Edge) -> None:
    def updates(version: str, longest: int) -> Any:
        news = vcenter.news(all_vms(vcenter), version="1")
        refused = vim.fault.NoPermission(privilegeId="System.Read")
        missing = vmodl.query.PropertyCollector.MissingProperty(
            path="config.annotation", fault=vmodl.LocalizedMethodFault(fault=refused)
        )
        news.filterSet[0].objectSet[0].missingSet = [missing]
        return news

    def content_of(id_: str, wanted: list[str]) -> Any:
        found = Edge.content_of(vcenter, id_, wanted)
        refused = vim.fault.NoPermission(privilegeId="System.Read")
        if id_ == "vm-10":
            found.missingSet = [
                vmodl.query.PropertyCollector.MissingProperty(
                    path="config.annotation", fault=vmodl.LocalizedMethodFault(fault=refused)
                )
            ]
        return found

    vcenter.updates, vcenter.content_of = updates, content_of  # type: ignore[method-assign]
    async with driver(vcenter) as provider:
        with pytest.raises(ProviderError, match=r"may not read config\.annotation of vm-10"):
            await provider.list_vms(POOL)


async def test_a_session_that_ends_while_the_watcher_waits_is_followed_by_another(vcenter: Edge) -> None:
    def updates(version: str, longest: int) -> Any:
        return None if version else vcenter.news(all_vms(vcenter), version="1")

    vcenter.updates = updates
    async with driver(vcenter) as provider:
        assert await names(provider) == WHOLE
        for logins in (2, 3):
            await asyncio.to_thread(vcenter.waiting.wait, 30)
            put_vm(vcenter, 20 + logins)
            vcenter.end_sessions()

            async def is_new(wanted: int = logins) -> bool:
                return vcenter.logins >= wanted

            await eventually(is_new)
            assert f"vm{20 + logins}" in await names(provider)


def hosts_in_news(vcenter: Edge) -> None:
    def updates(version: str, longest: int) -> Any:
        ids = [id_ for id_ in vcenter.objects if id_.startswith("host-")]
        return None if version and longest else vcenter.news(ids, version="1")

    vcenter.updates = updates


async def chosen(provider: VsphereProvider, vcenter: Edge) -> str:
    await provider.create(POOL, new_tag(POOL))
    return vcenter.asked_for("CloneVM_Task")[-1].text("host")


async def test_the_least_used_healthy_hosts_get_the_vms_in_turns(vcenter: Edge) -> None:
    for number, used in enumerate([60, 10, 10, 95, None]):
        put_host(vcenter, number, used)
    put_host(vcenter, 5, 1, overallStatus=vim.ManagedEntity.Status.red)
    put_host(vcenter, 6, 1, runtime__inMaintenanceMode=True)
    put_host(vcenter, 7, 1, runtime__connectionState=vim.HostSystem.ConnectionState.disconnected)
    put_host(vcenter, 8, 1, summary__quickStats__overallMemoryUsage=1000)
    hosts_in_news(vcenter)
    async with driver(vcenter, manage_host_selection=True) as provider:
        assert [await chosen(provider, vcenter) for _ in range(4)] == ["host-1", "host-2"] * 2


@pytest.mark.parametrize(("max_age", "then"), [(0, "host-1"), (3600, "host-0")])
async def test_hosts_are_believed_for_as_long_as_configured(vcenter: Edge, max_age: int, then: str) -> None:
    put_host(vcenter, 0, 10)
    put_host(vcenter, 1, 80)
    hosts_in_news(vcenter)
    settings = {"manage_host_selection": True, "host_selection_max_age": max_age}
    async with driver(vcenter, **settings) as provider:
        assert await chosen(provider, vcenter) == "host-0"
        vcenter.objects["host-0"][1]["summary.quickStats.overallCpuUsage"] = 9000
        vcenter.objects["host-1"][1]["summary.quickStats.overallCpuUsage"] = 0
        assert await chosen(provider, vcenter) == then
    assert not [
        one for one in vcenter.asked_for("RetrievePropertiesEx") if "configIssue" in one.texts("pathSet")
    ]


async def test_no_host_below_the_limit_is_want_of_room(vcenter: Edge) -> None:
    put_host(vcenter, 0, 50)
    hosts_in_news(vcenter)
    async with driver(vcenter, manage_host_selection=True, utilization_limit=40) as provider:
        with pytest.raises(NoCapacity, match="used less than 40 %"):
            await provider.create(POOL, new_tag(POOL))


@pytest.mark.parametrize(
    ("privilege", "on"),
    [
        ("VirtualMachine.State.RemoveSnapshot", "folder"),
        ("Folder.Create", "folder"),
        ("VirtualMachine.Provisioning.DeployTemplate", "template"),
        ("Resource.AssignVMToPool", "resource pool"),
        ("Datastore.AllocateSpace", "datastore"),
        ("Network.Assign", "network"),
    ],
)
async def test_a_missing_privilege_is_named_before_the_first_clone(
    vcenter: Edge, privilege: str, on: str
) -> None:
    async with driver(vcenter, create_folders=True) as provider:
        await provider.prepare(POOL)
        vcenter.lacking = {privilege}
        with pytest.raises(
            PermanentError, match=f"pool 'edge': vCenter's user lacks {privilege} on the {on}"
        ):
            await provider.prepare(POOL)
        assert not vcenter.asked_for("CloneVM_Task")


async def test_a_missing_privilege_to_move_vms_is_named_before_the_first_is_moved(vcenter: Edge) -> None:
    put_host(vcenter, 0, 10)
    busy = put_host(vcenter, 1, 80)
    put_vm(vcenter, 10, runtime__host=busy)
    hosts_in_news(vcenter)
    vcenter.lacking = {"Resource.HotMigrate"}
    async with driver(vcenter) as provider:
        with pytest.raises(PermanentError, match=r"lacks Resource\.HotMigrate"):
            await provider.migrate(POOL, VmRef("vm10", "attempt", str(UUID(int=10))))
    assert not vcenter.asked_for("RelocateVM_Task")


async def test_a_clone_whose_task_vcenter_has_forgotten_is_settled_by_its_id(vcenter: Edge) -> None:
    found, lost = new_tag(POOL), new_tag(POOL)
    async with driver(vcenter) as provider:
        made = await provider.create(POOL, found)
        put_vm(vcenter, 50, config__instanceUuid=made.provider_id, config__annotation=annotation(found))
        vm = VmRef(found.name, found.attempt, made.provider_id)
        await eventually(lambda: is_running(provider, vm))
        other = await provider.create(POOL, lost)
        gone = VmRef(lost.name, lost.attempt, other.provider_id)
        await eventually(lambda: is_unknown(provider, gone))  # NotFound, and not CloneFailed: it may appear
        assert await provider.find(POOL, lost.clone) is None


async def is_running(provider: VsphereProvider, vm: VmRef) -> bool:
    return (await provider.inspect(POOL, vm)).status is VmStatus.RUNNING


async def is_unknown(provider: VsphereProvider, vm: VmRef) -> bool:
    try:
        await provider.inspect(POOL, vm)
    except NotFound as error:
        return type(error) is NotFound
    return False


async def test_a_vm_of_which_nobody_tells_where_it_is_is_in_the_listing_all_the_same(vcenter: Edge) -> None:
    parent = vcenter.objects["vm-12"][1].pop("parent")
    news = vcenter.news([*all_vms(vcenter), "vm-12"], version="1")
    vcenter.objects["vm-12"][1]["parent"] = parent
    vcenter.updates = lambda version, longest: None if version else news
    async with driver(vcenter) as provider:
        assert await names(provider) == WHOLE
