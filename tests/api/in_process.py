"""The API inside the test's own process, its lifespan entered, with a real Redis behind it."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import yaml
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from redis.asyncio import Redis

from tests.store.fleet import PROVIDER, Fleet
from tests.support.stores import open_store
from vmpooler_api.app import create_app
from vmpooler_api.authentication.factory import choose_directory
from vmpooler_api.metrics import ApiMetrics
from vmpooler_common.config import Options, load
from vmpooler_common.config.settings import ProviderSettings
from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.backends.fan_out import FanOut
from vmpooler_common.metrics.backends.gathering import Gathering
from vmpooler_common.metrics.backends.prometheus import PrometheusBackend
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.model.features import Feature
from vmpooler_common.store.clones.clones import Reservation
from vmpooler_common.store.from_settings import store_options
from vmpooler_common.store.store import Store

INSTANCE = "test"
POOLS: Mapping[str, Mapping[str, Any]] = {
    "pool1": {"size": 5, "alias": ["poolone", "both"]},
    "pool2": {"size": 10, "alias": ["both"]},
    "pool3": {"size": 0, "alias": "three"},
}
"""Pools for tests that need no others."""

Reach = Callable[[FastAPI], AbstractAsyncContextManager[httpx.AsyncClient]]
"""Gives a client of an app whose lifespan has been entered."""


def directly(app: FastAPI) -> httpx.AsyncClient:
    """Reach an app by calling it, without any server."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://api.test")


@dataclass(frozen=True)
class Api:
    """A running app: what clients use, and a look behind it."""

    client: httpx.AsyncClient
    app: FastAPI
    registry: CollectorRegistry
    gathering: Gathering
    """What would be sent to statsd and Graphite."""
    fleet: Fleet
    stopped: list[str] = field(default_factory=list)
    """Reasons for which the app wanted its process to end."""

    def metric(self, name: str, **labels: str) -> float:
        """Give the value of a metric of ours by its name without prefix; 0 when it isn't reported."""
        labelled = {"vmpooler_instance": INSTANCE, **labels}
        return self.registry.get_sample_value(f"vmpooler_{name}", labelled) or 0.0

    def counted(self) -> dict[str, float]:
        """Give what was counted since the last time by the names of 3.x, without HTTP and Redis."""
        counts = self.gathering.take().counts
        ours = {name.removeprefix("vmpooler."): count for name, count in counts.items()}
        return {
            name: count
            for name, count in ours.items()
            if not name.startswith(("http_", "redis_", "metrics_"))
        }


@asynccontextmanager
async def open_api(
    document: Mapping[str, Any],
    directory: Path,
    *,
    environ: Mapping[str, str] | None = None,
    redis_url: str | None = None,
    reach: Reach = directly,
    backend: Backend | None = None,
    features: frozenset[Feature] | None = None,
) -> AsyncIterator[Api]:
    """Yield the app for a document whose Redis runs; `redis_url` is a way to it of the fleet's own.

    Metrics go to `backend`, too. The fleet's provider declares `features`, if any are given.
    """
    path = directory / "api.yaml"
    path.write_text(yaml.safe_dump(dict(document), sort_keys=False))
    settings = load(path=path, host=None, port=None, environ=environ or {}, service="api").settings
    if features is not None:
        fleets = ProviderSettings(PROVIDER, PROVIDER, False, timedelta(minutes=1), Options(), features)
        settings = replace(settings, providers={**settings.providers, PROVIDER: fleets})
    registry = CollectorRegistry()
    gathering = Gathering("vmpooler")
    more = () if backend is None else (backend,)
    everywhere = FanOut(PrometheusBackend(registry, instance=INSTANCE), gathering, *more)
    metrics = ApiMetrics(everywhere, names=settings.names)
    connections = ConnectionMetrics(everywhere, "redis_connection_pool", "api")
    store = Store.connect(store_options(settings), metrics=metrics.redis, connections=connections)
    stopped: list[str] = []
    app = create_app(
        settings,
        store,
        metrics=metrics,
        registry=registry,
        directory=choose_directory(settings),
        stop=stopped.append,
    ).app
    url, prefix = redis_url or document["redis"]["url"], document["redis"]["prefix"]
    async with (
        app.router.lifespan_context(app),
        reach(app) as client,
        open_store(url, prefix, installation=settings.installation) as own_store,
        Redis.from_url(url, decode_responses=True, protocol=2) as redis,
    ):
        yield Api(client, app, registry, gathering, Fleet(own_store, redis, prefix), stopped)


async def make_ready(fleet: Fleet, pool: str, *vms: str, domain: str) -> None:
    """Make ready VMs whose domain isn't the fleet's."""
    minute = timedelta(minutes=1)
    reservation = Reservation(pool, "dummy", domain, 1000, 1000, 1000, minute)
    clones = fleet.store.clones
    pairs = [(vm, f"attempt-{vm}") for vm in vms]
    await clones.reserve(reservation, pairs, operation=f"reserve-{vms[0]}", manager="m", lease=minute)
    for vm, attempt in pairs:
        await clones.begin(vm, operation=f"begin-{vm}", manager="m", lease=minute)
        await clones.created(vm, attempt, provider_id=f"id-{vm}", ip=None, host=None, cloned=True)
        await clones.promote(vm, attempt, operation=f"promote-{vm}")
