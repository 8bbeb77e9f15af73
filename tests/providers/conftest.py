"""What the tests of providers share."""

import pytest
from prometheus_client import CollectorRegistry

from tests.providers.exchange import ReadMetric
from vmpooler_common.metrics.backends.prometheus import PrometheusBackend
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics


@pytest.fixture
def metrics_registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def measured(metrics_registry: CollectorRegistry) -> ConnectionMetrics:
    backend = PrometheusBackend(metrics_registry, instance="test")
    return ConnectionMetrics(backend, "provider_connection_pool", "dummy")


@pytest.fixture
def metric(metrics_registry: CollectorRegistry) -> ReadMetric:
    def read(name: str) -> float | None:
        for family in metrics_registry.collect():
            for sample in family.samples:
                if sample.name in (f"vmpooler_connection_{name}", f"vmpooler_connpool_{name}"):
                    return sample.value
        return None

    return read
