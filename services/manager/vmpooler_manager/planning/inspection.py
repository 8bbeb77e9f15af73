"""What follows from asking a provider for one VM. Absence alone never destroys anything (D8)."""

from vmpooler_common.model.vm import Guard, VmState
from vmpooler_manager.planning.actions import ClearSuspects, MarkSuspect, Retire
from vmpooler_manager.providers.types import ProviderVm, VmStatus


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


def while_booting(name: str, seen: ProviderVm | None) -> Retire | None:
    """Decide about a pending VM. `seen`: None when the provider says that it has no such VM (any more)."""
    if seen is None:
        return Retire(name, VmState.PENDING, "vanished", failure="a VM vanished while it booted")
    if seen.status is VmStatus.OFF:
        failure = "a VM was switched off while it booted"
        return Retire(name, VmState.PENDING, "powered_off", failure=failure)
    return None


def after_failed_clone(name: str, error: str, *, is_permanent: bool) -> Retire:
    """Give up a VM whose `create` failed; a permanent error fails the requests by itself."""
    return Retire(name, VmState.PENDING, "clone_failed", failure="" if is_permanent else error)


def after_lost_clone(name: str) -> Retire:
    """Give up a VM that didn't appear within `create_grace` after its manager died.

    Counted as nobody's failure: one death loses many clones, and says nothing of the cloud.
    """
    return Retire(name, VmState.PENDING, "clone_failed")
