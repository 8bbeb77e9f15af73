"""Metrics as a service has them when they are sent somewhere, often enough for tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry

from vmpooler_common.metrics.backends.fan_out import FanOut
from vmpooler_common.metrics.backends.gathering import Gathering
from vmpooler_common.metrics.backends.prometheus import PrometheusBackend
from vmpooler_common.metrics.backends.push import Pushing, PushMetrics, Receiver
from vmpooler_common.metrics.declaration import Label, counter, gauge, histogram
from vmpooler_common.metrics.instrument import Instrument

OFTEN = 0.02
VISITS = counter("visits_total", "Visits.", labels=(Label("door"),))
GUESTS = gauge("guests", "Guests.", labels=(Label("room"),))
STAY = histogram("stay_seconds", "Stays.", labels=(Label("room"),), buckets=(1,))
WEIGHT = histogram("weight_kilograms", "Weights.", buckets=(1,))


@dataclass
class Pushed:
    """Metrics that go to a receiver and to Prometheus."""

    receiver: Receiver
    prefix: str = "vmpooler"
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)

    def __post_init__(self) -> None:
        self.gathering = Gathering(self.prefix)
        backend = FanOut(PrometheusBackend(self.registry), self.gathering)
        self._pushing = Pushing(self.gathering, self.receiver, interval=OFTEN, metrics=PushMetrics(backend))
        self.visits = Instrument(backend, VISITS)
        self.guests = Instrument(backend, GUESTS)
        self.stay = Instrument(backend, STAY)
        self.weight = Instrument(backend, WEIGHT)

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Pushed"]:
        """Send while the context is open."""
        async with self._pushing.running():
            yield self

    def lost(self) -> float:
        """Durations that are counted as lost."""
        return self._own("metrics_lost_total")

    def failures(self) -> float:
        """Attempts that are counted as failed."""
        return self._own("metrics_send_failures_total")

    def _own(self, name: str) -> float:
        labels = {"vmpooler_instance": "vmpooler", "backend": self.receiver.NAME}
        return self.registry.get_sample_value(f"vmpooler_{name}", labels) or 0.0
