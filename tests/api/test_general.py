"""What holds for every route: form, headers, paths, errors."""

import gzip
import json

import httpx
import pytest
from starlette.requests import Request

from tests.api.conftest import WithApi
from tests.api.in_process import Api

GETS = ["/healthcheck", "/ready", "/api/v3/vm", "/api/v3/status", "/api/v3/poolstat", "/api/v3/totalrunning"]
NOT_FOUND = '{\n  "ok": false\n}'


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/nope"),
        ("GET", "/status"),
        ("GET", "/api/v1/status"),
        ("GET", "/api/v2/status"),
        ("GET", "/api/v3"),
        ("GET", "/api/v3/poolreset"),
        ("GET", "/API/v3/vm"),
        ("POST", "/api/v3/status"),
        ("PUT", "/api/v3/vm/one"),
        ("PATCH", "/api/v3/vm/one"),
        ("OPTIONS", "/api/v3/vm"),
        ("DELETE", "/api/v3/vm"),
        ("POST", "/healthcheck"),
        ("BREW", "/api/v3/vm"),
        ("GET", "/api/v3/vm/one/disk/8"),
        ("GET", "/docs/files/nope.js"),
        ("GET", "/docs/files/../app.py"),
    ],
)
async def test_what_isnt_there_is_not_found(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.text) == (404, NOT_FOUND)
    assert answer.headers["Content-Type"] == "application/json"
    assert "Allow" not in answer.headers


@pytest.mark.parametrize("path", GETS)
async def test_a_slash_too_many_changes_nothing(client: httpx.AsyncClient, path: str) -> None:
    for spelling in (f"{path}/", path.replace("/", "//")):
        answer = await client.get(f"http://api.test{spelling}")
        assert answer.status_code == 200, spelling


async def test_posts_and_deletes_take_a_slash_too(api: Api) -> None:
    await api.fleet.ready("pool1", "one", "two")
    assert (await api.client.post("/api/v3/vm/", json={"pool1": 1})).status_code == 200
    assert (await api.client.post("/api/v3/vm/pool1/")).status_code == 200
    assert (await api.client.delete("/api/v3/vm/one/")).status_code == 200


@pytest.mark.parametrize("path", [*GETS, "/", "/docs", "/openapi.json", "/prometheus"])
async def test_head_is_get_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    full, head = await client.get(path), await client.head(path)
    assert head.status_code == full.status_code
    assert head.headers["Content-Type" if full.content else "Location"]
    assert not head.content


@pytest.mark.parametrize("path", [*GETS, "/nope", "/api/v3/vm/one"])
async def test_json_looks_the_same_everywhere(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.text == json.dumps(answer.json(), indent=2, ensure_ascii=False)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Cache-Control" not in answer.headers


@pytest.mark.parametrize(
    ("accepted", "is_compressed"),
    [
        ("gzip", True),
        ("deflate, gzip;q=0.5", True),
        ("br, *", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, deflate", False),
        ("identity", False),
        ("identity;q=0", False),
        ("br", False),
        ("", False),
    ],
)
async def test_large_answers_are_compressed_for_who_accepts_it(
    client: httpx.AsyncClient, accepted: str, is_compressed: bool
) -> None:
    headers = {"Accept-Encoding": accepted}
    async with client.stream("GET", "/api/v3/status", headers=headers) as answer:
        body = b"".join([part async for part in answer.aiter_raw()])
    assert answer.status_code == 200
    assert ("Content-Encoding" in answer.headers) == is_compressed
    assert int(answer.headers["Content-Length"]) == len(body)
    content = json.loads(gzip.decompress(body) if is_compressed else body)
    assert list(content)[-1] == "status"


async def test_small_answers_are_not_compressed(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthcheck", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


async def test_the_root_leads_to_the_pages_on_the_same_host(client: httpx.AsyncClient) -> None:
    answer = await client.get("/", headers={"X-Forwarded-Host": "elsewhere.example"})
    assert (answer.status_code, answer.headers["Location"]) == (302, "docs")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/v3/vm/%ff", 404),
        ("POST", "/api/v3/vm/pool1+%c3", 404),
        ("GET", "/api/v3/vm/%ff", 400),
        ("DELETE", "/api/v3/vm/%ff%00", 400),
        ("GET", "/%ff", 404),
        ("GET", "/api/v3/status?view=%ff", 200),
        ("GET", "/api/v3/poolstat?pool=%ff&pool[]=x&pool[a]=b", 200),
        ("GET", "/api/v3/status?" + "a[b]" * 500, 200),
    ],
)
async def test_text_that_is_no_utf_8_does_no_harm(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"


async def test_an_internal_error_tells_nothing_of_the_inside(api: Api) -> None:
    async def broken(_request: Request) -> None:
        raise RuntimeError("a secret detail")

    api.app.add_route("/broken", broken)  # type: ignore[arg-type]
    answer = await api.client.get("/broken")
    assert (answer.status_code, answer.json()) == (500, {"ok": False, "message": "internal error"})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    count = api.registry.get_sample_value("vmpooler_http_exceptions_total", {"exception": "RuntimeError"})
    assert count == 1


async def test_a_fault_in_the_data_is_an_internal_error(api: Api) -> None:
    await api.fleet.client.set(f"{api.fleet.prefix}:ready:pool1", "not a sorted set")
    answer = await api.client.post("/api/v3/vm/pool1")
    assert (answer.status_code, answer.json()) == (500, {"ok": False, "message": "internal error"})


async def test_requests_are_counted_by_template_and_as_they_were_sent(api: Api) -> None:
    await api.client.head("/api/v3/vm/one/")
    await api.client.post("/api/v3/vm/nope")
    await api.client.get("/nope")
    counted = [
        {"code": "404", "method": "head", "path": "/api/v3/vm/{name}"},
        {"code": "404", "method": "post", "path": "/api/v3/vm/{name}"},
        {"code": "404", "method": "get", "path": "unmatched"},
    ]
    values = [api.registry.get_sample_value("vmpooler_http_requests_total", labels) for labels in counted]
    assert values == [1, 1, 1]


async def test_metrics_are_shown_where_they_are_configured(api: Api, with_api: WithApi) -> None:
    answer = await api.client.get("/prometheus")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert "vmpooler_connection_available" in answer.text
    assert 'type="redis_connection_pool"' in answer.text


async def test_metrics_are_not_shown_to_who_wants_no_text(client: httpx.AsyncClient) -> None:
    answer = await client.get("/prometheus", headers={"Accept": "application/json"})
    assert answer.status_code == 406


async def test_the_service_is_ready_when_redis_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
