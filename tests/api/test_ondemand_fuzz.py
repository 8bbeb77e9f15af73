"""Whatever is sent to the routes of on-demand requests, the service answers in JSON and never with a 500."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.ondemand import PATH
from tests.support.documents import pooler_document
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service

FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = st.sampled_from(["pool1", "poolone", "request_id", "nope", ""]) | st.text(max_size=20)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ORDERS = st.dictionaries(NAMES, st.integers(-2, 20) | st.text("0123456789_-:a") | JSON)
BODIES = st.binary() | (ORDERS | JSON).map(lambda content: json.dumps(content).encode())
SEGMENT = st.binary(max_size=40).map(lambda raw: "".join(f"%{byte:02x}" for byte in raw)) | st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#?"), max_size=40
)
EXPECTED = {200, 201, 202, 400, 403, 404, 409}


@pytest.fixture
async def service(
    redis_server: RedisServer, redis_prefix: str, make_service: MakeService
) -> AsyncIterator[Service]:
    pools = {"pool1": {"size": 1, "alias": "poolone"}}
    document = pooler_document(redis_url=redis_server.url, prefix=redis_prefix, pools=pools)
    async with make_service("api", document=document) as service:
        yield service


def check(answer: httpx.Response) -> None:
    assert answer.status_code in EXPECTED, answer.text
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json()["ok"] is (answer.status_code < 300)


async def test_no_request_makes_the_service_fail(service: Service) -> None:
    with httpx.Client(base_url=service.base_url, trust_env=False) as client:

        @FUZZ
        @given(body=BODIES)
        def open_by_body(body: bytes) -> None:
            check(client.post(PATH, content=body))

        @FUZZ
        @given(
            method=st.sampled_from(["GET", "POST", "DELETE", "PUT"]),
            segment=SEGMENT,
            rest=st.sampled_from(["", "/", "/explain"]),
        )
        def name(method: str, segment: str, rest: str) -> None:
            check(client.request(method, f"{service.base_url}{PATH}/{segment}{rest}"))

        @FUZZ
        @given(query=SEGMENT)
        def wait(query: str) -> None:
            check(client.get(f"{service.base_url}{PATH}/unknown?wait={query}"))

        open_by_body()
        name()
        wait()
