"""Section 9.1 of the checklist: what holds for every route."""

import gzip
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.requests import Request

from tests.api.conftest import WithApi
from tests.api.every_route import every_route, some_path
from tests.api.in_process import Api
from tests.store.dataset import Entry

GOOD = {"X-AUTH-TOKEN": "good"}
LOGIN = ("alice", "secret")
NOT_FOUND = '{\n  "ok": false\n}'
METRICS = "/prometheus"


@pytest.fixture
async def full_api(with_api: WithApi) -> AsyncIterator[Api]:
    """Yield an API that has all routes, and a token."""
    async with with_api(auth="dummy", config={"experimental_features": True}) as api:
        await api.fleet.token("good", "alice")
        yield api


async def ask(api: Api, method: str, path: str) -> httpx.Response:
    """Ask with all credentials that there are."""
    return await api.client.request(method, path, headers=GOOD, auth=LOGIN)


def is_not_found(answer: httpx.Response) -> bool:
    return (
        (answer.status_code, answer.text) == (404, NOT_FOUND)
        and answer.headers["Content-Type"] == "application/json"
        and "Allow" not in answer.headers
    )


@pytest.mark.parametrize(
    "path", ["/nope", "/api/v3", "/API/v3/vm", "/api/v3/vm/one/nope", "/docs/files/nope.js", "/%2e%2e/app.py"]
)
async def test_001_an_unknown_path_is_not_found(client: httpx.AsyncClient, path: str) -> None:
    """[C] Given any unknown path, when GET, then 404, content type exactly `application/json`, body
    `{"ok": false}` pretty-printed with two spaces.
    """
    assert is_not_found(await client.get(path))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v3/poolreset"),
        ("GET", "/api/v3/ondemandvm"),
        ("GET", "/api/v3/vm/one/disk/8"),
        ("POST", "/api/v3/status"),
        ("POST", "/healthcheck"),
        ("DELETE", "/api/v3/vm"),
        ("PROPFIND", "/api/v3/vm"),
    ],
)
async def test_002_a_known_path_with_another_method_is_not_found(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    """[C] Given a known path, when called with an unsupported method (for example GET
    `/api/v3/poolreset`), then 404 plain.
    """
    assert is_not_found(await client.request(method, path))


async def test_002_no_route_has_another_method(full_api: Api) -> None:
    for path in {path for _, path in every_route(full_api.app)}:
        for method in ("OPTIONS", "PATCH", "PROPFIND"):
            assert is_not_found(await ask(full_api, method, some_path(path))), (method, path)


async def test_004_a_slash_at_the_end_changes_nothing(full_api: Api) -> None:
    """[C] Given any route other than POST token, when called with one trailing slash, then the answer
    is the same as without.

    The root has nothing to add a slash to, and to add one to the metrics' path is a liberty of ours.
    """
    for method, template in every_route(full_api.app):
        path = some_path(template)
        if path in ("/", METRICS) or (method, path) == ("POST", "/api/v3/token"):
            continue
        without, with_one = await ask(full_api, method, path), await ask(full_api, method, f"{path}/")
        assert with_one.status_code == without.status_code, (method, path)
        assert with_one.headers["Content-Type"] == without.headers["Content-Type"]
        if with_one.headers["Content-Type"] == "application/json":
            assert list(with_one.json()) == list(without.json())


async def test_005_json_is_indented_by_two_spaces_and_ends_with_its_last_brace(full_api: Api) -> None:
    """[C] Given any JSON answer, then it is indented by two spaces and has no trailing newline.

    But for the description of the API, which is no answer to a client of the service.
    """
    for method, template in every_route(full_api.app):
        answer = await ask(full_api, method, some_path(template))
        if template != "/openapi.json" and answer.headers.get("Content-Type") == "application/json":
            assert answer.text == json.dumps(answer.json(), indent=2, ensure_ascii=False), (method, template)


async def test_006_ok_is_the_first_member(full_api: Api) -> None:
    """[C] Given any JSON answer with `ok`, then `ok` is the first member."""
    for method, template in every_route(full_api.app):
        for path in (some_path(template), some_path(template).replace("pool1", "no.such~name")):
            answer = await ask(full_api, method, path)
            if answer.headers.get("Content-Type") == "application/json":
                members = list(answer.json())
                assert "ok" not in members[1:], (method, path)


async def test_007_head_is_get_without_a_body(full_api: Api) -> None:
    """[C] Given a GET route, when HEAD, then same status and no body."""
    for method, template in every_route(full_api.app):
        if method == "GET":
            full, head = [await ask(full_api, name, some_path(template)) for name in ("GET", "HEAD")]
            assert (head.status_code, head.content) == (full.status_code, b""), template
            assert head.headers.get("Content-Type") == full.headers.get("Content-Type")


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
async def test_008_an_answer_is_compressed_for_who_accepts_it(
    client: httpx.AsyncClient, accepted: str, is_compressed: bool
) -> None:
    """[C] Given `Accept-Encoding: gzip`, when GET, then `Content-Encoding: gzip` and the body
    decompresses to the same JSON.

    Only from 500 bytes on, which is better than 3.x; that the plain form is refused is ignored.
    """
    headers = {"Accept-Encoding": accepted}
    async with client.stream("GET", "/api/v3/status", headers=headers) as answer:
        body = b"".join([part async for part in answer.aiter_raw()])
    assert answer.status_code == 200
    assert ("Content-Encoding" in answer.headers) == is_compressed
    assert int(answer.headers["Content-Length"]) == len(body)
    content = json.loads(gzip.decompress(body) if is_compressed else body)
    assert "status" in content


async def test_009_who_says_nothing_of_compression_gets_none(client: httpx.AsyncClient) -> None:
    """[C] Given no `Accept-Encoding`, when GET, then the body is not compressed and `Vary:
    Accept-Encoding` is present.
    """
    request = client.build_request("GET", "/api/v3/status")
    del request.headers["Accept-Encoding"]
    answer = await client.send(request)
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""])
async def test_010_a_body_is_json_whatever_its_type(api: Api, kind: str) -> None:
    """[C] Given a JSON body sent with content type `application/x-www-form-urlencoded`, when POST
    `/vm`, then it is parsed as JSON.
    """
    await api.fleet.ready("pool1", "one")
    answer = await api.client.post("/api/v3/vm", content='{"pool1":1}', headers={"Content-Type": kind})
    assert answer.status_code == 200


