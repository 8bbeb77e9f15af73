"""Requests are counted under the template of the route that answered, in every kind of application."""

from collections.abc import Mapping

import httpx
import pytest
from fastapi import APIRouter, FastAPI
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send

from vmpooler_common.metrics.backends.prometheus import PrometheusBackend
from vmpooler_common.metrics.catalogues.http import HttpMetrics, HttpMetricsMiddleware


async def plain(_request: Request) -> Response:
    return PlainTextResponse("plain")


async def other(_request: Request) -> Response:
    return PlainTextResponse("other")


async def failing(_request: Request) -> Response:
    raise LookupError


def fastapi_app() -> FastAPI:
    """The forms that routes take in the API: included, nested, plain ones beside them, mounted."""
    nested = APIRouter()
    nested.add_api_route("/deep/{key}", lambda key: key)
    included = APIRouter()
    included.add_api_route("/vm/{hostname}", lambda hostname: hostname)
    included.add_api_route("/vm/{hostname}", lambda hostname: hostname, methods=["DELETE"])
    included.add_route("/vm/{template}", plain, methods=["POST"])
    included.include_router(nested, prefix="/nested")
    app = FastAPI()
    app.include_router(included, prefix="/api/v3")
    app.add_api_route("/healthcheck", lambda: {"ok": True})
    app.add_api_route("/failing/{name}", failing)
    app.router.routes.append(Route("/hot/{template}", plain, methods=["POST"]))
    app.router.routes.append(Route("/hot/{template}/", plain, methods=["POST"]))
    app.router.routes.append(Route("/both/{one}", plain))
    app.router.routes.append(Route("/both/{other}", other, methods=["POST"]))
    mounted = FastAPI()
    mounted.include_router(nested, prefix="/nested")
    app.mount("/mounted", mounted)
    app.mount("/tenant/{tenant}", Starlette(routes=[Route("/page/{page}", plain)]))
    return app


def starlette_app(directory: str) -> Starlette:
    """The forms that routes take in the manager."""
    return Starlette(
        routes=[
            Route("/healthcheck", plain),
            Route("/failing/{name}", failing),
            Mount("/pages", routes=[Route("/{page}", plain)]),
            Mount("/static", StaticFiles(directory=directory)),
        ]
    )


class Measured:
    """An application with the middleware, and what was counted of it."""

    def __init__(self, app: Starlette) -> None:
        self.registry = CollectorRegistry()
        app.add_middleware(HttpMetricsMiddleware, metrics=HttpMetrics(PrometheusBackend(self.registry)))
        self._transport = httpx.ASGITransport(app, raise_app_exceptions=False)

    async def request(self, method: str, path: str) -> int:
        """Send one request and return the status."""
        async with httpx.AsyncClient(transport=self._transport, base_url="http://api") as client:
            return (await client.request(method, path)).status_code

    def requests(self) -> list[tuple[str, str, str]]:
        """Code, method and path of every series of the counter."""
        return [
            (labels["code"], labels["method"], labels["path"])
            for labels in self._labels("vmpooler_http_requests_total")
        ]

    def exceptions(self) -> list[str]:
        """Every class of error that was counted."""
        return [labels["exception"] for labels in self._labels("vmpooler_http_exceptions_total")]

    def _labels(self, name: str) -> list[Mapping[str, str]]:
        return [
            sample.labels
            for family in self.registry.collect()
            for sample in family.samples
            if sample.name == name
        ]


@pytest.mark.parametrize(
    ("method", "path", "counted"),
    [
        ("GET", "/api/v3/vm/abc", ("200", "get", "/api/v3/vm/{hostname}")),
        ("DELETE", "/api/v3/vm/abc", ("200", "delete", "/api/v3/vm/{hostname}")),
        ("POST", "/api/v3/vm/debian", ("200", "post", "/api/v3/vm/{template}")),
        ("PATCH", "/api/v3/vm/abc", ("405", "patch", "/api/v3/vm/{hostname}")),
        ("GET", "/api/v3/nested/deep/x", ("200", "get", "/api/v3/nested/deep/{key}")),
        ("GET", "/healthcheck", ("200", "get", "/healthcheck")),
        ("POST", "/hot/debian", ("200", "post", "/hot/{template}")),
        ("POST", "/hot/debian/", ("200", "post", "/hot/{template}/")),
        ("GET", "/hot/debian", ("405", "get", "/hot/{template}")),
        ("POST", "/both/x", ("200", "post", "/both/{other}")),
        ("GET", "/mounted/nested/deep/x", ("200", "get", "/mounted/{path}")),
        ("GET", "/docs", ("200", "get", "/docs")),
        ("HEAD", "/docs", ("200", "head", "/docs")),
        ("GET", "/openapi.json", ("200", "get", "/openapi.json")),
        ("GET", "/tenant/acme/page/7", ("200", "get", "/tenant/{tenant}/page/{page}")),
        ("GET", "/tenant/acme/nothing", ("404", "get", "/tenant/{tenant}/{path}")),
        ("GET", "/wp-login.php", ("404", "get", "unmatched")),
        ("GET", "/healthcheck/", ("307", "get", "unmatched")),
        ("BREW", "/healthcheck", ("405", "other", "/healthcheck")),
    ],
)
async def test_a_request_to_the_api_counts_under_its_template(
    method: str, path: str, counted: tuple[str, str, str]
) -> None:
    app = Measured(fastapi_app())
    await app.request(method, path)
    assert app.requests() == [counted]


