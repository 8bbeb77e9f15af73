"""Metrics of a connection pool, whatever it connects to: Redis, a provider, a DNS server."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, gauge, histogram
from vmpooler_common.metrics.instrument import Instrument

LABELS = (Label("type"), Label("owner"))


class ConnectionMetrics:
    """What one connection pool reports; any number of pools share the metrics.

    `type` says what it connects to (`redis_connection_pool`, `provider_connection_pool`,
    `dns_connection_pool`), `owner` whose it is: the service, or the name in the configuration.
    """

    AVAILABLE = gauge("connection_available", "Connections that could be taken now.", labels=LABELS)
    IN_USE = gauge("connpool_in_use", "Connections that are taken.", labels=LABELS)
    SIZE = gauge("connpool_size", "Connections that the pool may have.", labels=LABELS)
    WAITING = gauge("connpool_waiting", "Tasks that wait for a connection.", labels=LABELS)
    WAITED = histogram(
        "connection_waited_seconds",
        "Time that a task waited for a connection.",
        labels=LABELS,
        buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 40, 60),
    )

    def __init__(self, backend: Backend, type: str, owner: str) -> None:  # noqa: A002 - the label's name
        self._labels = (type, owner)
        self._size = 0
        self._in_use = 0
        self._available_gauge = Instrument(backend, self.AVAILABLE)
        self._in_use_gauge = Instrument(backend, self.IN_USE)
        self._size_gauge = Instrument(backend, self.SIZE)
        self._waiting_gauge = Instrument(backend, self.WAITING)
        self._waited_histogram = Instrument(backend, self.WAITED)

    def resized(self, size: int) -> None:
        """The pool may now have `size` connections."""
        self._size = size
        self._size_gauge.record(size, *self._labels)
        self._available_gauge.record(size - self._in_use, *self._labels)

    def changed(self, *, in_use: int, waiting: int) -> None:
        """So many connections are taken now, and so many tasks wait for one."""
        self._in_use = in_use
        self._in_use_gauge.record(in_use, *self._labels)
        self._waiting_gauge.record(waiting, *self._labels)
        self._available_gauge.record(self._size - in_use, *self._labels)

    def waited(self, seconds: float) -> None:
        """A task got a connection, or gave up, after waiting for so long (0 when one was free)."""
        self._waited_histogram.record(seconds, *self._labels)
