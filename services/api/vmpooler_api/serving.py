"""What is put around the routes: background tasks, middleware, the OpenAPI document, pages."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import structlog
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute, Route

from vmpooler_api.authentication.base import Directory
from vmpooler_api.background.cancellations import Cancellations
from vmpooler_api.background.event_feed import EventFeed
from vmpooler_api.background.store_health import StoreHealth
from vmpooler_api.checkout.openapi import OPERATIONS
from vmpooler_api.checkout.waiting import CheckoutQueue
from vmpooler_api.dashboard import routes as dashboard
from vmpooler_api.dashboard.graph_server import GraphServer
from vmpooler_api.dashboard.page import PATH, dashboard_page, redirect_to_dashboard
from vmpooler_api.legacy.answers import RevisionsOfV1
from vmpooler_api.legacy.document import describe_legacy_versions
from vmpooler_api.legacy.versions import LegacyVersions
from vmpooler_api.metrics import ApiMetrics
from vmpooler_api.ondemand.waiting import RequestWaiters
from vmpooler_api.quotas import Quotas
from vmpooler_api.selection.clone_targets import CloneTargets
from vmpooler_api.usage import Usage
from vmpooler_api.web.access_log import AccessLog
from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_api.web.compression import AnswerHeaders
from vmpooler_api.web.documentation import documentation_routes
from vmpooler_api.web.normalisation import Normalisation
from vmpooler_api.web.openapi import complete_openapi
from vmpooler_api.web.origins import FOREIGN, OriginGuard
from vmpooler_api.web.path_prefix import PathPrefix
from vmpooler_api.web.rate_limit import REFUSED, Limits, RateLimiter
from vmpooler_api.web.refusal_log import RefusalLog
from vmpooler_common.config import Settings
from vmpooler_common.metrics.catalogues.http import HttpMetricsMiddleware
from vmpooler_common.metrics.exposition import exposition_endpoint
from vmpooler_common.model.events import EventName
from vmpooler_common.store.store import Store

log = structlog.get_logger(__name__)

_SECONDS_TO_CANCEL = 2.0
"""For undelivered checkouts when the service stops."""
_SECONDS_TO_CLOSE = 0.5
"""For exchanges with a Redis that doesn't answer: the process has to end within ten seconds in all."""


@dataclass(frozen=True, slots=True)
class Base:
    """What all builders use."""

    settings: Settings
    store: Store
    metrics: ApiMetrics
    registry: CollectorRegistry
    directory: Directory | None
    usage: Usage | None
    addresses: ClientAddresses
    quotas: Quotas


@dataclass(frozen=True, slots=True)
class Background:
    """What runs beside the requests."""

    health: StoreHealth
    cancellations: Cancellations
    feed: EventFeed
    requests: RequestWaiters
    queue: CheckoutQueue
    clone_targets: CloneTargets
    graph_server: GraphServer | None


def page_routes(base: Base, app: FastAPI) -> list[BaseRoute]:
    """Make the routes of the metrics, of the documentation, and of the dashboard's page."""
    return [
        *documentation_routes(app.title, lambda: app.openapi()),
        Route(_metrics_path(base.settings), exposition_endpoint(base.registry)),
        Route("/", redirect_to_dashboard),
        Route(PATH, dashboard_page(base.settings.general.site_name)),
    ]


def _metrics_path(settings: Settings) -> str:
    return settings.prometheus.prometheus_endpoint.rstrip("/")


def _never_limited(settings: Settings) -> frozenset[str]:
    """Name the paths that rate limits don't apply to."""
    return frozenset({"/healthcheck", "/ready", _metrics_path(settings), PATH})


def _guards_origins(settings: Settings) -> bool:
    return bool(settings.serving.hosts) or not settings.needs_token


def add_document(app: FastAPI, base: Base) -> None:
    """Complete the OpenAPI document."""
    complete_openapi(
        app,
        OPERATIONS,
        everywhere=REFUSED if base.settings.limits_rates else {},
        but_at=_never_limited(base.settings),
        of_changes=FOREIGN if _guards_origins(base.settings) else {},
        needs_token=base.settings.needs_token,
        finish=describe_legacy_versions,
    )


def add_middleware(app: FastAPI, base: Base, background: Background, refusals: RefusalLog) -> None:
    """Put the middleware around the routes, the innermost first."""
    settings = base.settings
    if _guards_origins(settings):
        app.add_middleware(
            OriginGuard,
            hosts=settings.serving.hosts,
            checks_pages=not settings.needs_token,
            refusals=refusals,
        )
    if settings.limits_rates:
        app.add_middleware(
            RateLimiter,
            limits=Limits(
                base.store.rates,
                settings.rate_limits,
                dashboard=frozenset({dashboard.POOL, dashboard.RUNNING, dashboard.STATUS}),
            ),
            addresses=base.addresses,
            exempt=_never_limited(settings),
            health=background.health,
            metrics=base.metrics.limits,
            refusals=refusals,
        )
    app.add_middleware(
        LegacyVersions,
        revision_for=RevisionsOfV1(settings.pools).of,
        serves_unversioned=settings.serving.unversioned_paths,
    )
    app.add_middleware(AnswerHeaders)
    if settings.serving.root_path or settings.general.trusted_proxies:
        app.add_middleware(PathPrefix, prefix=settings.serving.root_path, addresses=base.addresses)
    app.add_middleware(Normalisation)
    if settings.general.request_logger:
        app.add_middleware(AccessLog, addresses=base.addresses)
    app.add_middleware(HttpMetricsMiddleware, metrics=base.metrics.http)


def lifespan_of(
    base: Base, background: Background, stop: Callable[[str], None]
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    """Run the background tasks as long as the application serves; close everything afterwards."""
    workers = (
        background.health,
        background.cancellations,
        background.feed,
        background.requests,
        background.queue,
        background.clone_targets,
    )

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_supervised(worker.run(), stop)) for worker in workers]
            await background.health.tried.wait()
            yield
            await background.cancellations.drain(_SECONDS_TO_CANCEL)
            for task in tasks:
                task.cancel()
        if base.directory is not None:
            base.directory.close()
        if background.graph_server is not None:
            await background.graph_server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_CLOSE):
                await base.store.close()

    return lifespan


async def _supervised(work: Coroutine[Any, Any, None], stop: Callable[[str], None]) -> None:
    """Run something that never ends; when it breaks, the process has to be started anew."""
    try:
        await work
    except Exception:
        log.exception(EventName.INTERNAL_ERROR, message="a background task broke")
        stop("a background task broke")
