"""A VM's tree of snapshots, and what one of them keeps while the VM goes back to another."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pyVmomi import vim

from vmpooler_manager.providers.vsphere import disks

DESCRIPTION = "vmpooler"
PROPERTIES = (
    "snapshot.rootSnapshotList",
    "snapshot.currentSnapshot",
    "config.annotation",
    "config.extraConfig",
)


def named(trees: Sequence[Any], name: str) -> Any:
    """Find a snapshot by its name, however deep; None without one."""
    for tree in trees or ():
        found = tree if tree.name == name else named(tree.childSnapshotList, name)
        if found is not None:
            return found
    return None


def mark_of(task: str) -> str:
    """Name the snapshot that marks a way back under way."""
    return f"vmpooler-reverting-{task}"


def kept(properties: Mapping[str, Any], task: str) -> str:
    """Write down what is to be on the VM afterwards: its annotation and the notes, this task's too."""
    notes = {one.key: str(one.value) for one in disks.with_task(properties, task)}
    return json.dumps({"annotation": properties.get("config.annotation") or "", "notes": notes})


def restoring(text: str) -> Any:
    """Specify the change that puts on the VM what was written down."""
    values = json.loads(text)
    notes = [vim.option.OptionValue(key=key, value=value) for key, value in values["notes"].items()]
    return vim.vm.ConfigSpec(annotation=values["annotation"], extraConfig=notes)
