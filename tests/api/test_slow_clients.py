"""Clients that send slowly, don't read, or come in crowds: each is bounded, and others are served."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from tests.api.conftest import WithApi
from tests.api.in_process import Api, Reach
from tests.conformance.over_http import FAR_LIMITS, HOST, over_http_within
from tests.support.eventually import eventually
from tests.support.http import patient_client
from tests.support.past_days import note_tags
from tests.support.proxy import Proxy
from vmpooler_api.summary.writer import AT_ONCE
from vmpooler_common.metrics.backends.prometheus import PrometheusBackend
from vmpooler_common.metrics.catalogues.http import ConnectionCounts
from vmpooler_common.web.connections import ConnectionLimits

SUMMARY = "/api/v3/summary/tag"
DAYS, TAG = 360, "a" * 100_000
"""So many days with so long a tag are more than any operating system takes for a client that doesn't read."""
SHORT = ConnectionLimits(1000, head=1, body=1, send=1)
TWO = ConnectionLimits(2, head=60, body=60, send=60)
LIVE = b"GET /healthcheck HTTP/1.1\r\nHost: api\r\n\r\n"


@pytest.fixture
def limits() -> ConnectionLimits:
    return FAR_LIMITS


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def reach(limits: ConnectionLimits, registry: CollectorRegistry) -> Reach:
    return over_http_within(limits, ConnectionCounts(PrometheusBackend(registry, instance="test")))


@pytest.fixture
def cut(registry: CollectorRegistry) -> Callable[[str], float]:
    """Return what counts the connections that were cut for want of something."""

    def count(awaited: str) -> float:
        labels = {"vmpooler_instance": "test", "awaited": awaited}
        return registry.get_sample_value("vmpooler_http_connections_cut_total", labels) or 0.0

    return count


@pytest.fixture
async def served(with_api: WithApi) -> AsyncIterator[Api]:
    async with with_api() as api:
        yield api


async def fill(api: Api) -> str:
    """Have a summary that is large; give its path."""
    for days_ago in range(DAYS):
        await note_tags(api.fleet, ("vm", "a", TAG), days_ago=days_ago)
    start = datetime.fromtimestamp(await api.fleet.server_ms() / 1000, UTC).date() - timedelta(days=DAYS - 1)
    return f"{SUMMARY}?from={start}"


