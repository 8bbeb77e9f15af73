"""What the user must be allowed to do, asked before the first clone, migration or removal of a folder."""

from collections.abc import Iterable, Iterator
from typing import Any

from vmpooler_manager.providers.errors import PermanentError
from vmpooler_manager.providers.vsphere.placement import Placement
from vmpooler_manager.providers.vsphere.session import Connection

ON_FOLDER = (
    "VirtualMachine.Inventory.CreateFromExisting",
    "VirtualMachine.Inventory.Delete",
    "VirtualMachine.Interact.PowerOn",
    "VirtualMachine.Interact.PowerOff",
    "VirtualMachine.Config.Annotation",
    "VirtualMachine.Config.AdvancedConfig",
    "VirtualMachine.Config.AddNewDisk",
    "VirtualMachine.Config.AddRemoveDevice",
    "VirtualMachine.Config.EditDevice",
    "VirtualMachine.State.CreateSnapshot",
    "VirtualMachine.State.RevertToSnapshot",
    "VirtualMachine.State.RemoveSnapshot",
)
TO_MAKE_FOLDERS = ("Folder.Create",)
TO_REMOVE_FOLDERS = ("Folder.Delete",)
ON_RESOURCE_POOL = ("Resource.AssignVMToPool",)
ON_DATASTORE = ("Datastore.AllocateSpace",)
ON_TEMPLATE = ("VirtualMachine.Provisioning.DeployTemplate",)
ON_VM_AS_TEMPLATE = ("VirtualMachine.Provisioning.Clone",)
ON_NETWORK = ("Network.Assign",)
TO_MIGRATE = ("Resource.ColdMigrate", "Resource.HotMigrate")

Needed = tuple[str, Any, tuple[str, ...]]
"""What it is, the object, and the privileges that are needed on it."""


def for_clones(placement: Placement, *, makes_folders: bool) -> Iterator[Needed]:
    """List what a pool's clones, and the tasks of their users, need."""
    yield "folder", placement.folder, ON_FOLDER + (TO_MAKE_FOLDERS if makes_folders else ())
    yield "template", placement.template, ON_TEMPLATE if placement.is_template else ON_VM_AS_TEMPLATE
    yield "resource pool", placement.resource_pool, ON_RESOURCE_POOL
    if placement.datastore is not None:
        yield "datastore", placement.datastore, ON_DATASTORE
    if placement.network_ref is not None:
        yield "network", placement.network_ref, ON_NETWORK


def for_migrations(placement: Placement) -> Iterator[Needed]:
    """List what moving a pool's VMs needs."""
    yield "folder", placement.folder, TO_MIGRATE


def check(connection: Connection, *, who: str, needed: Iterable[Needed]) -> None:
    """Raise PermanentError that names every privilege that is missing, and on what.

    Blocks: one call for each object.
    """
    manager, lacking = connection.content.authorizationManager, []
    for what, ref, privileges in needed:
        [answer] = manager.HasPrivilegeOnEntities(
            [connection.of(ref)], connection.session_id, list(privileges)
        )
        lacking += [f"{one.privId} on the {what}" for one in answer.privAvailability if not one.isGranted]
    if lacking:
        raise PermanentError(f"{who}: vCenter's user lacks {', '.join(lacking)}")
