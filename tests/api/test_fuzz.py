"""Whatever is sent, the service answers in JSON and never that it failed; what it refuses changes nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from redis.asyncio import Redis

from tests.api.odd_requests import OddRequest, odd_requests
from tests.store.dataset import Entry, read_dataset
from tests.store.fleet import Fleet
from tests.store.ondemand import OnDemand
from tests.support.documents import pooler_document
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service
from tests.support.stores import open_store

FUZZ = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
THE_SERVERS_OWN = "Invalid HTTP request received."
RAW = [
    b"\r\n\r\n",
    b"\x00\xff\xfe\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET /api/v3/vm HTTP/9.9\r\n\r\n",
    b"GET /api/v3/vm\x00 HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET http://[ HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /api/v3/vm HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"GET /api/v3/vm HTTP/1.1\r\nX-AUTH-TOKEN good\r\n\r\n",
    b"GET /api/v3/vm HTTP/1.1\r\n" + b"X-Long: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /api/v3/vm/pool1 HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n{}",
    b"POST /api/v3/vm/pool1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}",
    b"POST /api/v3/vm HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n{}",
    b"POST /api/v3/vm HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    b'POST /api/v3/vm HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nc\r\n{"pool1": 1}\r\n',
]


@pytest.fixture
async def service(
    redis_server: RedisServer, redis_prefix: str, make_service: MakeService
) -> AsyncIterator[Service]:
    """Yield a process, so that the server's own handling of requests is tested as well, with some VMs."""
    document = pooler_document(
        redis_url=redis_server.url,
        prefix=redis_prefix,
        pools={"pool1": {"size": 1, "alias": "poolone"}, "pool2": 1},
        config={"experimental_features": True},
    )
    document["auth"] = {"provider": "dummy"}
    async with (
        open_store(redis_server.url, redis_prefix) as store,
        Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as client,
        make_service("api", document=document, environment={"VMPOOLER_DEBUG": "1"}) as service,
    ):
        fleet = Fleet(store, client, redis_prefix)
        await fleet.token("good", "alice")
        await fleet.token("bobs", "bob")
        await fleet.running("pool1", "alices", token="good")
        await fleet.running("pool1", "bobs", token="bobs")
        await fleet.ready("pool1", "ready", *(f"vm-{number}" for number in range(50)))
        await OnDemand(fleet).accepted("open", "pool2", token="good")
        yield service


class Stored:
    """What is stored, for a test that runs beside no event loop."""

    def __init__(self, url: str, prefix: str) -> None:
        self._runner = asyncio.Runner()
        self._client = Redis.from_url(url, decode_responses=True, protocol=2)
        self._prefix = prefix

    def read(self) -> dict[str, Entry | Mapping[str, Any]]:
        """Give all data, but what every use of a token and every failed login leaves behind."""
        entries = self._runner.run(read_dataset(self._client, self._prefix)).entries
        return {
            name: {key: value for key, value in entry.value.items() if key != "last"}
            if name.startswith("token:")
            else entry
            for name, entry in entries.items()
            if not name.startswith("failed:")
        }

    def close(self) -> None:
        """Close the connection."""
        self._runner.run(self._client.aclose())
        self._runner.close()


@pytest.fixture
def stored(redis_server: RedisServer, redis_prefix: str) -> Iterator[Stored]:
    stored = Stored(redis_server.url, redis_prefix)
    yield stored
    stored.close()


def check(answer: httpx.Response, sent: OddRequest) -> None:
    """Fail when an answer says that the service failed, or tells a refusal in anything but JSON."""
    assert answer.status_code < 500 or answer.status_code == 503, answer.text
    is_text = answer.text == THE_SERVERS_OWN or answer.status_code == 406  # so are metrics
    if answer.status_code >= 400 and sent.method != "HEAD" and not is_text:
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.json()["ok"] is False


def test_what_is_refused_is_told_in_json_and_changes_nothing(service: Service, stored: Stored) -> None:
    with httpx.Client(base_url=service.base_url, trust_env=False, timeout=20) as client:
        paths = client.get("/openapi.json").json()["paths"]
        operations = [(method.upper(), path) for path, by_method in paths.items() for method in by_method]
        last = stored.read()

        @FUZZ
        @given(sent=odd_requests(operations))
        def ask(sent: OddRequest) -> None:
            nonlocal last
            url = f"{service.base_url}{sent.path}"
            answer = client.request(sent.method, url, headers=list(sent.headers), content=sent.body)
            before, last = last, stored.read()
            check(answer, sent)
            if answer.status_code >= 400:
                assert last == before

        ask()
        accepted = client.post("/api/v3/vm/pool1")  # and a change would have been seen
        assert (accepted.status_code, stored.read() != last) == (200, True)


def test_what_is_no_http_changes_nothing(service: Service, stored: Stored) -> None:
    """Bodies that end too early are those of clients that have left."""
    before = stored.read()
    for sent in RAW:
        with socket.create_connection(("127.0.0.1", service.port), timeout=10) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            with connection.makefile("rb") as answer:
                assert not answer.readline().startswith(b"HTTP/1.1 5"), sent
        assert httpx.get(f"{service.base_url}/healthcheck", trust_env=False).status_code == 200
        assert stored.read() == before, sent
