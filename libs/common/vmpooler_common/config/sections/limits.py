"""The section `limits`: how much one client may have at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import SettingType, Wrong, as_text, as_whole, split_list, whole
from vmpooler_common.model.allowance import Allowance

_NONE = whole(minimum=0)
_MEMBERS = ("running_vms", "ondemand_vms", "waiting_checkouts", "disk_gigabytes")
_GROUPS = "a list of mappings, each with users (a list of names) and numbers for some of " + ", ".join(
    _MEMBERS
)


@dataclass(frozen=True, slots=True)
class Group:
    """Users with other numbers than everybody; None where everybody's counts."""

    users: frozenset[str]
    running_vms: int | None = None
    ondemand_vms: int | None = None
    waiting_checkouts: int | None = None
    disk_gigabytes: int | None = None

    def of(self, everybody: Allowance) -> Allowance:
        """Give what one of these users may have."""
        own = {name: getattr(self, name) for name in _MEMBERS}
        numbers = {name: getattr(everybody, name) if own[name] is None else own[name] for name in _MEMBERS}
        return Allowance(**numbers)


def _groups(value: object) -> tuple[Group, ...]:
    if not isinstance(value, list):
        raise Wrong
    return tuple(map(_group, value))


def _group(value: object) -> Group:
    if not isinstance(value, Mapping):
        raise Wrong
    if unknown := value.keys() - {"users", *_MEMBERS}:
        raise Wrong(f"users and numbers for {', '.join(_MEMBERS)}; {min(map(str, unknown))} is none of them")
    users = split_list(value.get("users"))
    if not isinstance(users, list) or not users:
        raise Wrong("a list of names as users of each group")
    numbers = {name: as_whole(value[name]) for name in _MEMBERS if value.get(name) is not None}
    if any(number < 0 for number in numbers.values()):
        raise Wrong("whole numbers of 0 or more; 0 is no limit")
    return Group(users=frozenset(map(as_text, users)), **numbers)


GROUPS = SettingType("list of groups", _GROUPS, _groups)


class AddressLimits(Section):
    """The mapping `limits.by_address`: for each client without a token; 0 is no limit."""

    running_vms: Annotated[
        int, _NONE, Setting("VMs that run or are wanted on demand; 0: any number", in_effect=True, unit="VMs")
    ] = 0
    ondemand_vms: Annotated[
        int, _NONE, Setting("VMs on demand that are still to come; 0: any number", in_effect=True, unit="VMs")
    ] = 0
    waiting_checkouts: Annotated[
        int, _NONE, Setting("Checkouts that wait at once; 0: any number", in_effect=True, unit="checkouts")
    ] = 0
    disk_gigabytes: Annotated[
        int, _NONE, Setting("Disks added to running VMs; 0: any size", in_effect=True, unit="GB")
    ] = 0


class LimitsSection(Section):
    """The section `limits`; the numbers for users count where `auth` is."""

    running_vms: Annotated[
        int,
        _NONE,
        Setting(
            "Most VMs of one user that run or are wanted on demand; 0: any number", in_effect=True, unit="VMs"
        ),
    ] = 5000
    ondemand_vms: Annotated[
        int,
        _NONE,
        Setting(
            "Most VMs on demand of one user that are still to come; 0: any number", in_effect=True, unit="VMs"
        ),
    ] = 2000
    disk_gigabytes: Annotated[
        int,
        _NONE,
        Setting(
            "Most disks that one user may add to the VMs that run; 0: any size", in_effect=True, unit="GB"
        ),
    ] = 50_000
    anonymous_ondemand_vms: Annotated[
        int,
        _NONE,
        Setting(
            "Most VMs on demand that are still to come for all requests without a token together; 0: any "
            "number",
            in_effect=True,
            unit="VMs",
        ),
    ] = 500
    by_address: Annotated[AddressLimits, Setting("Limits of one address, without tokens")] = AddressLimits()
    groups: Annotated[
        tuple[Group, ...],
        GROUPS,
        Setting(
            "Users with other numbers, by the first group that names them; config.admins have no limits",
            in_effect=True,
        ),
    ] = ()
