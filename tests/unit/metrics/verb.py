"""What a verb of a catalogue is, and a service's catalogues to tell it to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from prometheus_client import CollectorRegistry

from vmpooler_api.metrics import ApiMetrics
from vmpooler_common.metrics.backends.prometheus import PrometheusBackend
from vmpooler_common.metrics.backends.push import PushMetrics
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.exposition import exposition
from vmpooler_manager.metrics import ManagerMetrics

POOLS = ("debian-12-x86_64", "debian")


class Reporter:
    """The catalogues of one service on a registry of their own, as an assembled process has them."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self.backend = PrometheusBackend(self.registry, prefix="vmpooler", instance="ci")
        self.metrics: ApiMetrics | ManagerMetrics = (
            ApiMetrics(self.backend, names=POOLS)
            if service == "api"
            else ManagerMetrics(self.backend, counts_use=True)
        )
        self.connections = ConnectionMetrics(self.backend, "redis_connection_pool", service)
        self.pushing = PushMetrics(self.backend)

    def subsystem(self, name: str) -> Any:
        """One catalogue by its attribute."""
        return getattr(self if name in ("connections", "pushing") else self.metrics, name)

    def lines(self) -> list[str]:
        """The exposition as Prometheus reads it."""
        return exposition(self.registry).decode().splitlines()


@dataclass(frozen=True)
class Verb:
    """One event, told to one catalogue."""

    service: str
    subsystem: str
    name: str
    arguments: tuple[Any, ...]
    named: Mapping[str, Any]

    @classmethod
    def of(cls, service: str, subsystem: str, name: str, /, *arguments: Any, **named: Any) -> Self:
        """Describe `metrics.subsystem.name(*arguments, **named)` in a service."""
        return cls(service, subsystem, name, arguments, named)

    def __str__(self) -> str:
        arguments = [*map(repr, self.arguments), *(f"{name}={value!r}" for name, value in self.named.items())]
        return f"{self.subsystem}.{self.name}({', '.join(arguments)})"

    def tell(self, reporter: Reporter) -> None:
        """Report the event."""
        getattr(reporter.subsystem(self.subsystem), self.name)(*self.arguments, **self.named)
