"""Folders beside those of pools that no pool uses."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from pyVmomi import vim

from vmpooler_manager.providers.vsphere.machines import PROPERTIES
from vmpooler_manager.providers.vsphere.privileges import TO_REMOVE_FOLDERS, check
from vmpooler_manager.providers.vsphere.retrieval import Found, below, retrieve
from vmpooler_manager.providers.vsphere.session import Connection

WANTED = {vim.Folder: ("name", "parent"), vim.VirtualMachine: PROPERTIES}


@dataclass
class Unused:
    """A folder that no pool uses, with the VMs in it and below it, templates too."""

    path: str
    vms: list[Found] = field(default_factory=list)


def bases(paths: Iterable[str]) -> set[str]:
    """Give the folders that hold pools' folders. Never a datacenter's own: everything else is there, too."""
    parents = {path.rpartition("/")[0] for path in paths}
    return {parent for parent in parents if "/vm/" in parent}


def unused(connection: Connection, paths: Sequence[str], kept: Sequence[str]) -> list[Unused]:
    """List the folders within the pools' base folders that aren't, hold or lie in a pool's folder. Blocks."""
    found: dict[str, Unused] = {}
    for base in sorted(bases(paths)):
        folder = connection.content.searchIndex.FindByInventoryPath(base)
        if not isinstance(folder, vim.Folder):
            continue
        everything = retrieve(connection.content, below(folder, WANTED))
        for one in _unused_in(base, folder, everything):
            name = one.path.rpartition("/")[2]
            if name not in kept and not any(_overlap(one.path, path) for path in paths):
                found[one.path] = one
    return list(found.values())


def _unused_in(base: str, folder: Any, everything: Sequence[Found]) -> list[Unused]:
    """Give the folders directly in the base folder, with all VMs below them."""
    parents = {
        one.ref._GetMoId(): one.properties["parent"]._GetMoId() for one in everything if _has_parent(one)
    }
    here = {
        one.ref._GetMoId(): Unused(f"{base}/{unquote(str(one.properties['name']))}")
        for one in everything
        if isinstance(one.ref, vim.Folder) and parents.get(one.ref._GetMoId()) == folder._GetMoId()
    }
    for one in everything:
        if not isinstance(one.ref, vim.VirtualMachine):
            continue
        above = parents.get(one.ref._GetMoId())
        while above is not None and above not in here:
            above = parents.get(above)
        if above is not None:
            here[above].vms.append(one)
    return list(here.values())


def _has_parent(one: Found) -> bool:
    return one.properties.get("parent") is not None


def _overlap(one: str, other: str) -> bool:
    return f"{one}/".startswith(f"{other}/") or f"{other}/".startswith(f"{one}/")


def remove_if_empty(connection: Connection, path: str) -> Any:
    """Begin to remove a folder with no VM in or below it; None when there is nothing to do. Blocks."""
    folder = connection.content.searchIndex.FindByInventoryPath(path)
    if not isinstance(folder, vim.Folder):
        return None
    inside = retrieve(connection.content, below(folder, WANTED))
    if any(not isinstance(one.ref, vim.Folder) for one in inside):
        return None
    check(connection, who=f"removing {path}", needed=[("folder", folder, TO_REMOVE_FOLDERS)])
    return folder.Destroy_Task()