@pytest.mark.parametrize(
    ("method", "path", "counted"),
    [
        ("GET", "/healthcheck", ("200", "get", "/healthcheck")),
        ("HEAD", "/healthcheck", ("200", "head", "/healthcheck")),
        ("POST", "/healthcheck", ("405", "post", "/healthcheck")),
        ("GET", "/pages/about", ("200", "get", "/pages/{page}")),
        ("GET", "/static/logo.png", ("200", "get", "/static/{path}")),
        ("GET", "/static/../secret", ("404", "get", "unmatched")),
    ],
)
async def test_a_request_to_the_manager_counts_under_its_template(
    tmp_path_factory: pytest.TempPathFactory, method: str, path: str, counted: tuple[str, str, str]
) -> None:
    directory = tmp_path_factory.mktemp("static")
    (directory / "logo.png").write_bytes(b"picture")
    app = Measured(starlette_app(str(directory)))
    await app.request(method, path)
    assert app.requests() == [counted]


async def test_unknown_paths_and_methods_make_one_series() -> None:
    app = Measured(fastapi_app())
    for number in range(30):
        await app.request(f"M{number}", f"/scan/{number}")
    assert app.requests() == [("404", "other", "unmatched")]


async def test_tokens_and_host_names_make_one_series() -> None:
    app = Measured(fastapi_app())
    for number in range(30):
        await app.request("GET", f"/api/v3/vm/secret-{number}")
    assert app.requests() == [("200", "get", "/api/v3/vm/{hostname}")]


async def test_a_request_that_ends_in_an_error_counts_as_500_with_the_class_of_the_error() -> None:
    app = Measured(fastapi_app())
    assert await app.request("GET", "/failing/x") == 500
    assert app.requests() == [("500", "get", "/failing/{name}")]
    assert app.exceptions() == ["LookupError"]


async def test_an_error_goes_on_being_raised() -> None:
    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise LookupError("as it was")

    middleware = HttpMetricsMiddleware(broken, HttpMetrics(PrometheusBackend(CollectorRegistry())))
    with pytest.raises(LookupError, match="as it was"):
        await middleware({"type": "http", "method": "GET", "path": "/"}, _nothing, _nowhere)


async def test_an_error_after_the_answer_began_keeps_the_status_that_was_sent() -> None:
    async def torn(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 202, "headers": []})
        raise ConnectionResetError

    registry = CollectorRegistry()
    middleware = HttpMetricsMiddleware(torn, HttpMetrics(PrometheusBackend(registry)))
    with pytest.raises(ConnectionResetError):
        await middleware({"type": "http", "method": "GET", "path": "/"}, _nothing, _nowhere)
    labels = {"code": "202", "method": "get", "path": "unmatched"}
    assert registry.get_sample_value("vmpooler_http_requests_total", labels) == 1


async def test_the_duration_of_a_request_is_observed() -> None:
    app = Measured(fastapi_app())
    await app.request("GET", "/healthcheck")
    labels = {"method": "get", "path": "/healthcheck"}
    assert app.registry.get_sample_value("vmpooler_http_request_duration_seconds_count", labels) == 1


async def test_the_life_of_the_application_is_no_request() -> None:
    seen: list[str] = []

    async def app(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope["type"])

    registry = CollectorRegistry()
    await HttpMetricsMiddleware(app, HttpMetrics(PrometheusBackend(registry)))(
        {"type": "lifespan"}, _nothing, _nowhere
    )
    assert seen == ["lifespan"]
    assert not [sample for family in registry.collect() for sample in family.samples]


async def _nothing() -> Message:
    return {"type": "http.disconnect"}


async def _nowhere(_message: Message) -> None:
    pass
