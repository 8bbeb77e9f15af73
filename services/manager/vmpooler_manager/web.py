"""The manager's web server: whether it lives, whether it works, and its metrics."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vmpooler_common.metrics.catalogues.http import HttpMetrics, HttpMetricsMiddleware
from vmpooler_common.metrics.exposition import exposition_endpoint
from vmpooler_common.web.json import JsonAnswer
from vmpooler_manager.runtime.liveness import Liveness

_NO_SNIFFING = (b"x-content-type-options", b"nosniff")


class NoSniffing:
    """Tells browsers to take every answer for what it says that it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and its answer back with the header."""

        async def send_with_header(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], _NO_SNIFFING]
            await send(message)

        await self._app(scope, receive, send_with_header)


def create_app(
    *,
    liveness: Liveness,
    unready: Callable[[], str],
    registry: CollectorRegistry,
    endpoint: str,
    metrics: HttpMetrics,
) -> Starlette:
    """Serve /healthcheck, /ready and the metrics at `endpoint`; everything else is a 404 in JSON.

    `unready` says why the manager can't do its work now, nothing when it can.
    """

    async def healthcheck(_: Request) -> Response:
        return _verdict(liveness.complaint())

    async def ready(_: Request) -> Response:
        return _verdict(unready())

    async def not_found(_request: Request, _error: Exception) -> Response:
        return JsonAnswer({"ok": False}, status_code=404)

    return Starlette(
        routes=[
            Route("/healthcheck", healthcheck),
            Route("/ready", ready),
            Route(endpoint, exposition_endpoint(registry)),
        ],
        middleware=[Middleware(NoSniffing), Middleware(HttpMetricsMiddleware, metrics=metrics)],
        exception_handlers={404: not_found, 405: not_found},
    )


def _verdict(complaint: str) -> Response:
    if complaint:
        return JsonAnswer({"ok": False, "message": complaint}, status_code=503)
    return JsonAnswer({"ok": True})
