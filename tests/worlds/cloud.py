"""The cloud of the small world: truthful about single VMs, and the judge of what is done to them."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from tests.worlds.record import LONG_AGO
from vmpooler_manager.providers.contract import OwnershipTag, ProviderVm, VmStatus

GRACE = timedelta(seconds=2)


class CreateOutcome(Enum):
    """What becomes of a `create`."""

    WORKS = "the VM is made and its id told"
    FAILS = "an error, and no VM"
    ORPHANS = "an error, and the VM is there"
    COMES_LATE = "an error, and the VM appears within the grace"
    COMES_TOO_LATE = "an error, and the VM appears when nobody expects it any more"


DELAYS = {CreateOutcome.COMES_LATE: GRACE.total_seconds() / 2, CreateOutcome.COMES_TOO_LATE: 100.0}


class CallFailed(Exception):  # noqa: N818 - the world's word for a transient error
    """A call that didn't work this time."""


@dataclass
class CloudVm:
    """One VM as it really is."""

    id: str
    tag: OwnershipTag
    appears_at: float
    """By the cloud's own clock, seconds."""
    is_on: bool = True
    used_until: datetime = LONG_AGO
    """Somebody has it until then."""


class ProviderClient:
    """All VMs of the one place that the pools share."""

    def __init__(self) -> None:
        self.vms: dict[str, CloudVm] = {}
        self.outcome = CreateOutcome.WORKS
        self.is_failing = False
        self.created: set[str] = set()
        self.clock = 0.0
        self._count = 0

    def create(self, tag: OwnershipTag) -> ProviderVm:
        """Make a VM, or not, as the current outcome says."""
        assert tag.name not in self.created, f"create was sent twice for {tag.name}"
        self.created.add(tag.name)
        if self.outcome is CreateOutcome.FAILS:
            raise CallFailed
        self._count += 1
        vm = CloudVm(f"id-{self._count}", tag, appears_at=self.clock + DELAYS.get(self.outcome, 0.0))
        self.vms[vm.id] = vm
        if self.outcome is not CreateOutcome.WORKS:
            raise CallFailed
        return _seen(vm)

    def find(self, name: str, attempt: str) -> ProviderVm | None:
        """Look a VM up by its tag."""
        self._meet_failure()
        found = [vm for vm in self._visible() if (vm.tag.name, vm.tag.attempt) == (name, attempt)]
        return _seen(found[0]) if found else None

    def inspect(self, id: str) -> ProviderVm | None:  # noqa: A002 - the field's name
        """Look at one VM; None when there is none."""
        self._meet_failure()
        return next((_seen(vm) for vm in self._visible() if vm.id == id), None)

    def listing(self) -> tuple[ProviderVm, ...]:
        """Every VM that is there."""
        return tuple(_seen(vm) for vm in self._visible())

    def annotate(self, id: str, until: datetime | None) -> None:  # noqa: A002
        """Note on a VM that somebody has it."""
        self._meet_failure()
        if id in self.vms:
            vm = self.vms[id]
            vm.tag = replace(vm.tag, owner="ann", ends_at=until)

    def use(self, id: str, until: datetime) -> None:  # noqa: A002
        """Have somebody use a VM until then, whether or not it is noted on it."""
        if id in self.vms:
            self.vms[id].used_until = until

    def destroy(self, id: str, now: datetime, *, reason: str) -> None:  # noqa: A002
        """Remove a VM. The heart of the matter: nobody may be using it, and the reason must be true."""
        self._meet_failure()
        if id in self.vms:
            vm = self.vms[id]
            assert vm.used_until <= now, f"{vm.tag.name} was destroyed while somebody had it"
            assert reason != "vanished", f"{vm.tag.name} was destroyed for being absent, which it wasn't"
            assert reason != "powered_off" or not vm.is_on, f"{vm.tag.name} was destroyed for being off"
            del self.vms[id]

    def _visible(self) -> list[CloudVm]:
        return [vm for vm in self.vms.values() if vm.appears_at <= self.clock]

    def _meet_failure(self) -> None:
        if self.is_failing:
            raise CallFailed


def _seen(vm: CloudVm) -> ProviderVm:
    return ProviderVm(vm.id, vm.tag.name, VmStatus.RUNNING if vm.is_on else VmStatus.OFF, vm.tag)
