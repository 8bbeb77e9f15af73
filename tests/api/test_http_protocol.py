"""Connections of clients that offer HTTP/2, and of those that never come to an end."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.api.conftest import WithApi
from tests.api.in_process import Api, Reach
from tests.conformance.over_http import HOST, over_http

OFFER = "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n"
"""What `curl --http2` and the client of Java send with every request that isn't encrypted."""
ORDER = b'{"pool1": 1}'


@pytest.fixture
def reach() -> Reach:
    return over_http


@pytest.fixture
async def served(with_api: WithApi) -> AsyncIterator[Api]:
    async with with_api() as api:
        yield api


class Connection:
    """A connection on which anything may be sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def send(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def send_again_and_again(self, data: bytes) -> None:
        for _ in range(1_000):
            await self.send(data)

    async def answer(self) -> tuple[int, str]:
        """Give the status and the body of the next answer."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode()
        status, *headers = head.lower().splitlines()
        (length,) = [int(header.split(":")[1]) for header in headers if header.startswith("content-length:")]
        return int(status.split()[1]), (await self._reader.readexactly(length)).decode()


@asynccontextmanager
async def connected(api: Api) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection(HOST, api.client.base_url.port)
    try:
        yield Connection(reader, writer)
    finally:
        writer.close()


@pytest.fixture
async def connection(served: Api) -> AsyncIterator[Connection]:
    async with connected(served) as connection:
        yield connection


def checkout(*, headers: str = "") -> bytes:
    head = f"POST /api/v3/vm HTTP/1.1\r\nHost: api\r\n{headers}Content-Length: {len(ORDER)}\r\n\r\n"
    return head.encode() + ORDER


async def test_a_client_that_offers_http_2_gets_what_its_body_asks_for(
    served: Api, connection: Connection
) -> None:
    await served.fleet.ready("pool1", "one")
    await connection.send(checkout(headers=OFFER))
    status, body = await connection.answer()
    assert status == 200
    assert "one" in body


async def test_the_body_behind_an_offer_may_come_in_parts(served: Api, connection: Connection) -> None:
    await served.fleet.ready("pool1", "one")
    for byte in checkout(headers=OFFER):
        await connection.send(bytes([byte]))
    status, body = await connection.answer()
    assert status == 200
    assert "one" in body


async def test_a_client_may_ask_again_on_the_connection_on_which_it_offered_http_2(
    served: Api, connection: Connection
) -> None:
    await served.fleet.ready("pool1", "one", "two")
    for _ in range(2):
        await connection.send(checkout(headers=OFFER))
        assert (await connection.answer())[0] == 200


async def test_requests_that_come_at_once_are_answered_in_their_order_with_and_without_an_offer(
    connection: Connection,
) -> None:
    live = b"GET /healthcheck HTTP/1.1\r\nHost: api\r\n\r\n"
    await connection.send(live + checkout(headers=OFFER) + live)
    assert [(await connection.answer())[0] for _ in range(3)] == [200, 503, 200]


@pytest.mark.parametrize(
    ("beginning", "more"),
    [
        (b"GET /", b"a" * 10_000),
        (b"GET / HTTP/1.1\r\nX: ", b"a" * 10_000),
        (b"GET / HTTP/1.1\r\n", b"X-A: b\r\n" * 2_000),
        (
            b"POST /api/v3/vm HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n",
            b"X-A: b\r\n" * 2_000,
        ),
        (b"POST /api/v3/vm HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2;", b"a" * 10_000),
    ],
    ids=["path", "header", "headers", "trailers", "extension of a chunk"],
)
async def test_a_head_that_never_ends_is_cut_off(
    connection: Connection, beginning: bytes, more: bytes
) -> None:
    await connection.send(beginning)
    with pytest.raises(ConnectionError):
        await connection.send_again_and_again(more)


async def test_white_space_around_a_header_is_no_part_of_it(with_api: WithApi) -> None:
    async with with_api(auth="dummy") as api:
        await api.fleet.token("good", "alice")
        await api.fleet.ready("pool1", "one")
        async with connected(api) as connection:
            await connection.send(checkout(headers="X-AUTH-TOKEN: \t good \t\r\n"))
            assert (await connection.answer())[0] == 200


async def test_long_heads_one_after_the_other_are_fine(connection: Connection) -> None:
    request = b"GET /healthcheck HTTP/1.1\r\nHost: api\r\nX: %b\r\n\r\n" % (b"a" * 40_000)
    for _ in range(4):
        await connection.send(request)
        assert (await connection.answer())[0] == 200


async def test_a_long_body_in_parts_is_fine(connection: Connection) -> None:
    part = b"8000\r\n%b\r\n" % (b" " * 0x8000)
    await connection.send(b"POST /api/v3/ondemandvm HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(4):
        await connection.send(part)
    status, body = await connection.answer()
    assert status == 400
    assert "message" in body
