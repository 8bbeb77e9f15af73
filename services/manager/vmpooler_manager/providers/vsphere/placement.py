"""Where a pool's VMs are made, and of what: names of the configuration looked up in vCenter's inventory."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyVmomi import vim, vmodl

from vmpooler_common.config.sections.vsphere import VsphereProvider
from vmpooler_manager.providers.errors import PermanentError, TransientError
from vmpooler_manager.providers.types import CloneSpec
from vmpooler_manager.providers.vsphere.retrieval import beside, of_objects, retrieve
from vmpooler_manager.providers.vsphere.session import Connection

MAX_AGE = 300.0
"""Seconds for which what was found is believed; a clone that fails has it looked up again."""

TEMPLATE_PROPERTIES = (
    "config.hardware.device",
    "config.template",
    "config.changeVersion",
    "snapshot.currentSnapshot",
)


@dataclass(frozen=True)
class Placement:
    """What a clone needs."""

    template: Any
    snapshot: Any
    """The template's current snapshot, which linked clones are made of; None: it has none."""
    devices: tuple[Any, ...]
    """The template's devices."""
    folder: Any
    datastore: Any
    """None: where the template's disks are."""
    compute: Any
    """The cluster, or the host of its own, that the VM runs on."""
    resource_pool: Any
    host: Any
    """A host that the pool names; None: the cluster chooses, or `hosts` does."""
    network: Any
    """What a network card is connected to; None: as in the template."""
    network_ref: Any
    linked: bool
    is_template: bool
    """Whether the template is marked as one; otherwise it is a VM."""
    change_version: str | None
    """Of the template's configuration."""


def datacenter_of(settings: VsphereProvider, pool: CloneSpec) -> str:
    """Give the path of the pool's datacenter. Raises PermanentError when nobody says which."""
    name = pool.options.get("datacenter") or settings.datacenter
    if not name:
        raise PermanentError(f"pool {pool.name!r}: no datacenter, neither at the pool nor at its provider")
    return str(name).strip("/")


def folder_path(settings: VsphereProvider, pool: CloneSpec) -> str:
    """Give the inventory path of the pool's folder. Raises PermanentError when the pool names none."""
    folder = str(pool.options.get("folder") or "").strip("/")
    if not folder:
        raise PermanentError(f"pool {pool.name!r}: it needs a folder")
    return f"{datacenter_of(settings, pool)}/vm/{folder}"


def options_of(path: str) -> Mapping[str, Any]:
    """Give the options of a pool whose folder has this inventory path."""
    datacenter, _, folder = path.partition("/vm/")
    return {"datacenter": datacenter, "folder": folder}


def is_linked(settings: VsphereProvider, pool: CloneSpec) -> bool:
    """Whether the pool's clones are differences to the template's disks."""
    own = pool.options.get("create_linked_clone")
    return settings.create_linked_clones if own is None else bool(own)


