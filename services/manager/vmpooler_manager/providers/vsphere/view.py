"""What vCenter has told of the VMs in folders, and of clusters' hosts, since somebody began to follow them.

All here blocks.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyVmomi import vim, vmodl

from vmpooler_manager.providers.errors import TransientError
from vmpooler_manager.providers.vsphere.hosts import PROPERTIES as OF_HOSTS
from vmpooler_manager.providers.vsphere.machines import PROPERTIES as OF_VMS
from vmpooler_manager.providers.vsphere.retrieval import Found, property_specs, refused
from vmpooler_manager.providers.vsphere.session import Connection

_PC = vmodl.query.PropertyCollector
WANTED: Mapping[type, tuple[str, ...]] = {vim.VirtualMachine: OF_VMS, vim.HostSystem: OF_HOSTS}


@dataclass(frozen=True)
class Told:
    """All that was told by some moment."""

    vms: tuple[Found, ...]
    hosts: tuple[Found, ...]
    refs: Mapping[str, Any]
    """VMs by their instance UUIDs."""
    covered: frozenset[str]
    """Ids of the folders and clusters that are followed."""
    as_of: float
    """Monotonic time before the latest news were worked out."""


@dataclass
class View:
    """What was told so far, and how vCenter is asked for more."""

    connection: Connection
    collector: Any
    covered: frozenset[str] = frozenset()
    filter: Any = None
    version: str = ""
    vms: dict[str, Found] = field(default_factory=dict)
    hosts: dict[str, Found] = field(default_factory=dict)
    refs: dict[str, Any] = field(default_factory=dict)
    as_of: float = float("-inf")
    in_call: bool = False
    """Whether a thread waits in vCenter; it may outlive whoever started it."""

    def told(self) -> Told:
        """Give all that is known, for others while this view goes on."""
        return Told(
            tuple(self.vms.values()), tuple(self.hosts.values()), dict(self.refs), self.covered, self.as_of
        )

    def take(self, change: Any) -> None:
        """Take one object's news."""
        id_, kind = change.obj._GetMoId(), type(change.obj)
        known = self.hosts if issubclass(kind, vim.HostSystem) else self.vms
        if change.kind == _PC.ObjectUpdate.Kind.leave:
            if (gone := known.pop(id_, None)) is not None:
                self.refs.pop(gone.properties.get("config.instanceUuid", ""), None)
            return
        refused(change.missingSet, change.obj)
        found = known.setdefault(id_, Found(change.obj))
        self.refs.pop(found.properties.get("config.instanceUuid", ""), None)
        for one in change.changeSet or ():
            if one.op in (_PC.Change.Op.assign, _PC.Change.Op.add):
                found.properties[one.name] = one.val
            else:
                found.properties.pop(one.name, None)
        if uuid := found.properties.get("config.instanceUuid"):
            self.refs[uuid] = change.obj


def begin(connection: Connection) -> View:
    """Make a collector that follows nothing yet."""
    return View(connection, connection.content.propertyCollector.CreatePropertyCollector())


def cover(view: View, places: dict[str, Any]) -> None:
    """Follow these folders and clusters anew, by one filter; those that are gone are dropped."""
    if view.filter is not None:
        view.filter.DestroyPropertyFilter()
    spec = _PC.FilterSpec(objectSet=list(_starts(view, places)), propSet=property_specs(WANTED))
    view.filter = view.collector.CreateFilter(spec, False)
    view.version, view.covered = "", frozenset(places)
    view.vms, view.hosts, view.refs = {}, {}, {}


def _starts(view: View, places: dict[str, Any]) -> Iterator[Any]:
    """Give where the filter begins: each folder by a view of its own, each cluster itself."""
    content = view.connection.content
    in_view = _PC.TraversalSpec(name="view", type=vim.view.ContainerView, path="view", skip=False)
    in_cluster = _PC.TraversalSpec(name="hosts", type=vim.ComputeResource, path="host", skip=False)
    for id_, place in list(places.items()):
        own = view.connection.of(place)
        if isinstance(own, vim.ComputeResource):
            yield _PC.ObjectSpec(obj=own, skip=True, selectSet=[in_cluster])
            continue
        try:
            container = content.viewManager.CreateContainerView(own, [vim.VirtualMachine], False)
        except vmodl.fault.ManagedObjectNotFound:
            places.pop(id_)
            continue
        yield _PC.ObjectSpec(obj=container, skip=True, selectSet=[in_view])


def update(view: View, longest: int) -> bool:
    """Wait for news and take all parts of them; whether there were any.

    A wait that is called off changes nothing.
    """
    had_news = False
    while True:
        began = time.monotonic()
        view.in_call = True
        try:
            news = view.collector.WaitForUpdatesEx(view.version, _PC.WaitOptions(maxWaitSeconds=longest))
        except vmodl.fault.RequestCanceled:
            return had_news
        finally:
            view.in_call = False
        for part in (news.filterSet or ()) if news is not None else ():
            if part.missingSet:
                raise TransientError("vCenter has lost a folder that is watched")
            for change in part.objectSet or ():
                had_news = True
                view.take(change)
        if news is not None:
            view.version = news.version
        if news is None or not news.truncated:
            view.as_of = began
            return had_news
