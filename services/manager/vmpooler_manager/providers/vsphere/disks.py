"""Adding a disk: one change of the VM's configuration adds it and notes the task."""

from collections.abc import Mapping, Sequence
from typing import Any

from pyVmomi import vim

from vmpooler_manager.providers.errors import PermanentError

TASK_KEY = "vmpooler.task."
"""Begins the configuration's keys that note tasks. Guests can't write there."""
MOST_CONTROLLERS = 4
SCSI_UNITS = tuple(unit for unit in range(16) if unit != 7)
"""7 is the controller itself."""
KILOBYTES = 2**20
"""In a gigabyte."""
PROPERTIES = ("config.hardware.device", "config.extraConfig", "config.changeVersion")


def is_done(properties: Mapping[str, Any], task: str) -> bool:
    """Whether the VM's configuration notes this task."""
    return any(one.key == TASK_KEY + task for one in properties.get("config.extraConfig", ()))


def with_task(properties: Mapping[str, Any], task: str) -> list[Any]:
    """Give the configuration's notes of all tasks, and of this one."""
    notes = [one for one in properties.get("config.extraConfig", ()) if one.key.startswith(TASK_KEY)]
    return [*notes, vim.option.OptionValue(key=TASK_KEY + task, value="done")]


def disk_change(properties: Mapping[str, Any], *, task: str, size: int, vm: str) -> Any:
    """Specify the change that adds a disk of `size` GB, on the first controller that has room."""
    devices = list(properties.get("config.hardware.device", ()))
    changes: list[Any] = []
    controllers = sorted(
        (device for device in devices if isinstance(device, vim.vm.device.VirtualSCSIController)),
        key=lambda one: one.key,
    )
    place = next(
        ((one.key, unit) for one in controllers if (unit := _free_unit(devices, one.key)) is not None), None
    )
    if place is None:
        controller = _another_controller(controllers, vm)
        changes.append(vim.vm.device.VirtualDeviceSpec(operation="add", device=controller))
        place = (controller.key, SCSI_UNITS[0])
    disk = vim.vm.device.VirtualDisk(
        key=-100,
        controllerKey=place[0],
        unitNumber=place[1],
        capacityInKB=size * KILOBYTES,
        backing=vim.vm.device.VirtualDisk.FlatVer2BackingInfo(
            fileName="", diskMode="persistent", thinProvisioned=True
        ),
    )
    changes.append(vim.vm.device.VirtualDeviceSpec(operation="add", fileOperation="create", device=disk))
    return vim.vm.ConfigSpec(
        changeVersion=properties.get("config.changeVersion"),  # refused if another manager was faster
        deviceChange=changes,
        extraConfig=[vim.option.OptionValue(key=TASK_KEY + task, value=f"disk of {size} GB")],
    )


def _free_unit(devices: Sequence[Any], controller: int) -> int | None:
    taken = {device.unitNumber for device in devices if device.controllerKey == controller}
    return next((unit for unit in SCSI_UNITS if unit not in taken), None)


def _another_controller(controllers: Sequence[Any], name: str) -> Any:
    used = {controller.busNumber for controller in controllers}
    free = next((number for number in range(MOST_CONTROLLERS) if number not in used), None)
    if free is None:
        raise PermanentError(
            f"{name} has no room for another disk: all {MOST_CONTROLLERS} controllers are full"
        )
    kind = type(controllers[0]) if controllers else vim.vm.device.ParaVirtualSCSIController
    return kind(key=-10, busNumber=free, sharedBus="noSharing")
