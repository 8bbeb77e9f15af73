"""Stores for tests: each on a prefix of its own, prepared, with everything counted that it reports."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from vmpooler_common.metrics.backends.base import Series
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.catalogues.redis import RedisMetrics
from vmpooler_common.metrics.declaration import Declaration
from vmpooler_common.store.core.connection import RedisOptions
from vmpooler_common.store.store import Store, StoreOptions


class Tally:
    """A metrics backend that keeps sums: what was recorded, by the metric's name and its label values."""

    def __init__(self) -> None:
        self.sums: Counter[tuple[str, ...]] = Counter()

    def declare(self, declaration: Declaration) -> None:
        """Take any declaration."""

    def series(self, declaration: Declaration, values: tuple[str, ...]) -> Series:
        """Give a recorder that adds to the sum of this series."""

        def add(amount: float) -> None:
            self.sums[(declaration.name, *values)] += amount  # type: ignore[assignment]

        return add

    def drop(self, declaration: Declaration, values: tuple[str, ...]) -> None:
        """Forget the series."""
        del self.sums[(declaration.name, *values)]

    @property
    def round_trips(self) -> int:
        """Sends to Redis that awaited replies."""
        return self.sums[("redis_round_trips_total",)]

    def errors(self, kind: str) -> int:
        """Failed sends of a kind, such as `unreachable`."""
        return self.sums[("redis_errors_total", kind)]


PATIENCE: Mapping[str, float] = {"connect_timeout": 30.0, "timeout": 30.0}
"""Seconds for Redis: a busy machine must not fail a test that isn't about time-outs."""


def make_store(
    url: str,
    prefix: str,
    *,
    installation: str = "test",
    tally: Tally | None = None,
    data_ttl: timedelta = timedelta(hours=168),
    wait_replicas: int = 0,
    wait_timeout: timedelta = timedelta(seconds=1),
    **link: Any,
) -> Store:
    """Put a store together; nothing is sent yet. `link` are fields of RedisOptions, such as `timeout`."""
    backend = tally or Tally()
    return Store.connect(
        StoreOptions(
            RedisOptions(url, **{**PATIENCE, **link}),
            prefix=prefix,
            installation=installation,
            data_ttl=data_ttl,
            wait_replicas=wait_replicas,
            wait_timeout=wait_timeout,
        ),
        metrics=RedisMetrics(backend),
        connections=ConnectionMetrics(backend, "redis_connection_pool", "test"),
    )


@asynccontextmanager
async def open_store(url: str, prefix: str, **options: Any) -> AsyncIterator[Store]:
    """Yield a prepared store, its scripts loaded; takes the options of `make_store`."""
    store = make_store(url, prefix, **options)
    try:
        await store.deployment.prepare()
        yield store
    finally:
        await store.close()
