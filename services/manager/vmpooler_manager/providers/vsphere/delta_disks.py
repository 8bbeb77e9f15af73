"""A layer of delta disks over a template's own, so that clones can share those: what 3.x did, once.

A template that has a snapshot, or such layers, needs none.
"""

from collections.abc import Iterable
from copy import copy
from typing import Any

from pyVmomi import vim

from vmpooler_manager.providers.errors import PermanentError
from vmpooler_manager.providers.vsphere.placement import Placement
from vmpooler_manager.providers.vsphere.session import Session
from vmpooler_manager.providers.vsphere.tasks import Tasks


def _disks(devices: Iterable[Any]) -> list[Any]:
    return [device for device in devices if isinstance(device, vim.vm.device.VirtualDisk)]


def are_layered(devices: Iterable[Any]) -> bool:
    """Whether a disk is a difference to another, so that clones share what is below the topmost layer."""
    return any(getattr(disk.backing, "parent", None) is not None for disk in _disks(devices))


def are_missing(placement: Placement) -> bool:
    """Whether linked clones are wanted of a template that has nothing to share."""
    disks = _disks(placement.devices)
    return (
        placement.linked and placement.snapshot is None and bool(disks) and not are_layered(placement.devices)
    )


def change(placement: Placement) -> Any:
    """Specify the change that puts an empty layer over each disk; refused if somebody was faster."""
    changes = []
    for disk in _disks(placement.devices):
        layer = copy(disk)
        layer.backing = copy(disk.backing)
        store, _, _ = disk.backing.fileName.partition("]")
        layer.backing.fileName = f"{store}]"
        layer.backing.parent = disk.backing
        spec = vim.vm.device.VirtualDeviceSpec
        changes.append(spec(operation="remove", device=disk))
        changes.append(spec(operation="add", fileOperation="create", device=layer))
    return vim.vm.ConfigSpec(changeVersion=placement.change_version, deviceChange=changes)


async def add(session: Session, tasks: Tasks, *, pool: str, template: str, placement: Placement) -> None:
    """Put the layer on a pool's template. Raises PermanentError that says what else would do."""
    doing = f"pool {pool!r}: adding delta disks to {template} (create_template_delta_disks)"
    if placement.is_template:
        raise PermanentError(
            f"{doing}: it is marked as a template, which can't be changed: take a snapshot of it for linked "
            "clones, or convert it to a VM"
        )
    try:
        task = await session.call(
            doing,
            lambda connection: connection.of(placement.template).ReconfigVM_Task(change(placement)),
        )
        await tasks.result(task, doing)
    except PermanentError as error:
        raise PermanentError(f"{error}; a snapshot of it would do, too") from error
