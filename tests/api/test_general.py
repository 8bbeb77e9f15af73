"""What holds for every route: form, headers, paths, errors."""

import json

import httpx
import pytest

from tests.api.in_process import Api
from tests.support.past_days import note_durations

GETS = ["/healthcheck", "/ready", "/api/v3/vm", "/api/v3/status", "/api/v3/poolstat", "/api/v3/totalrunning"]
NOT_FOUND = '{\n  "ok": false\n}'


@pytest.mark.parametrize("path", GETS)
async def test_a_slash_too_many_changes_nothing(client: httpx.AsyncClient, path: str) -> None:
    for spelling in (f"{path}/", path.replace("/", "//")):
        answer = await client.get(f"http://api.test{spelling}")
        assert answer.status_code == 200, spelling


@pytest.mark.parametrize("path", GETS)
@pytest.mark.parametrize("ending", ["%0a", "%0A/", "%0a%0a", "%0d%0a"])
async def test_a_path_with_a_line_end_behind_it_is_unknown(
    client: httpx.AsyncClient, path: str, ending: str
) -> None:
    answer = await client.get(f"http://api.test{path}{ending}")
    assert (answer.status_code, answer.text) == (404, NOT_FOUND)


@pytest.mark.parametrize("path", [*GETS, "/nope", "/api/v3/vm/one"])
async def test_json_looks_the_same_everywhere(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.text == json.dumps(answer.json(), indent=2, ensure_ascii=False)
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert "Cache-Control" not in answer.headers


async def test_small_answers_are_not_compressed(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthcheck", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers


async def test_large_answers_are_compressed(api: Api) -> None:
    for number in range(1000):
        await note_durations(api.fleet, "boot", f"pool-{number}", 30)
    plain, compressed = [
        await api.client.get("/api/v3/summary", headers={"Accept-Encoding": coding})
        for coding in ("identity", "gzip")
    ]
    assert len(plain.content) > 200_000
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert compressed.num_bytes_downloaded < len(plain.content)
    assert compressed.json() == plain.json()


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


async def test_the_service_is_ready_when_redis_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/ready")
    assert (answer.status_code, answer.json()) == (200, {"ok": True})
