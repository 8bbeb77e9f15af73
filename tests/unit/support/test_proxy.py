"""The proxy that the fault tests stand on, with a real client and a real server."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as ServerConnectionError
from redis.exceptions import TimeoutError as ServerTimeoutError

from tests.support.faults import Moment, contains
from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer


@pytest.fixture
async def proxy(redis_server: RedisServer) -> AsyncIterator[Proxy]:
    async with Proxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
async def client(proxy: Proxy) -> AsyncIterator[Redis]:
    never = Retry(NoBackoff(), 0)
    async with Redis.from_url(proxy.url, retry=never, socket_timeout=2) as client:
        await client.ping()
        yield client


@pytest.fixture
async def direct(redis_server: RedisServer) -> AsyncIterator[Redis]:
    async with Redis.from_url(redis_server.url) as client:
        yield client


async def test_what_is_sent_arrives_and_what_is_answered_returns(client: Redis, redis_prefix: str) -> None:
    large = "x" * 1_000_000
    await client.set(f"{redis_prefix}large", large)
    assert await client.get(f"{redis_prefix}large") == large.encode()


async def test_a_request_cut_after_has_been_carried_out(
    proxy: Proxy, client: Redis, direct: Redis, redis_prefix: str
) -> None:
    fault = proxy.cut(contains(f"{redis_prefix}count"), Moment.AFTER)
    with pytest.raises(ServerConnectionError):
        await client.incr(f"{redis_prefix}count")
    assert await direct.get(f"{redis_prefix}count") == b"1"
    assert fault.hits == 1


async def test_a_request_cut_before_never_reaches_the_server(
    proxy: Proxy, client: Redis, direct: Redis, redis_prefix: str
) -> None:
    proxy.cut(contains(f"{redis_prefix}count"), Moment.BEFORE)
    with pytest.raises(ServerConnectionError):
        await client.incr(f"{redis_prefix}count")
    assert await direct.get(f"{redis_prefix}count") is None


async def test_a_pipeline_cut_after_has_been_carried_out_to_its_end(
    proxy: Proxy, client: Redis, direct: Redis, redis_prefix: str
) -> None:
    proxy.cut(contains(f"{redis_prefix}first"), Moment.AFTER)
    pipeline = client.pipeline(transaction=True)
    pipeline.set(f"{redis_prefix}first", 1)
    pipeline.set(f"{redis_prefix}last", "y" * 300_000)
    with pytest.raises(ServerConnectionError):
        await pipeline.execute()
    assert await direct.strlen(f"{redis_prefix}last") == 300_000


async def test_a_cut_strikes_as_often_as_it_was_told(proxy: Proxy, client: Redis, redis_prefix: str) -> None:
    fault = proxy.cut(contains("INCR"), Moment.AFTER, times=2)
    for _ in range(2):
        with pytest.raises(ServerConnectionError):
            await client.incr(f"{redis_prefix}count")
    assert await client.incr(f"{redis_prefix}count") == 3
    assert fault.hits == 2


async def test_requests_that_do_not_match_pass(proxy: Proxy, client: Redis, redis_prefix: str) -> None:
    fault = proxy.cut(contains("DECR"), Moment.AFTER)
    assert await client.incr(f"{redis_prefix}count") == 1
    assert fault.hits == 0


async def test_a_callback_before_runs_while_the_server_knows_nothing(
    proxy: Proxy, client: Redis, direct: Redis, redis_prefix: str
) -> None:
    seen: list[object] = []

    async def look() -> None:
        seen.append(await direct.get(f"{redis_prefix}count"))

    proxy.on_match(contains("INCR"), Moment.BEFORE, callback=look)
    assert await client.incr(f"{redis_prefix}count") == 1
    assert seen == [None]


async def test_a_callback_after_runs_while_the_client_waits(
    proxy: Proxy, client: Redis, direct: Redis, redis_prefix: str
) -> None:
    seen: list[tuple[object, bool]] = []

    async def look() -> None:
        seen.append((await direct.get(f"{redis_prefix}count"), waiting.done()))

    proxy.on_match(contains("INCR"), Moment.AFTER, callback=look)
    waiting = asyncio.ensure_future(client.incr(f"{redis_prefix}count"))
    assert await waiting == 1
    assert seen == [(b"1", False)]


async def test_down_resets_connections_and_refuses_new_ones_until_up(proxy: Proxy) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
    writer.write(b"*1\r\n$4\r\nPING\r\n")
    assert await reader.readline() == b"+PONG\r\n"
    await proxy.down()
    with pytest.raises(ConnectionResetError):
        await reader.read(1)
    writer.transport.abort()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", proxy.port)
    await proxy.up()
    async with Redis.from_url(proxy.url) as client:
        assert await client.ping()


async def test_a_black_hole_answers_nothing_and_then_delivers_what_it_held(
    proxy: Proxy, client: Redis, redis_prefix: str
) -> None:
    proxy.black_hole()
    with pytest.raises(ServerTimeoutError):
        await client.ping()
    async with Redis.from_url(proxy.url, socket_timeout=10) as patient:
        waiting = asyncio.ensure_future(patient.incr(f"{redis_prefix}count"))
        await proxy.up()
        assert await waiting == 1


async def test_a_server_that_is_gone_looks_gone_through_the_proxy(
    own_redis_server: RedisServer,
) -> None:
    async with Proxy(own_redis_server.port) as proxy, Redis.from_url(proxy.url) as client:
        await client.set("key", "value")
        own_redis_server.kill()
        with pytest.raises(ServerConnectionError):
            await client.ping()
        own_redis_server.start()
        assert await client.get("key") == b"value"