class Places:
    """Looks names up; remembers what it found for some minutes."""

    def __init__(self, provider: str, settings: VsphereProvider) -> None:
        self._provider = provider
        self._settings = settings
        self._placements: dict[str, tuple[float, str, Placement]] = {}
        self._folders: dict[str, Any] = {}

    def forget(self, pool: CloneSpec) -> None:
        """Look everything of this pool up again next time."""
        self._placements.pop(pool.name, None)
        self._folders.pop(folder_path(self._settings, pool), None)

    def placement(self, connection: Connection, pool: CloneSpec) -> Placement:
        """Look up all that clones of the pool need. Blocks. PermanentError names what is missing."""
        described, now = repr(pool), time.monotonic()
        kept = self._placements.get(pool.name)
        if kept is None or kept[1] != described or now - kept[0] > MAX_AGE:
            kept = (now, described, self._look_up(connection, pool))
            self._placements[pool.name] = kept
        return kept[2]

    def folder(self, connection: Connection, pool: CloneSpec, *, make: bool) -> Any:
        """Find the pool's folder; make it, and all above it, if that is allowed. Blocks."""
        path = folder_path(self._settings, pool)
        if path not in self._folders:
            found = connection.content.searchIndex.FindByInventoryPath(path)
            if found is None and make and self._settings.create_folders:
                found = self._make(connection, pool, path)
            if found is None:
                self._find(
                    connection, pool, "datacenter", datacenter_of(self._settings, pool), vim.Datacenter
                )
                if self._settings.create_folders:
                    raise TransientError(f"pool {pool.name!r}: its folder {path} isn't made yet")
                raise self._missing(pool, "folder", f"{path}; create_folders would have it made")
            if not isinstance(found, vim.Folder):
                raise PermanentError(f"pool {pool.name!r}: {path} is no folder")
            self._folders[path] = found
        return self._folders[path]

    def _make(self, connection: Connection, pool: CloneSpec, path: str) -> Any:
        datacenter = datacenter_of(self._settings, pool)
        self._find(connection, pool, "datacenter", datacenter, vim.Datacenter)
        made = f"{datacenter}/vm"
        folder = self._find(connection, pool, "folder", made, vim.Folder)
        for name in path.removeprefix(f"{made}/").split("/"):
            made = f"{made}/{name}"
            below = connection.content.searchIndex.FindByInventoryPath(made)
            if below is None:
                try:
                    below = folder.CreateFolder(name)
                except vim.fault.DuplicateName as taken:
                    below = connection.of(taken.object)  # another manager was faster
            folder = below
        return folder

    def _look_up(self, connection: Connection, pool: CloneSpec) -> Placement:
        folder = self.folder(connection, pool, make=True)
        datacenter_path = datacenter_of(self._settings, pool)
        datacenter = self._find(connection, pool, "datacenter", datacenter_path, vim.Datacenter)
        template = self._template(connection, pool, datacenter_path)
        wanted = {vim.VirtualMachine: TEMPLATE_PROPERTIES}
        [seen] = retrieve(connection.content, of_objects([template], wanted))
        compute, resource_pool, host = self._target(connection, pool, datacenter_path)
        datastore = self._named(connection, pool, datacenter, vim.Datastore)
        network = self._named(connection, pool, datacenter, vim.Network)
        return Placement(
            template=template,
            snapshot=seen.properties.get("snapshot.currentSnapshot"),
            devices=tuple(seen.properties.get("config.hardware.device", ())),
            folder=folder,
            datastore=datastore,
            compute=compute,
            resource_pool=resource_pool,
            host=host,
            network=None if network is None else self._backing(connection, network),
            network_ref=network,
            linked=is_linked(self._settings, pool),
            is_template=bool(seen.properties.get("config.template")),
            change_version=seen.properties.get("config.changeVersion"),
        )

    def _template(self, connection: Connection, pool: CloneSpec, datacenter: str) -> Any:
        path = pool.template.strip("/")
        if not path:
            raise PermanentError(f"pool {pool.name!r}: it has no template")
        return self._find(connection, pool, "template", f"{datacenter}/vm/{path}", vim.VirtualMachine)

    def _target(self, connection: Connection, pool: CloneSpec, datacenter: str) -> tuple[Any, Any, Any]:
        """Find the cluster, host or resource pool that `clone_target` names, and the rest of the three."""
        name = str(pool.options.get("clone_target") or "").strip("/")
        if not name:
            raise PermanentError(f"pool {pool.name!r}: it needs a clone_target, a cluster or host")
        kinds = (vim.ComputeResource, vim.HostSystem, vim.ResourcePool)
        path = f"{datacenter}/host/{name}"
        found = self._find(connection, pool, "cluster or host (clone_target)", path, kinds)
        wanted = {
            vim.ComputeResource: ("resourcePool",),
            vim.HostSystem: ("parent",),
            vim.ResourcePool: ("owner",),
        }
        [seen] = retrieve(connection.content, of_objects([found], wanted))
        if isinstance(found, vim.ComputeResource):
            return found, seen.properties["resourcePool"], None
        if isinstance(found, vim.ResourcePool):
            return seen.properties["owner"], found, None
        cluster = seen.properties["parent"]
        [above] = retrieve(
            connection.content, of_objects([cluster], {vim.ComputeResource: ("resourcePool",)})
        )
        return cluster, above.properties["resourcePool"], found

    def _named(self, connection: Connection, pool: CloneSpec, datacenter: Any, kind: type) -> Any:
        """Find the datastore or network of this name in the datacenter; None when the pool names none."""
        key = {vim.Datastore: "datastore", vim.Network: "network"}[kind]
        name = pool.options.get(key)
        if not name:
            return None
        spec = beside(datacenter, vim.Datacenter, key, {kind: ("name",)})
        for found in retrieve(connection.content, spec):
            if found.properties.get("name") == name:
                return found.ref
        raise self._missing(pool, key, f"{datacenter_of(self._settings, pool)}: {name}")

    def _backing(self, connection: Connection, network: Any) -> Any:
        """Say how a network card is connected to this network: port groups of distributed switches differ."""
        card = vim.vm.device.VirtualEthernetCard
        if not isinstance(network, vim.dvs.DistributedVirtualPortgroup):
            [seen] = retrieve(connection.content, of_objects([network], {vim.Network: ("name",)}))
            return card.NetworkBackingInfo(deviceName=seen.properties["name"], network=network)
        wanted: Mapping[type, tuple[str, ...]] = {
            vim.dvs.DistributedVirtualPortgroup: ("key", "config.distributedVirtualSwitch")
        }
        [seen] = retrieve(connection.content, of_objects([network], wanted))
        switch = seen.properties["config.distributedVirtualSwitch"]
        [above] = retrieve(
            connection.content, of_objects([switch], {vim.DistributedVirtualSwitch: ("uuid",)})
        )
        port = vim.dvs.PortConnection(
            portgroupKey=seen.properties["key"], switchUuid=above.properties["uuid"]
        )
        return card.DistributedVirtualPortBackingInfo(port=port)

    def _find(self, connection: Connection, pool: CloneSpec, what: str, path: str, kinds: Any) -> Any:
        try:
            found = connection.content.searchIndex.FindByInventoryPath(path)
        except vmodl.fault.ManagedObjectNotFound:
            found = None
        if found is None or not isinstance(found, kinds):
            raise self._missing(pool, what, path)
        return found

    def _missing(self, pool: CloneSpec, what: str, path: str) -> PermanentError:
        return PermanentError(
            f"pool {pool.name!r}: there is no {what} {path!r} in vCenter {self._settings.server}"
        )
