"""From the settings to the backend of a service's metrics."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, ProcessCollector

from vmpooler_common.config import Settings
from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.backends.fan_out import FanOut
from vmpooler_common.metrics.backends.gathering import Gathering
from vmpooler_common.metrics.backends.graphite import Graphite
from vmpooler_common.metrics.backends.prometheus import PrometheusBackend
from vmpooler_common.metrics.backends.push import Pushing, PushMetrics, Receiver
from vmpooler_common.metrics.backends.statsd import Statsd

STATSD_SECONDS = 2.0
"""Between datagrams: well below the ten seconds in which statsd itself gathers."""
GRAPHITE_SECONDS = 10.0
"""Between lines of a path: the finest step that Graphite is usually told to keep."""


@dataclass(frozen=True, slots=True)
class Reporting:
    """Where a service's metrics go."""

    backend: Backend
    """For the catalogues."""
    registry: CollectorRegistry
    """What the Prometheus endpoint shows: the same, whatever else is configured."""
    pushing: Pushing | None
    """What sends them to statsd or Graphite, if they go there."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Send while the context is open."""
        return self.pushing.running() if self.pushing else _nothing_to_send()


def report_as_configured(settings: Settings) -> Reporting:
    """Make the backend that the settings describe; nothing is sent before `running`."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    section = settings.prometheus
    prometheus = PrometheusBackend(registry, prefix=section.prometheus_prefix, instance=section.prefix)
    receiver: Receiver
    if settings.statsd:
        prefix, interval = settings.statsd.prefix, STATSD_SECONDS
        receiver = Statsd(settings.statsd.server, settings.statsd.port)
    elif settings.graphite:
        prefix, interval = settings.graphite.prefix, GRAPHITE_SECONDS
        receiver = Graphite(settings.graphite.server, settings.graphite.port)
    else:
        return Reporting(prometheus, registry, None)
    gathering = Gathering(prefix)
    both = FanOut(prometheus, gathering)
    pushing = Pushing(gathering, receiver, interval=interval, metrics=PushMetrics(both))
    return Reporting(both, registry, pushing)


@asynccontextmanager
async def _nothing_to_send() -> AsyncIterator[None]:
    yield
