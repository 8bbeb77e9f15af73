"""What the manager reports of tasks on running VMs."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter, histogram
from vmpooler_common.metrics.instrument import Instrument
from vmpooler_common.model.vm import TaskKind

TASK_BUCKETS = (0.1, 0.5, 1, 5, 10, 30, 60, 120, 300, 600, 1800, 3600)
KIND = Label("kind", tuple(TaskKind))


class TaskMetrics:
    """What becomes of disks, snapshots and ways back, and after how long."""

    TASKS = counter(
        "vm_tasks_total",
        "Tasks on running VMs: done, given up (failed), to be tried again (retried), or carried out for a VM "
        "that was returned meanwhile (over).",
        labels=(KIND, Label("result", ("done", "failed", "retried", "over"))),
    )
    SECONDS = histogram(
        "vm_task_seconds",
        "Time from a user's wish until it was done.",
        labels=(KIND,),
        buckets=TASK_BUCKETS,
    )

    def __init__(self, backend: Backend) -> None:
        self._tasks = Instrument(backend, self.TASKS)
        self._seconds = Instrument(backend, self.SECONDS)

    def done(self, kind: TaskKind, seconds: float) -> None:
        """A task was done, so long after it was asked for."""
        self._tasks.record(1, kind, "done")
        self._seconds.record(seconds, kind)

    def failed(self, kind: TaskKind) -> None:
        """A task was given up."""
        self._tasks.record(1, kind, "failed")

    def retried(self, kind: TaskKind) -> None:
        """A task failed and is to be tried again."""
        self._tasks.record(1, kind, "retried")

    def over(self, kind: TaskKind) -> None:
        """The VM was returned while a task was worked on, or another manager finished the task."""
        self._tasks.record(1, kind, "over")
