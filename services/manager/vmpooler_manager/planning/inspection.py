"""What follows from asking a provider for one VM. Absence alone never destroys anything (D8)."""

from ipaddress import ip_address

from vmpooler_common.model.vm import Guard, VmState
from vmpooler_manager.planning.actions import ClearSuspects, MarkSuspect, Retire
from vmpooler_manager.providers.errors import NoCapacity, PermanentError, ProviderError
from vmpooler_manager.providers.types import ProviderVm, VmStatus

NETBIOS = 15
"""Characters to which Windows shortens a host name."""


def after_missing(name: str, seen: ProviderVm | None) -> Retire | MarkSuspect | None:
    """Decide about a ready VM that listings miss. `seen`: None when the provider doesn't show it, either.

    A listing that is wrong for long would otherwise set aside, and have replaced, whatever is made.
    """
    if seen is None:
        return MarkSuspect(name)
    return retire_if_off(name, seen)


def after_suspicion(name: str, seen: ProviderVm | None, *, bound: int) -> Retire | ClearSuspects:
    """Decide about a suspect. `seen`: None when the provider says that it has no such VM."""
    if seen is None:
        return Retire(name, VmState.READY, "vanished", Guard.UNSEEN, bound)
    return retire_if_off(name, seen) or ClearSuspects((name,))


def retire_if_off(name: str, seen: ProviderVm) -> Retire | None:
    """Retire a ready VM that the provider shows switched off."""
    return retire_switched_off(name) if seen.status is VmStatus.OFF else None


def retire_switched_off(name: str) -> Retire:
    """Retire a ready VM that is switched off as unhealthy: nobody could use it."""
    return Retire(name, VmState.READY, "powered_off")


def retire_renamed(name: str) -> Retire:
    """Retire a ready VM whose guest calls itself by another name: its user would not find it."""
    return Retire(name, VmState.READY, "hostname_mismatch")


def while_booting(name: str, seen: ProviderVm | None, *, may_appear: bool = False) -> Retire | None:
    """Decide about a pending VM. `seen`: None when the provider says that it has no such VM (any more).

    `may_appear`: its clone was accepted less than `create_grace` ago, and nobody has seen it yet.
    """
    if seen is None:
        failure = "a VM vanished while it booted"
        return None if may_appear else Retire(name, VmState.PENDING, "vanished", failure=failure)
    if seen.status is VmStatus.OFF:
        failure = "a VM was switched off while it booted"
        return Retire(name, VmState.PENDING, "powered_off", failure=failure)
    return None


def usable_address(seen: ProviderVm) -> str | None:
    """Give the address at which a pending VM can be checked; None while it has to boot."""
    if seen.status is not VmStatus.RUNNING or not seen.ip:
        return None
    try:
        address = ip_address(seen.ip)
    except ValueError:
        return None
    return None if address.is_unspecified or address.is_link_local else seen.ip


def has_other_name(vm: ProviderVm) -> bool:
    """Whether the guest says that it has another host name; its domain and upper case don't count."""
    if not vm.hostname:
        return False
    called, name = vm.hostname.partition(".")[0].lower(), vm.name.partition(".")[0].lower()
    return called not in (name, name[:NETBIOS])


def after_failed_clone(name: str, error: ProviderError) -> Retire:
    """Give up a VM whose clone failed, at once or later.

    A permanent error fails the requests by itself. Want of room is told to who waits, until the deadline:
    it is no failed attempt, for the next one may find room.
    """
    if isinstance(error, NoCapacity):
        return Retire(name, VmState.PENDING, "no_capacity", failure=str(error), counts=False)
    failure = "" if isinstance(error, PermanentError) else str(error)
    return Retire(name, VmState.PENDING, "clone_failed", failure=failure)


def after_taken_name(name: str, error: str) -> Retire:
    """Give up a booted VM whose name belongs to somebody else in DNS: the next one gets another name.

    Counted as nobody's failure: it says nothing of the template.
    """
    return Retire(name, VmState.PENDING, "name_taken", failure=error, counts=False)


def after_lost_clone(name: str) -> Retire:
    """Give up a VM that didn't appear within `create_grace` after its manager died.

    Counted as nobody's failure: one death loses many clones, and says nothing of the cloud.
    """
    return Retire(name, VmState.PENDING, "clone_failed")
