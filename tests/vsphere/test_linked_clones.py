"""What clones share with their template: by a snapshot, by delta disks, or nothing."""

from typing import Any

import pytest
from pyVmomi import vim

from tests.vsphere.simulated import TEMPLATE, Simulator, driver, in_thread, pool
from vmpooler_manager.providers.errors import PermanentError
from vmpooler_manager.providers.testing.subject import new_tag
from vmpooler_manager.providers.vsphere.cloning import clone_spec
from vmpooler_manager.providers.vsphere.placement import Placement

POOL = pool("linked", template="templates/machine")


@pytest.fixture(scope="module")
def machine(vcenter: Simulator) -> Any:
    """Put a VM that isn't marked as a template beside those that are."""
    found = vcenter.find("vm/DC0_C0_RP0_VM1")
    vcenter.find("vm/templates").MoveIntoFolder_Task([found])
    found.Rename_Task("machine")
    return found


def layers(machine: Any) -> list[int]:
    found = []
    for device in machine.config.hardware.device:
        if isinstance(device, vim.vm.device.VirtualDisk):
            backing, depth = device.backing, 0
            while backing is not None:
                backing, depth = backing.parent, depth + 1
            found.append(depth)
    return found


async def test_a_template_gets_one_layer_of_delta_disks_whoever_prepares_it(
    vcenter: Simulator, machine: Any
) -> None:
    async with (
        driver(vcenter) as without,
        driver(vcenter, create_template_delta_disks=True) as first,
        driver(vcenter, create_template_delta_disks=True) as second,
    ):
        await without.prepare(POOL)
        assert await in_thread(layers, machine) == [1]
        await first.prepare(POOL)
        assert await in_thread(layers, machine) == [2]
        await second.prepare(POOL)
        await first.prepare(POOL)
        assert await in_thread(layers, machine) == [2]


async def test_what_is_marked_as_a_template_says_why_it_gets_none(vcenter: Simulator) -> None:
    async with driver(vcenter, create_template_delta_disks=True) as provider:
        with pytest.raises(PermanentError, match=f"{TEMPLATE}.*marked as a template.*snapshot"):
            await provider.prepare(pool("marked"))
        await provider.prepare(pool("whole", create_linked_clone=False))


def placed(*, linked: bool, snapshot: bool, layered: bool) -> Placement:
    below = vim.vm.device.VirtualDisk.FlatVer2BackingInfo(fileName="[one] base.vmdk", diskMode="persistent")
    backing = vim.vm.device.VirtualDisk.FlatVer2BackingInfo(
        fileName="[one] top.vmdk", diskMode="persistent", parent=below if layered else None
    )
    disk = vim.vm.device.VirtualDisk(key=2000, capacityInKB=1, backing=backing)
    return Placement(
        template=vim.VirtualMachine("vm-1"),
        snapshot=vim.vm.Snapshot("snapshot-1") if snapshot else None,
        devices=(disk,),
        folder=None,
        datastore=None,
        compute=None,
        resource_pool=vim.ResourcePool("resgroup-1"),
        host=None,
        network=None,
        network_ref=None,
        linked=linked,
        is_template=False,
        change_version="1",
    )


@pytest.mark.parametrize(
    ("linked", "snapshot", "layered", "copied"),
    [
        (True, True, False, "createNewChildDiskBacking"),
        (True, True, True, "createNewChildDiskBacking"),
        (True, False, True, "moveChildMostDiskBacking"),
        (True, False, False, "moveAllDiskBackingsAndConsolidate"),
        (False, True, True, "moveAllDiskBackingsAndConsolidate"),
    ],
)
def test_a_clone_shares_what_its_template_has_to_share(
    *, linked: bool, snapshot: bool, layered: bool, copied: str
) -> None:
    placement = placed(linked=linked, snapshot=snapshot, layered=layered)
    spec = clone_spec(POOL, new_tag(POOL), placement, host=None)
    assert spec.location.diskMoveType == copied
    assert (spec.snapshot is not None) == (copied == "createNewChildDiskBacking")
