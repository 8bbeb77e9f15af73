"""What vCenter is told to make: the specification of a clone."""

from typing import Any

from pyVmomi import vim

from vmpooler_manager.providers.errors import PermanentError
from vmpooler_manager.providers.types import CloneSpec, OwnershipTag
from vmpooler_manager.providers.vsphere import delta_disks
from vmpooler_manager.providers.vsphere.placement import Placement
from vmpooler_manager.providers.vsphere.tags import EXTRA_CONFIG_KEY, annotation, encode

_MEMORY_OPTIONS = {
    "snapshot_mainMem_ioBlockPages": "mainMem.ioBlockPages",
    "snapshot_mainMem_iowait": "mainMem.iowait",
}


def clone_spec(pool: CloneSpec, tag: OwnershipTag, placement: Placement, *, host: Any) -> Any:
    """Specify a clone that is switched on, carries its tag, and has the id that we choose."""
    config = vim.vm.ConfigSpec(
        instanceUuid=str(tag.clone.uuid),
        annotation=annotation(tag),
        extraConfig=_extra_config(pool, tag),
        deviceChange=[_network_change(pool, placement)] if placement.network is not None else [],
    )
    location = vim.vm.RelocateSpec(
        datastore=placement.datastore,
        pool=placement.resource_pool,
        host=placement.host or host,
        diskMoveType=_move_type(placement),
    )
    return vim.vm.CloneSpec(
        location=location,
        config=config,
        powerOn=True,
        template=False,
        snapshot=placement.snapshot if placement.linked else None,
    )


def _move_type(placement: Placement) -> str:
    """Say how disks are cloned. Disks with neither a snapshot nor layers are copied whole."""
    kinds = vim.vm.RelocateSpec.DiskMoveOptions
    if placement.linked and placement.snapshot:
        return str(kinds.createNewChildDiskBacking)
    if placement.linked and delta_disks.are_layered(placement.devices):
        return str(kinds.moveChildMostDiskBacking)  # copies the topmost layer, shares those below
    return str(kinds.moveAllDiskBackingsAndConsolidate)


def _extra_config(pool: CloneSpec, tag: OwnershipTag) -> list[Any]:
    values = {"guestinfo.hostname": tag.name, EXTRA_CONFIG_KEY: encode(tag)}
    for option, key in _MEMORY_OPTIONS.items():
        if pool.options.get(option) is not None:
            values[key] = str(pool.options[option])
    return [vim.option.OptionValue(key=key, value=value) for key, value in values.items()]


def _network_change(pool: CloneSpec, placement: Placement) -> Any:
    """Connect the template's first network card to the pool's network; its type stays."""
    cards = [device for device in placement.devices if isinstance(device, vim.vm.device.VirtualEthernetCard)]
    if not cards:
        raise PermanentError(
            f"pool {pool.name!r}: template {pool.template} has no network card for the network"
        )
    card = min(cards, key=lambda one: one.key)
    card.backing = placement.network
    card.addressType = "assigned"
    card.macAddress = None
    card.connectable = vim.vm.device.VirtualDevice.ConnectInfo(
        startConnected=True, connected=True, allowGuestControl=True
    )
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=card)
