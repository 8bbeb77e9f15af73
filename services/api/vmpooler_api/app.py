"""The application: everything it is made of, put together in one place."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any

import structlog
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from prometheus_client import CollectorRegistry
from starlette.routing import Route

from vmpooler_api.authentication.base import Directory
from vmpooler_api.background.cancellations import Cancellations
from vmpooler_api.background.event_feed import EventFeed
from vmpooler_api.background.store_health import StoreHealth
from vmpooler_api.checkout.openapi import OPERATIONS
from vmpooler_api.checkout.release import ReleaseService
from vmpooler_api.checkout.routes import CheckoutRoutes
from vmpooler_api.checkout.service import CheckoutService
from vmpooler_api.checkout.waiting import CheckoutQueue
from vmpooler_api.dashboard import routes as dashboard
from vmpooler_api.dashboard.graph_server import GraphServer, graph_source
from vmpooler_api.dashboard.page import PATH, dashboard_page, redirect_to_dashboard
from vmpooler_api.legacy.answers import RevisionsOfV1
from vmpooler_api.legacy.versions import LegacyVersions
from vmpooler_api.metrics import ApiMetrics
from vmpooler_api.ondemand import routes as ondemand
from vmpooler_api.ondemand.service import OnDemandService
from vmpooler_api.ondemand.waiting import RequestWaiters
from vmpooler_api.pools import routes as configuration
from vmpooler_api.pools.service import PoolService
from vmpooler_api.selection.candidates import CandidatePools
from vmpooler_api.selection.clone_targets import CloneTargets
from vmpooler_api.selection.selector import PoolSelector
from vmpooler_api.status import health
from vmpooler_api.status import routes as numbers
from vmpooler_api.summary import routes as summary
from vmpooler_api.summary.writer import SummaryWriter
from vmpooler_api.tokens.routes import token_router
from vmpooler_api.tokens.service import TokenService
from vmpooler_api.usage import Usage
from vmpooler_api.vms import change_routes as changes
from vmpooler_api.vms import routes as vms
from vmpooler_api.vms import task_routes as vm_tasks
from vmpooler_api.vms.changes import ChangeParser
from vmpooler_api.vms.service import ChangeService
from vmpooler_api.vms.tasks import TaskService
from vmpooler_api.web.access_log import AccessLog
from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_api.web.compression import AnswerHeaders
from vmpooler_api.web.dependencies import Parts
from vmpooler_api.web.error_handlers import add_error_handlers
from vmpooler_api.web.normalisation import Normalisation
from vmpooler_api.web.openapi import complete_openapi
from vmpooler_api.web.rate_limit import REFUSED, RateLimiter
from vmpooler_common import __version__
from vmpooler_common.config import Settings
from vmpooler_common.metrics.catalogues.http import HttpMetricsMiddleware
from vmpooler_common.metrics.exposition import exposition_endpoint
from vmpooler_common.store.store import Store
from vmpooler_common.web.json import JsonAnswer

log = structlog.get_logger(__name__)

_SECONDS_TO_WITHDRAW = 2.0
"""For undelivered checkouts when the service stops."""
_SECONDS_TO_CLOSE = 0.5
"""For exchanges with a Redis that doesn't answer: the process has to end within ten seconds in all."""


