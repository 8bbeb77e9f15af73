"""A VM's tree of snapshots."""

from collections.abc import Sequence
from typing import Any

DESCRIPTION = "vmpooler"
PROPERTIES = ("snapshot.rootSnapshotList", "config.annotation", "config.extraConfig")


def named(trees: Sequence[Any], name: str) -> Any:
    """Find a snapshot by its name, however deep; None without one."""
    for tree in trees or ():
        found = tree if tree.name == name else named(tree.childSnapshotList, name)
        if found is not None:
            return found
    return None
