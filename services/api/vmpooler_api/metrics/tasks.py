"""Tasks on running VMs as users ask for them; what becomes of them is the manager's."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import UNKNOWN, Label, counter
from vmpooler_common.metrics.instrument import Instrument
from vmpooler_common.model.vm import TaskKind


class TaskMetrics:
    """What became of requests for tasks."""

    ORDERS = counter(
        "vm_task_orders_total",
        "Disks, snapshots and ways back that were asked for: taken up (accepted), not possible (refused), "
        "or not allowed (unauthorized).",
        labels=(
            Label("kind", tuple(TaskKind)),
            Label("result", ("accepted", "refused", "unauthorized")),
        ),
    )

    def __init__(self, backend: Backend) -> None:
        self._orders = Instrument(backend, self.ORDERS)

    def accepted(self, kind: TaskKind) -> None:
        """A task was taken up."""
        self._orders.record(1, kind, "accepted")

    def refused(self) -> None:
        """A request was wrong, or the VM isn't there or has too many tasks."""
        self._orders.record(1, UNKNOWN, "refused")

    def unauthorized(self) -> None:
        """A request came without a valid token, or with another user's."""
        self._orders.record(1, UNKNOWN, "unauthorized")
