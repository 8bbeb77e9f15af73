"""The endpoint serves text to whoever takes text."""

import httpx
import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.routing import Route

from vmpooler_common.metrics.backends.prometheus import PrometheusBackend
from vmpooler_common.metrics.catalogues.redis import RedisMetrics
from vmpooler_common.metrics.exposition import exposition_endpoint

FROM_PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,"
    "text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


async def get(accept: str | None, *, method: str = "GET") -> httpx.Response:
    registry = CollectorRegistry()
    RedisMetrics(PrometheusBackend(registry)).answered()
    app = Starlette(routes=[Route("/prometheus", exposition_endpoint(registry))])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://api") as client:
        del client.headers["accept"]
        return await client.request(
            method, "/prometheus", headers={} if accept is None else {"accept": accept}
        )


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "",
        "*/*",
        "text/plain",
        "text/*",
        "Text/Plain; charset=utf-8",
        "text/plain; version=0.0.4",
        "text/html, */*;q=0.1",
        FROM_PROMETHEUS,
    ],
)
async def test_whoever_takes_text_gets_the_exposition(accept: str | None) -> None:
    answer = await get(accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert 'vmpooler_redis_up{vmpooler_instance="vmpooler"} 1.0\n' in answer.text


@pytest.mark.parametrize("accept", ["application/json", "text/html", "application/openmetrics-text"])
async def test_whoever_takes_only_something_else_is_told_what_there_is(accept: str) -> None:
    answer = await get(accept)
    assert answer.status_code == 406
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == "Supported media types: text/plain"


async def test_head_has_the_headers_and_no_body() -> None:
    answer = await get(None, method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0
