"""One VM, and what is done to it."""

from collections.abc import Mapping

from pydantic import Field

from vmpooler_client.models.base import Model, Moment


class VmTask(Model):
    """Something that was asked to be done to a VM."""

    id: str
    kind: str
    """`disk`, `snapshot` or `revert`."""
    state: str
    """`pending`, `done` or `failed`."""
    disk: str | None = None
    snapshot: str | None = None
    reason: str | None = None
    """Why it failed, or why the last try did."""


class Vm(Model):
    """What is known of a VM."""

    name: str
    """Its short name."""
    template: str | None = None
    """Its pool."""
    state: str
    """`pending`, `ready`, `running` or `destroyed`."""
    lifetime: float
    """Hours from the checkout to the end; 0: no end."""
    running: float | None = None
    """Hours since the checkout, or until the return."""
    remaining: float | None = None
    """Hours until the end; negative when overdue."""
    start_time: Moment = None
    end_time: Moment = None
    ip: str = ""
    """Empty while it isn't known."""
    fqdn: str | None = None
    host: str | None = None
    """The hypervisor's host, where it is told."""
    migrated: str | None = None
    tags: Mapping[str, str] = Field(default_factory=dict)
    disk: tuple[str, ...] = ()
    """Disks that were added, such as `+8gb`."""
    snapshots: tuple[str, ...] = ()
    tasks: tuple[VmTask, ...] = ()
    """None of a 3.x service."""

    @property
    def hostname(self) -> str:
        """Give its whole name, as far as it is known."""
        return self.fqdn or self.name

    def task(self, task_id: str) -> VmTask | None:
        """Find a task; a snapshot's is known by the snapshot's name."""
        return next((task for task in self.tasks if task.id == task_id), None)
