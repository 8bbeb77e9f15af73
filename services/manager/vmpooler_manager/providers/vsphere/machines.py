"""A VM's properties as the contract's value."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any

from pyVmomi import vim

from vmpooler_manager.providers.types import ProviderVm, VmStatus
from vmpooler_manager.providers.vsphere.tags import read_annotation

PROPERTIES = (
    "name",
    "parent",
    "config.instanceUuid",
    "config.annotation",
    "config.template",
    "runtime.powerState",
    "runtime.host",
    "guest.hostName",
    "guest.ipAddress",
)


def describe(ref: Any, properties: Mapping[str, Any], hosts: Mapping[str, str]) -> ProviderVm:
    """Describe a VM; `hosts` maps ids of hosts to names.

    What tools reported stays for seconds after a VM was switched off: only one that is on has an address.
    """
    is_on = properties.get("runtime.powerState") == vim.VirtualMachine.PowerState.poweredOn
    host = properties.get("runtime.host")
    return ProviderVm(
        provider_id=properties.get("config.instanceUuid") or ref._GetMoId(),
        name=str(properties.get("name", "")),
        status=VmStatus.RUNNING if is_on else VmStatus.OFF,
        tag=read_annotation(properties.get("config.annotation")),
        ip=usable(properties.get("guest.ipAddress")) if is_on else None,
        host=None if host is None else hosts.get(host._GetMoId()),
        hostname=(properties.get("guest.hostName") or None) if is_on else None,
    )


def usable(address: str | None) -> str | None:
    """Give the address if other machines can reach it."""
    try:
        parsed = ip_address(address or "")
    except ValueError:
        return None
    return None if parsed.is_link_local or parsed.is_unspecified else str(parsed)
