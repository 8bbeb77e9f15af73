"""Calls about one VM."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from vmpooler_client.calls import Call, Repeat


def vm_path(hostname: str, *more: str) -> str:
    """Give the path of a VM, or of something below it."""
    return "/".join(["/api/v3/vm", *(quote(part, safe="") for part in (hostname, *more))])


def short(hostname: str) -> str:
    """Give the name by which answers call a VM."""
    return hostname.partition(".")[0]


def show_call(hostname: str) -> Call:
    """Ask for a VM."""
    return Call("GET", vm_path(hostname))


def release_call(hostname: str) -> Call:
    """Give a VM back."""
    return Call("DELETE", vm_path(hostname))


def change_call(hostname: str, *, lifetime: float | None, tags: Mapping[str, str] | None) -> Call:
    """Change a VM."""
    change: dict[str, Any] = {}
    if lifetime is not None:
        change["lifetime"] = lifetime
    if tags:
        change["tags"] = dict(tags)
    return Call("PUT", vm_path(hostname), json=change)


def task_call(hostname: str, *what: str) -> Call:
    """Have something done to a VM; each repetition would do it once more."""
    return Call("POST", vm_path(hostname, *what), Repeat.NEVER)