class Client:
    """A connection whose client reads when it is told to."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()

    async def send(self, data: bytes) -> None:
        await self._loop.sock_sendall(self._connection, data)

    async def read(self, most: int = 100_000) -> bytes:
        return await self._loop.sock_recv(self._connection, most)

    async def rest(self) -> bytes:
        """Everything until the connection is closed, however that is done."""
        parts = []
        try:
            while part := await self.read():
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


@asynccontextmanager
async def connected(api: Api) -> AsyncIterator[Client]:
    with socket.socket() as connection:
        connection.setblocking(False)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        await asyncio.get_running_loop().sock_connect(connection, (HOST, api.client.base_url.port))
        yield Client(connection)


async def ask(client: Client, path: str, *, version: str = "1.1") -> bytes:
    """Ask, and read the beginning of the answer."""
    await client.send(f"GET {path} HTTP/{version}\r\nHost: api\r\n\r\n".encode())
    return await client.read(15)


async def test_an_answer_is_made_as_far_as_it_is_read_and_few_at_once(served: Api) -> None:
    path = await fill(served)
    before = served.metric("redis_round_trips_total")
    async with AsyncExitStack() as stack:
        for _ in range(AT_ONCE):
            client = await stack.enter_async_context(connected(served))
            assert await ask(client, path) == b"HTTP/1.1 200 OK"
        refused = await served.client.get(SUMMARY)
        # Each has read all days once, for the sums, and then as many as the client has taken.
        read = served.metric("redis_round_trips_total") - before
    assert read < AT_ONCE * 1.8 * (DAYS / 14)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "1")
    assert refused.json() == {"ok": False, "message": f"{AT_ONCE} summaries are being written; try again"}
    assert (await served.client.get(SUMMARY)).status_code == 200  # for the others have left


async def test_a_summary_in_pieces_is_whole_with_compression_and_without(served: Api) -> None:
    path = await fill(served)
    packed = await served.client.get(path)
    plain = await served.client.get(path, headers={"Accept-Encoding": "identity"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.json() == plain.json()
    assert (len(plain.json()["daily"]), plain.json()["tag"]) == (DAYS, {"a": {TAG: DAYS, "total": DAYS}})


async def test_clients_of_http_1_0_get_a_length_or_a_reason(served: Api) -> None:
    path = await fill(served)
    async with connected(served) as client:
        await ask(client, SUMMARY, version="1.0")
        answer = (await client.rest()).lower()
        assert b"content-length" in answer
        assert b"transfer-encoding" not in answer
    async with connected(served) as client:
        assert await ask(client, path, version="1.0") == b"HTTP/1.1 400 Ba"
        assert b"ask with HTTP/1.1" in await client.rest()


async def test_an_answer_that_redis_leaves_unfinished_is_seen_to_be_unfinished(
    proxy: Proxy, with_api: WithApi
) -> None:
    async with with_api(redis={"url": proxy.url}) as api, connected(api) as client:
        path = await fill(api)
        await ask(client, path.replace(SUMMARY, "/api/v3/summary"))
        await proxy.down()
        with capture_logs() as logs:
            assert not (await client.rest()).endswith(b"0\r\n\r\n")
    assert [line["event"] for line in logs if line["event"] == "http.answer_cut"]


@pytest.mark.parametrize("limits", [SHORT])
async def test_a_client_that_does_not_read_is_cut_off(served: Api, cut: Callable[[str], float]) -> None:
    path = await fill(served)

    async def is_cut() -> bool:
        return cut("send") == 1

    async with connected(served) as client:
        await ask(client, path)
        await eventually(is_cut)
        assert not (await client.rest()).endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("limits", [SHORT])
async def test_a_head_or_body_that_does_not_come_is_waited_for_so_long_only(
    served: Api, cut: Callable[[str], float]
) -> None:
    head = b"POST /api/v3/vm HTTP/1.1\r\nHost: api\r\nContent-Length: 9\r\n\r\n"
    cases = [(b"", b""), (LIVE[:20], b"headers"), (head, b"body"), (head + b"{", b"body")]
    async with AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(connected(served)) for _ in cases]
        for client, (sent, _) in zip(clients, cases, strict=True):
            await client.send(sent)
        for client, (_, missing) in zip(clients, cases, strict=True):
            answer = await client.rest()
            if missing:
                assert answer.startswith(b"HTTP/1.1 408 ")
                assert answer.endswith(b"\"the request's %b didn't come in time\"\n}" % missing)
            else:
                assert answer == b""
    assert (cut("head"), cut("body")) == (2, 2)


@pytest.mark.parametrize("limits", [SHORT])
async def test_empty_lines_begin_no_request(served: Api, cut: Callable[[str], float]) -> None:
    async with connected(served) as client:
        await client.send(LIVE)
        assert b" 200 OK" in await client.read()
        await client.send(b"\r\n")
        await client.rest()
    assert cut("head") == 1


@pytest.mark.parametrize("limits", [SHORT])
async def test_who_waits_for_vms_is_not_late(served: Api, cut: Callable[[str], float]) -> None:
    waiting = asyncio.create_task(served.client.post("/api/v3/vm/pool1?wait=60"))

    async def others_are_late() -> bool:
        async with connected(served) as client:
            await client.rest()
        return cut("head") > 0

    await eventually(others_are_late)  # who came later than this one
    await served.fleet.ready("pool1", "one")
    assert (await waiting).status_code == 200


@pytest.mark.parametrize("limits", [TWO])
async def test_connections_beyond_the_limit_are_refused_in_words_but_health_is_told(
    served: Api, registry: CollectorRegistry
) -> None:
    with capture_logs() as logs:
        async with connected(served) as one, connected(served) as two, connected(served) as three:
            for client in (one, two, three):
                await client.send(LIVE)
                assert b" 200 OK" in await client.read()
            async with connected(served) as four:
                await four.send(LIVE.replace(b"healthcheck", b"api/v3/status"))
                answer = await four.rest()
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"retry-after: 1" in answer
            assert b'"too many connections are open; try again"' in answer
        refused = {"vmpooler_instance": "test"}
        assert registry.get_sample_value("vmpooler_http_connections_refused_total", refused) == 2

        async def is_served() -> bool:
            async with patient_client(served.client.base_url) as client:
                return (await client.get("/api/v3/status")).status_code == 200

        await eventually(is_served)
        assert registry.get_sample_value("vmpooler_http_connections", refused) in (0, 1, 2)

        async def told() -> bool:
            return [line["event"] for line in logs if line.get("what") == "accepting connections"] == [
                "outage.began",
                "outage.ended",
            ]

        await eventually(told)
