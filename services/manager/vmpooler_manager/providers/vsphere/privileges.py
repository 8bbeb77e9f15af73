"""What the user must be allowed to do, asked before the first clone."""

from collections.abc import Iterator
from typing import Any

from vmpooler_manager.providers.errors import PermanentError
from vmpooler_manager.providers.vsphere.placement import Placement
from vmpooler_manager.providers.vsphere.session import Connection

ON_FOLDER = (
    "VirtualMachine.Inventory.CreateFromExisting",
    "VirtualMachine.Inventory.Delete",
    "VirtualMachine.Interact.PowerOn",
    "VirtualMachine.Interact.PowerOff",
    "VirtualMachine.Config.AdvancedConfig",
    "VirtualMachine.Config.AddNewDisk",
    "VirtualMachine.Config.AddRemoveDevice",
    "VirtualMachine.Config.EditDevice",
    "VirtualMachine.State.CreateSnapshot",
    "VirtualMachine.State.RevertToSnapshot",
)
ON_RESOURCE_POOL = ("Resource.AssignVMToPool",)
ON_DATASTORE = ("Datastore.AllocateSpace",)


def missing_privileges(connection: Connection, placement: Placement) -> list[str]:
    """Name the privileges that the user lacks, and on what. Blocks: one call for each object."""
    manager = connection.content.authorizationManager
    lacking = []
    for what, ref, privileges in _needed(placement):
        [answer] = manager.HasPrivilegeOnEntities(
            [connection.of(ref)], connection.session_id, list(privileges)
        )
        lacking += [f"{one.privId} on the {what}" for one in answer.privAvailability if not one.isGranted]
    return lacking


def check(connection: Connection, pool: str, placement: Placement) -> None:
    """Raise PermanentError that names every privilege that is missing. Blocks."""
    lacking = missing_privileges(connection, placement)
    if lacking:
        raise PermanentError(f"pool {pool!r}: vCenter's user lacks {', '.join(lacking)}")


def _needed(placement: Placement) -> Iterator[tuple[str, Any, tuple[str, ...]]]:
    yield "folder", placement.folder, ON_FOLDER
    yield "resource pool", placement.resource_pool, ON_RESOURCE_POOL
    if placement.datastore is not None:
        yield "datastore", placement.datastore, ON_DATASTORE
