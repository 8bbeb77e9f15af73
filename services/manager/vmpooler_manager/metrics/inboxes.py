"""What the manager reports of its inboxes."""

from typing import Literal, get_args

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter
from vmpooler_common.metrics.instrument import Instrument

InboxName = Literal["requests", "tasks"]


class InboxMetrics:
    """What comes in and isn't understood."""

    DEAD = counter(
        "dlq_entries_total",
        "Entries that could not be understood and were put aside.",
        labels=(Label("queue", get_args(InboxName)),),
    )

    def __init__(self, backend: Backend) -> None:
        self._dead = Instrument(backend, self.DEAD)

    def dead(self, queue: InboxName) -> None:
        """An entry could not be understood."""
        self._dead.record(1, queue)
