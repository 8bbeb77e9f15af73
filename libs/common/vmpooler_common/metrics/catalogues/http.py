"""Metrics of every HTTP request, and the middleware that records them."""

from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.declaration import Label, counter, gauge, histogram
from vmpooler_common.metrics.instrument import Instrument
from vmpooler_common.metrics.route_template import route_template

OTHER = "other"
METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace", "connect")


class HttpMetrics:
    """What was asked over HTTP, and how it was answered. The path is always a route's template.

    These carry no instance label: dashboards that are made for any web service know them as they are.
    """

    REQUESTS = counter(
        "http_requests_total",
        "HTTP requests that were answered.",
        labels=(Label("code"), Label("method"), Label("path")),
        instance=False,
    )
    SECONDS = histogram(
        "http_request_duration_seconds",
        "Time from a request's arrival to the end of its answer.",
        labels=(Label("method"), Label("path")),
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        instance=False,
    )
    EXCEPTIONS = counter(
        "http_exceptions_total",
        "Errors that no handler turned into an answer, by class.",
        labels=(Label("exception"),),
        instance=False,
    )

    def __init__(self, backend: Backend) -> None:
        self._requests = Instrument(backend, self.REQUESTS)
        self._seconds = Instrument(backend, self.SECONDS)
        self._exceptions = Instrument(backend, self.EXCEPTIONS)

    def answered(self, code: int, method: str, *, path: str, seconds: float) -> None:
        """A request was answered with this status. `method` as sent, `path` the route's template."""
        known = method.lower()
        if known not in METHODS:
            known = OTHER
        self._requests.record(1, str(code), known, path)
        self._seconds.record(seconds, known, path)

    def raised(self, error: BaseException) -> None:
        """A request ended in an error instead of an answer."""
        self._exceptions.record(1, type(error).__name__)


class ConnectionCounts:
    """The connections of clients to the service's web server."""

    OPEN = gauge("http_connections", "Connections of clients that are open.")
    REFUSED = counter(
        "http_connections_refused_total",
        "Connections that came when config.max_connections were open.",
    )
    CUT = counter(
        "http_connections_cut_total",
        "Connections that were closed because a request's head or body didn't come in time, or because the "
        "client didn't read its answer (send).",
        labels=(Label("awaited", ("head", "body", "send")),),
    )

    def __init__(self, backend: Backend) -> None:
        self._open = Instrument(backend, self.OPEN)
        self._refused = Instrument(backend, self.REFUSED)
        self._cut = Instrument(backend, self.CUT)

    def open(self, count: int) -> None:
        """So many are open now."""
        self._open.record(count)

    def refused(self) -> None:
        """One came beyond the limit."""
        self._refused.record(1)

    def cut(self, awaited: str) -> None:
        """One was closed, for what was awaited of its client didn't happen in time."""
        self._cut.record(1, awaited)


class HttpMetricsMiddleware:
    """Records each request in `metrics`. Goes outermost: `app.add_middleware(..., metrics=metrics)`.

    An answer that never began counts as the 500 that the server then sends.
    """

    def __init__(self, app: ASGIApp, metrics: HttpMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and record how it ended; whatever is raised goes on being raised."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Both are replaced in the same scope when the request goes into a mounted application.
        application, root_path = scope.get("app"), scope.get("root_path", "")
        code = 500

        async def noting_the_status(message: Message) -> None:
            nonlocal code
            if message["type"] == "http.response.start":
                code = message["status"]
            await send(message)

        began = perf_counter()
        try:
            await self._app(scope, receive, noting_the_status)
        except BaseException as error:
            self._metrics.raised(error)
            raise
        finally:
            path = route_template(scope, getattr(application, "routes", ()), root_path=root_path)
            self._metrics.answered(code, scope["method"], path=path, seconds=perf_counter() - began)
