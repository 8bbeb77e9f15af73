"""Whatever is sent, the API answers in JSON, and never that it failed."""

import base64
import json
from collections.abc import AsyncIterator

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.documents import pooler_document
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = st.sampled_from(["pool1", "poolone", "nope", "", "ok", "a" * 101]) | st.text()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
    max_leaves=20,
)
ORDERS = st.dictionaries(NAMES, st.integers(-2, 120) | st.text("0123456789") | JSON)
BODIES = st.binary() | JSON.map(json.dumps).map(str.encode) | ORDERS.map(json.dumps).map(str.encode)
SEGMENT = st.binary(max_size=60).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)) | st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?"), max_size=60
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(
            [b"X-AUTH-TOKEN", b"Content-Type", b"Accept-Encoding", b"Accept", b"Referer", b"Authorization"]
        ),
        st.text(
            st.characters(min_codepoint=33, max_codepoint=255, exclude_characters="\x7f"), max_size=60
        ).map(lambda text: text.encode("latin-1")),
    ),
    max_size=5,
)


@pytest.fixture
async def service(
    redis_server: RedisServer, redis_prefix: str, make_service: MakeService
) -> AsyncIterator[Service]:
    """Yield a process, so that the server's own handling of requests is tested as well."""
    pools = {"pool1": {"size": 1, "alias": "poolone"}}
    document = pooler_document(redis_url=redis_server.url, prefix=redis_prefix, pools=pools)
    document["auth"] = {"provider": "dummy"}
    async with make_service("api", document=document, environment={"VMPOOLER_DEBUG": "1"}) as service:
        yield service


def check(answer: httpx.Response, *, has_body: bool = True) -> None:
    """Fail when an answer says that the service failed, or isn't JSON."""
    assert answer.status_code < 500 or answer.json() == {"ok": False}, answer.text
    assert answer.status_code != 500
    if has_body and answer.headers.get("Content-Type") == "application/json":  # a redirect has none
        answer.json()


async def test_no_request_makes_the_service_fail(service: Service) -> None:
    with httpx.Client(base_url=service.base_url) as client:

        @FUZZ
        @given(body=BODIES, headers=HEADERS)
        def take(body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
            check(client.post("/api/v3/vm", content=body, headers=headers))

        @FUZZ
        @given(
            method=st.sampled_from(["GET", "POST", "DELETE", "HEAD", "PUT"]),
            folder=st.sampled_from(["/api/v3/vm/", "/api/v3/token/", "/api/v3/", "/docs/files/", "/"]),
            segment=SEGMENT,
            headers=HEADERS,
        )
        def ask(method: str, folder: str, segment: str, headers: list[tuple[bytes, bytes]]) -> None:
            answer = client.request(method, f"{service.base_url}{folder}{segment}", headers=headers)
            check(answer, has_body=method != "HEAD")

        @FUZZ
        @given(path=st.sampled_from(["status", "poolstat", "totalrunning", "vm"]), query=SEGMENT)
        def look(path: str, query: str) -> None:
            for parameter in ("", "view=", "pool=", "view[]=", "pool[a][b]="):
                check(client.get(f"{service.base_url}/api/v3/{path}?{parameter}{query}"))

        @FUZZ
        @given(
            method=st.sampled_from(["GET", "POST", "DELETE"]),
            segment=SEGMENT,
            credentials=st.binary(min_size=1),
        )
        def log_in(method: str, segment: str, credentials: bytes) -> None:
            headers = {"Authorization": f"Basic {base64.b64encode(credentials).decode()}"}
            for path in ("", f"/{segment}"):
                check(client.request(method, f"{service.base_url}/api/v3/token{path}", headers=headers))

        take()
        ask()
        log_in()
        look()
