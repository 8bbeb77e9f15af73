"""What the manager reports of its own work."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter, gauge
from vmpooler_common.metrics.instrument import Instrument


class LoopMetrics:
    """The manager's own work."""

    LEASES = gauge("leases_held", "Pools that this manager looks after.")
    SERVABLE = gauge(
        "servable_pools",
        "Configured pools that this manager can serve: their provider is open, and its listings work.",
    )
    CLONE_SLOTS = gauge(
        "clone_slots_in_use",
        "Clone slots that are taken, over all managers: to keep pools filled, and for on-demand requests.",
        labels=(Label("kind", ("pool", "ondemand")),),
    )
    CLOCK_UNSTEADY = gauge(
        "clock_unsteady",
        "Whether the clocks disagree (1), so that nothing is expired or destroyed.",
    )
    RESTARTS = counter(
        "loop_restarts_total", "Background loops that ended in an error and were started again."
    )
    EVENTS_MISSED = counter(
        "events_missed_total", "Gaps in the stream of events, after which everything was re-read."
    )

    def __init__(self, backend: Backend) -> None:
        self._leases = Instrument(backend, self.LEASES)
        self._servable = Instrument(backend, self.SERVABLE)
        self._clone_slots = Instrument(backend, self.CLONE_SLOTS)
        self._clock_unsteady = Instrument(backend, self.CLOCK_UNSTEADY)
        self._restarts = Instrument(backend, self.RESTARTS)
        self._events_missed = Instrument(backend, self.EVENTS_MISSED)

    def leased(self, count: int) -> None:
        """This manager now looks after so many pools."""
        self._leases.record(count)

    def servable(self, count: int) -> None:
        """This manager can serve so many of its configured pools now."""
        self._servable.record(count)

    def cloning(self, *, pools: int, requests: int) -> None:
        """So many clone slots are taken now."""
        self._clone_slots.record(pools, "pool")
        self._clone_slots.record(requests, "ondemand")

    def clock_unsteady(self) -> None:
        """Redis's clock and ours drifted apart."""
        self._clock_unsteady.record(1)

    def clock_steady(self) -> None:
        """The clocks agree."""
        self._clock_unsteady.record(0)

    def restarted(self) -> None:
        """A background loop ended in an error and is started again."""
        self._restarts.record(1)

    def events_missed(self) -> None:
        """Events were trimmed before they were read."""
        self._events_missed.record(1)
