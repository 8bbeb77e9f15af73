"""Checkouts that wait for VMs to be ready."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, gauge, histogram
from vmpooler_common.metrics.instrument import Instrument


class WaitMetrics:
    """Checkouts with `?wait=` that found VMs missing; those that found them ready aren't among these."""

    WAITING = gauge("checkout_waiting_clients", "Clients that wait for VMs to be ready.")
    HOLDING = gauge(
        "checkout_holding_clients",
        "Of those, the ones that keep VMs from later checkouts until they have all.",
    )
    WAITED = histogram(
        "checkout_wait_seconds",
        "How long clients waited for VMs: until they got them (granted), in vain (empty), until they went "
        "away (left), or until something else was answered, such as that Redis is away (failed).",
        buckets=(0.1, 0.5, 1, 2, 5, 10, 15, 20, 30, 45, 60),
        labels=(Label("result", ("granted", "empty", "left", "failed")),),
    )

    def __init__(self, backend: Backend) -> None:
        self._waiting = Instrument(backend, self.WAITING)
        self._waited = Instrument(backend, self.WAITED)
        self._holding = Instrument(backend, self.HOLDING)
        self.waiting(0)
        self.holding(0)

    def waiting(self, clients: int) -> None:
        """So many clients wait now."""
        self._waiting.record(clients)

    def holding(self, clients: int) -> None:
        """So many clients hold VMs back now."""
        self._holding.record(clients)

    def waited(self, seconds: float, result: str) -> None:
        """A wait has ended; `result` is a value of the label."""
        self._waited.record(seconds, result)
