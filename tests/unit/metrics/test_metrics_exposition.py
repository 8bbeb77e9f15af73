"""The endpoint serves text to whoever takes text."""

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.parser import text_string_to_metric_families
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


@pytest.mark.parametrize("accept", ["application/json", "text/html"])
async def test_whoever_takes_only_something_else_is_told_what_there_is(accept: str) -> None:
    answer = await get(accept)
    assert answer.status_code == 406
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.text == "Supported media types: text/plain, application/openmetrics-text"


@pytest.mark.parametrize(
    "accept", ["application/openmetrics-text", "application/OpenMetrics-text; version=0.0.1, text/html"]
)
async def test_whoever_takes_openmetrics_alone_gets_that(accept: str) -> None:
    answer = await get(accept)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    read = text_string_to_metric_families(answer.text)  # type: ignore[no-untyped-call]
    families = {family.name: family for family in read}
    assert [sample.value for sample in families["vmpooler_redis_up"].samples] == [1.0]
    assert families["vmpooler_redis_round_trips"].type == "counter"


async def test_head_has_the_headers_and_no_body() -> None:
    answer = await get(None, method="HEAD")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0