async def test_011_a_foreign_referer_changes_nothing(api: Api) -> None:
    """[H] Given a foreign `Referer`, when POST `/vm/pool1`, then the request is either refused without
    side effects or served normally.
    """
    await api.fleet.ready("pool1", "one")
    answer = await api.client.post("/api/v3/vm/pool1", headers={"Referer": "http://elsewhere.example/"})
    assert answer.json()["pool1"] == {"hostname": "one.example.test"}


async def test_012_an_internal_error_tells_nothing_of_the_inside(api: Api) -> None:
    """[H] Given an internal error, then the answer is JSON with status 500 and contains no stack trace."""

    async def broken(_request: Request) -> None:
        raise RuntimeError("a secret detail")

    api.app.add_route("/broken", broken)  # type: ignore[arg-type]
    answer = await api.client.get("/broken")
    assert (answer.status_code, answer.json()) == (500, {"ok": False, "message": "internal error"})
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    count = api.registry.get_sample_value("vmpooler_http_exceptions_total", {"exception": "RuntimeError"})
    assert count == 1


async def test_012_a_fault_in_the_data_is_an_internal_error(api: Api) -> None:
    await api.fleet.client.set(f"{api.fleet.prefix}:ready:pool1", "not a sorted set")
    answer = await api.client.post("/api/v3/vm/pool1")
    assert (answer.status_code, answer.json()) == (500, {"ok": False, "message": "internal error"})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/api/v3/vm/%ff", 404),
        ("POST", "/api/v3/vm/pool1+%c3", 404),
        ("GET", "/api/v3/vm/%ff", 400),
        ("DELETE", "/api/v3/vm/%ff%00", 400),
        ("POST", "/api/v3/ondemandvm/%ff", 404),
        ("GET", "/api/v3/ondemandvm/%ff", 404),
        ("GET", "/%ff", 404),
        ("GET", "/api/v3/status?view=%ff", 200),
        ("GET", "/api/v3/poolstat?pool=%ff&pool[]=x&pool[a]=b", 200),
        ("GET", "/api/v3/status?" + "a[b]" * 500, 200),
    ],
)
async def test_013_text_that_is_no_utf_8_is_refused_or_skipped(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """[H] Given a path segment, query value or body that is not valid UTF-8, then 400 or 404 JSON,
    never 500, and nothing is stored.

    In queries it is skipped: they can't store anything.
    """
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/json"
    assert isinstance(answer.json(), dict)


async def stored(api: Api) -> dict[str, Entry]:
    """Give all data but the record of the token, which tells when it was used."""
    entries = (await api.fleet.dataset()).entries
    return {name: entry for name, entry in entries.items() if not name.startswith("token:")}


async def test_013_nothing_is_stored_of_a_body_that_is_no_utf_8(full_api: Api) -> None:
    """But for routes that ignore their body."""
    before = await stored(full_api)
    for method, template in every_route(full_api.app):
        if method == "GET" or "token" in template or template.endswith("/ondemandvm/{request_id}"):
            continue
        for body in (b'{"pool1": "\xff"}', '{"pool1": 1}'.encode("utf-16"), gzip.compress(b'{"pool1": 1}')):
            answer = await full_api.client.request(method, some_path(template), content=body, headers=GOOD)
            is_refused = answer.status_code == 503 and "Retry-After" not in answer.headers
            assert answer.status_code < 500 or is_refused, (method, template)
            assert await stored(full_api) == before, (method, template)
