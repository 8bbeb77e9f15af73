"""The backend that Prometheus scrapes: keeps the numbers in a registry of the client library."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from vmpooler_common.metrics.backends.base import Series
from vmpooler_common.metrics.declaration import NAME, Declaration, MetricKind

INSTANCE_LABEL = "vmpooler_instance"


class PrometheusBackend:
    """Registers metrics in `registry` under `<prefix>_<name>`.

    `instance` is the value of the label `vmpooler_instance`. Raises ValueError for a prefix that
    can't start a metric's name.
    """

    def __init__(
        self, registry: CollectorRegistry, *, prefix: str = "vmpooler", instance: str = "vmpooler"
    ) -> None:
        if not NAME.match(prefix):
            raise ValueError(
                f"{prefix!r} can't start the name of a metric; expected lower-case words joined by _"
            )
        # The library has this switch only for the whole process. The series would double the number
        # of samples, and nothing here reads them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._registry = registry
        self._prefix = prefix
        self._instance = instance
        self._families: dict[str, tuple[Declaration, Counter | Gauge | Histogram]] = {}

    def declare(self, declaration: Declaration) -> None:
        """Register the metric once. Raises ValueError when the registry has another one of its name."""
        held = self._families.get(declaration.name)
        if held is None:
            self._families[declaration.name] = (declaration, self._registered(declaration))
        elif held[0] != declaration:
            raise ValueError(f"two different metrics are called {declaration.name}")

    def series(self, declaration: Declaration, values: tuple[str, ...]) -> Series:
        """Give the bound method of the library's child that records for these label values."""
        child = self._families[declaration.name][1]
        if labels := self._label_values(declaration, values):
            child = child.labels(*labels)
        match child:
            case Counter():
                return child.inc
            case Gauge():
                return child.set
            case Histogram():
                return child.observe

    def drop(self, declaration: Declaration, values: tuple[str, ...]) -> None:
        """Remove the series from the exposition."""
        self._families[declaration.name][1].remove(*self._label_values(declaration, values))

    def _registered(self, declaration: Declaration) -> Counter | Gauge | Histogram:
        name = f"{self._prefix}_{declaration.name}"
        labels = (*((INSTANCE_LABEL,) if declaration.carries_instance else ()), *declaration.label_names)
        match declaration.kind:
            case MetricKind.COUNTER:
                return Counter(name, declaration.help, labels, registry=self._registry)
            case MetricKind.GAUGE:
                return Gauge(name, declaration.help, labels, registry=self._registry)
            case MetricKind.HISTOGRAM:
                return Histogram(
                    name, declaration.help, labels, registry=self._registry, buckets=declaration.buckets
                )

    def _label_values(self, declaration: Declaration, values: tuple[str, ...]) -> tuple[str, ...]:
        return (self._instance, *values) if declaration.carries_instance else values
