"""Disks that users want added to their VMs."""

import re
from typing import Any

from vmpooler_api.web.identifiers import new_identifier
from vmpooler_common.model.vm import TaskKind, TaskState, VmTask

LARGEST_DISK = 2048
"""GB."""
_DIGITS = re.compile(r"[0-9]+")


def disk_of(size: Any) -> VmTask:
    """Make the task that adds a disk of so many GB: digits, in a path or parsed JSON.

    Raises ValueError with a text for the client.
    """
    if not isinstance(size, str) or not _DIGITS.fullmatch(size):
        raise ValueError("Disk size must be a valid integer")
    digits = size.lstrip("0")
    if not digits:
        raise ValueError("Disk size must be at least 1")
    if len(digits) > len(str(LARGEST_DISK)) or int(digits) > LARGEST_DISK:
        raise ValueError(f"Disk size must be at most {LARGEST_DISK}")
    return VmTask(id=new_identifier(), kind=TaskKind.DISK, detail=digits, state=TaskState.PENDING)
