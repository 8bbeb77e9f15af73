"""One VM of the dummy cloud: what its table holds, and what that means at a given time."""

from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

from vmpooler_common.model.vm import TaskKind
from vmpooler_manager.providers.contract import OwnershipTag, ProviderVm, VmStatus

HOSTS = 10
FIRST_ADDRESS = int(IPv4Address("10.0.0.0"))
LAST_BYTES = 254
"""Addresses end in 1 to 254: neither a network's own nor a broadcast address."""
ADDRESSES = 2**16 * LAST_BYTES


@dataclass(frozen=True, slots=True)
class TaskDone:
    """One entry of a VM's journal."""

    id: str
    kind: TaskKind
    size: int = 0
    """Of a disk, in GB."""
    snapshot: str = ""
    """The snapshot's name that a revert went back to."""


def disks_after(journal: Sequence[TaskDone]) -> tuple[TaskDone, ...]:
    """Give the disks that a VM has after all that was done to it, in this order: a revert takes some away."""
    disks: tuple[TaskDone, ...] = ()
    disks_at: dict[str, tuple[TaskDone, ...]] = {}
    for task in journal:
        match task.kind:
            case TaskKind.DISK:
                disks = (*disks, task)
            case TaskKind.SNAPSHOT:
                disks_at[task.id] = disks
            case TaskKind.REVERT:
                disks = disks_at[task.snapshot]
    return disks


@dataclass(frozen=True, slots=True)
class Machine:
    """A row of the table. Times are epoch seconds."""

    number: int
    """Counts all VMs that the table ever held, from 1; the address and the host follow from it."""
    id: str
    place: str
    name: str
    clone_ends_at: float
    ready_at: float
    ready_known: bool
    """The guest has answered once, or always answers."""
    powered_on: bool
    clone_failure: str | None
    """Why the clone fails when its time is over; None: it doesn't."""
    hostname: str
    moves: int
    """How often it was moved to another host."""
    tag: OwnershipTag | None

    def has_failed(self, now: float) -> bool:
        """Whether the clone has failed by `now`, so that there is no VM."""
        return self.clone_failure is not None and now >= self.clone_ends_at

    def status(self, now: float) -> VmStatus:
        """Say how far the VM is at `now`, in epoch seconds."""
        if not self.powered_on:
            return VmStatus.OFF
        if now < self.clone_ends_at:
            return VmStatus.CLONING
        return VmStatus.RUNNING

    @property
    def ip(self) -> str:
        """The VM's address: its own until 16 million VMs later."""
        network, last = divmod((self.number - 1) % ADDRESSES, LAST_BYTES)
        return str(IPv4Address(FIRST_ADDRESS + network * 256 + last + 1))

    @property
    def host(self) -> str:
        """The hypervisor host, HOST1 to HOST10."""
        return f"HOST{(self.number - 1 + self.moves) % HOSTS + 1}"

    def seen_at(self, now: float) -> ProviderVm:
        """Describe the VM at `now`, in epoch seconds: it has an address once it has booted."""
        status = self.status(now)
        has_booted = status is VmStatus.RUNNING and now >= self.ready_at and self.ready_known
        return ProviderVm(
            provider_id=self.id,
            name=self.name,
            status=status,
            tag=self.tag,
            ip=self.ip if has_booted else None,
            host=self.host,
            hostname=self.hostname if has_booted else None,
        )
