"""The application, put together in one place: the list of constructors is the architecture.

One builder for each folder; `create_app` calls them from the inside out: background, selection, the
capabilities with their routes, the middleware around them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from starlette.routing import BaseRoute

from vmpooler_api.authentication.base import Directory
from vmpooler_api.background.cancellations import Cancellations
from vmpooler_api.background.event_feed import EventFeed
from vmpooler_api.background.store_health import StoreHealth
from vmpooler_api.checkout.routes import CheckoutRoutes
from vmpooler_api.checkout.service import CheckoutService, ReleaseService
from vmpooler_api.checkout.waiting import CheckoutQueue
from vmpooler_api.dashboard import routes as dashboard
from vmpooler_api.dashboard.graph_server import GraphServer, graph_source
from vmpooler_api.dashboard.service import DashboardService
from vmpooler_api.metrics import ApiMetrics
from vmpooler_api.ondemand import routes as ondemand
from vmpooler_api.ondemand.service import OnDemandService
from vmpooler_api.ondemand.waiting import RequestWaiters
from vmpooler_api.pools import operation_routes as operations
from vmpooler_api.pools import routes as pools
from vmpooler_api.pools.operations import OperatorService
from vmpooler_api.pools.service import PoolService
from vmpooler_api.quotas import Quotas
from vmpooler_api.selection.candidates import CandidatePools, PoolSelector
from vmpooler_api.selection.clone_targets import CloneTargets
from vmpooler_api.serving import Background, Base, add_document, add_middleware, lifespan_of, page_routes
from vmpooler_api.status import routes as status
from vmpooler_api.status.service import StatusService
from vmpooler_api.summary import routes as summary
from vmpooler_api.summary.writer import SummaryWriter
from vmpooler_api.tokens import routes as tokens
from vmpooler_api.tokens.service import TokenService
from vmpooler_api.usage import Usage
from vmpooler_api.vms import routes as vms
from vmpooler_api.vms.service import VmService
from vmpooler_api.vms.tasks import TaskService
from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_api.web.error_handlers import add_error_handlers
from vmpooler_api.web.refusal_log import RefusalLog
from vmpooler_api.web.route_names import RouteNames
from vmpooler_common import __version__
from vmpooler_common.config import Settings
from vmpooler_common.store.store import Store
from vmpooler_common.web.json import JsonAnswer


@dataclass(frozen=True, slots=True)
class Api:
    """The application, and what the process does with it."""

    app: FastAPI
    stop_waiting: Callable[[], None]
    """Answers all clients that wait; called when the service is about to stop."""


@dataclass(frozen=True, slots=True)
class _Selection:
    """How names become pools."""

    candidates: CandidatePools
    selector: PoolSelector

    def follow(self, settings: Settings) -> None:
        """Weigh the pools anew."""
        self.candidates.follow(settings)
        self.selector.follow(settings)


def create_app(
    settings: Settings,
    store: Store,
    *,
    metrics: ApiMetrics,
    registry: CollectorRegistry,
    directory: Directory | None,
    stop: Callable[[str], None],
) -> Api:
    """Make the application; it uses and closes `store` and `directory`, and shows the metrics of `registry`.

    `stop` is called with the reason when this process can't go on; the server then has to end it.
    """
    base = Base(
        settings,
        store,
        metrics,
        registry,
        directory,
        usage=Usage(metrics.users, metrics.builds) if settings.general.usage_stats else None,
        addresses=ClientAddresses(settings.general.trusted_proxies),
        quotas=Quotas(settings, metrics=metrics.limits),
    )
    selection = _Selection(CandidatePools(settings), PoolSelector(settings))
    background = _build_background(base, selection, stop)
    app = FastAPI(
        openapi_url=None,  # these are ours
        docs_url=None,
        redoc_url=None,
        title="vmpooler",
        description="Hands out VMs that are ready, and makes others on demand.",
        version=__version__,
        routes=_build_checkout(base, background, selection),
        lifespan=lifespan_of(base, background, stop),
        default_response_class=JsonAnswer,
        redirect_slashes=False,
    )
    for router in _build_routers(base, background, selection):
        app.include_router(router)
    app.router.routes.extend(page_routes(base, app))
    refusals = RefusalLog(base.addresses, RouteNames(lambda: app.openapi()["paths"]))
    add_error_handlers(app, background.health, refusals)
    add_document(app, base)
    add_middleware(app, base, background, refusals)

    def stop_waiting() -> None:
        background.requests.close()
        background.queue.close()

    return Api(app, stop_waiting)


def _build_background(base: Base, selection: _Selection, stop: Callable[[str], None]) -> Background:
    settings, store, metrics = base.settings, base.store, base.metrics
    attempts = settings.redis.reconnect_attempts
    feed = EventFeed(store.events, attempts=attempts)
    source = graph_source(settings)
    return Background(
        health=StoreHealth(
            store,
            attempts=attempts,
            wait_replicas=settings.redis.wait_replicas,
            on_fatal=lambda error: stop(str(error)),
        ),
        cancellations=Cancellations(store.checkouts),
        feed=feed,
        requests=RequestWaiters(store.requests, feed, metrics=metrics.ondemand),
        queue=CheckoutQueue(
            store.checkouts,
            feed,
            hold=settings.general.checkout_hold,
            metrics=metrics.waits,
        ),
        clone_targets=CloneTargets(settings, store.overrides, feed, changed=selection.follow),
        graph_server=GraphServer(source) if source is not None else None,
    )


def _build_checkout(base: Base, background: Background, selection: _Selection) -> list[BaseRoute]:
    settings, checkouts = base.settings, base.store.checkouts
    service = CheckoutService(
        checkouts,
        selection.candidates,
        queue=background.queue,
        quotas=base.quotas,
        cancellations=background.cancellations,
        metrics=base.metrics.checkouts,
        usage=base.usage,
    )
    releases = ReleaseService(
        checkouts,
        metrics=base.metrics.deletes,
        usage=base.usage,
        only_owner=settings.general.enforce_ownership,
        admins=settings.general.admins,
    )
    routes = CheckoutRoutes(
        service,
        releases,
        names=selection.candidates.names,
        metrics=base.metrics.checkouts,
        addresses=base.addresses,
        settings=settings,
    )
    return [*routes.routes()]


def _build_routers(base: Base, background: Background, selection: _Selection) -> Sequence[APIRouter]:
    settings, store, metrics = base.settings, base.store, base.metrics
    counts = StatusService(store.views, settings, health=background.health)
    figures = DashboardService(store.views, settings, graph_server=background.graph_server)
    on_demand = OnDemandService(
        store,
        settings,
        selector=selection.selector,
        cancellations=background.cancellations,
        quotas=base.quotas,
        metrics=metrics.ondemand,
        usage=base.usage,
    )
    routers = [
        vms.router(
            VmService(store, settings, quotas=base.quotas, tasks=metrics.tasks),
            TaskService(store, settings, quotas=base.quotas, metrics=metrics.tasks),
        ),
        ondemand.router(
            on_demand,
            background.requests,
            addresses=base.addresses,
            longest_wait=settings.serving.longest_wait,
        ),
        status.router(counts, base.addresses),
        summary.router(SummaryWriter(store.statistics)),
        pools.router(PoolService(store.overrides, settings, metrics=metrics.configuration)),
        operations.router(OperatorService(store.overrides, settings)),
        dashboard.router(figures, show_status=status.status_endpoint(counts, base.addresses)),
        status.health_router(background.health),
    ]
    if base.directory is not None:
        general = settings.general
        keeping = TokenService(
            store.tokens,
            base.directory,
            metrics=metrics.logins,
            admins=general.admins,
            ttl=general.token_ttl,
        )
        routers.append(tokens.router(keeping, base.addresses))
    return routers