def create_app(
    settings: Settings,
    store: Store,
    *,
    metrics: ApiMetrics,
    registry: CollectorRegistry,
    directory: Directory | None,
    stop: Callable[[str], None],
) -> FastAPI:
    """Make the application; it uses and closes `store` and `directory`, and shows the metrics of `registry`.

    `stop` is called with the reason when this process can't go on; the server then has to end it.
    """
    offers, draws = CandidatePools(settings), PoolSelector(settings)

    def weigh(current: Settings) -> None:
        offers.follow(current)
        draws.follow(current)

    addresses = ClientAddresses(settings.general.trusted_proxies)
    feed = EventFeed(store.events, attempts=settings.redis.reconnect_attempts)
    waiting_room = RequestWaiters(store.requests, feed, metrics=metrics.ondemand)
    line = CheckoutQueue(store.checkouts, feed, metrics=metrics.waits)
    withdrawals = Cancellations(store.checkouts)
    usage = Usage(metrics.users, metrics.builds) if settings.general.usage_stats else None
    handing_out = CheckoutService(
        store.checkouts,
        offers,
        line=line,
        withdrawals=withdrawals,
        metrics=metrics.checkouts,
        usage=usage,
        lifetime=settings.vm_lifetime,
        lifetime_with_token=settings.lifetime_with_token,
    )
    handover = CheckoutRoutes(
        handing_out,
        ReleaseService(
            store.checkouts,
            metrics=metrics.deletes,
            usage=usage,
            only_owner=settings.general.enforce_ownership,
            admins=settings.general.admins,
        ),
        offers=offers,
        metrics=metrics.checkouts,
        addresses=addresses,
        most=settings.general.max_vms_per_request,
        checks_tokens=settings.needs_token,
    )
    watch = StoreHealth(
        store,
        attempts=settings.redis.reconnect_attempts,
        wait_replicas=settings.redis.wait_replicas,
        on_fatal=lambda error: stop(str(error)),
    )

    def stop_waiting() -> None:
        waiting_room.close()
        line.close()

    history_at = graph_source(settings)
    graph_server = GraphServer(history_at) if history_at is not None else None
    clone_targets = CloneTargets(settings, store.overrides, feed, changed=weigh)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(_supervised(work.run(), stop))
                for work in (watch, withdrawals, feed, waiting_room, line, clone_targets)
            ]
            await watch.tried.wait()
            yield
            await withdrawals.drain(_SECONDS_TO_WITHDRAW)
            for task in tasks:
                task.cancel()
        if directory is not None:
            directory.close()
        if graph_server is not None:
            await graph_server.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_SECONDS_TO_CLOSE):
                await store.close()

    app = FastAPIOffline(
        redoc_url=None,
        static_url="/docs/files",
        title="vmpooler",
        description="Hands out VMs that are ready, and makes others on demand.",
        version=__version__,
        routes=handover.routes(),
        lifespan=lifespan,
        default_response_class=JsonAnswer,
        redirect_slashes=False,
    )
    app.state.parts = Parts(
        settings,
        store,
        watch,
        provisioning=OnDemandService(
            store, settings, draws=draws, withdrawals=withdrawals, metrics=metrics.ondemand, usage=usage
        ),
        changing=ChangeService(
            store.changes,
            ChangeParser(settings),
            only_owner=settings.general.enforce_ownership,
            admins=settings.general.admins,
            tasks=metrics.tasks,
        ),
        task_orders=TaskService(store, settings, metrics=metrics.tasks),
        pool_changing=PoolService(store.overrides, settings, metrics=metrics.configuration),
        waiting_room=waiting_room,
        stop_waiting=stop_waiting,
        summaries=SummaryWriter(store.statistics),
        graph_server=graph_server,
        started_at=monotonic(),
    )
    for module in (
        vms,
        vm_tasks,
        changes,
        ondemand,
        numbers,
        summary,
        configuration,
        dashboard,
        health,
    ):
        app.include_router(module.router)
    if directory is not None:
        general = settings.general
        keeping = TokenService(
            store.tokens, directory, metrics=metrics.logins, admins=general.admins, ttl=general.token_ttl
        )
        app.include_router(token_router(keeping))
    endpoint = settings.prometheus.prometheus_endpoint.rstrip("/")
    app.router.routes.append(Route(endpoint, exposition_endpoint(registry)))
    app.router.routes.append(Route("/", redirect_to_dashboard))
    app.router.routes.append(Route(PATH, dashboard_page(settings.general.site_name)))
    never_limited = frozenset(
        {"/healthcheck", "/ready", endpoint, PATH, dashboard.POOL, dashboard.RUNNING, dashboard.STATUS}
    )
    complete_openapi(
        app,
        OPERATIONS,
        everywhere=REFUSED if settings.limits_rates else {},
        but_at=never_limited,
        needs_token=settings.needs_token,
    )
    add_error_handlers(app, watch)
    if settings.limits_rates:
        app.add_middleware(
            RateLimiter,
            rates=store.rates,
            limits=settings.rate_limits,
            addresses=addresses,
            exempt=never_limited,
            templates=app.openapi()["paths"],
            watch=watch,
            metrics=metrics.limits,
        )
    app.add_middleware(LegacyVersions, revision_for=RevisionsOfV1(settings.pools).of)
    app.add_middleware(AnswerHeaders)
    app.add_middleware(Normalisation)
    if settings.general.request_logger:
        app.add_middleware(AccessLog, addresses=addresses)
    app.add_middleware(HttpMetricsMiddleware, metrics=metrics.http)
    return app


async def _supervised(work: Coroutine[Any, Any, None], stop: Callable[[str], None]) -> None:
    """Run something that never ends; when it breaks, the process has to be started anew."""
    try:
        await work
    except Exception:
        log.exception("a background task broke")
        stop("a background task broke")
