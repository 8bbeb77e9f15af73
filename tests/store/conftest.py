"""Fixtures of the store's tests: a store on a fresh prefix, what lies under it, and a way to break it."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from tests.store.fleet import Fleet
from tests.store.ondemand import OnDemand
from tests.store.task_helpers import TaskHelpers
from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer
from tests.support.stores import Tally, open_store
from vmpooler_common.store.store import Store


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture
async def store(redis_server: RedisServer, redis_prefix: str, tally: Tally) -> AsyncIterator[Store]:
    async with open_store(redis_server.url, redis_prefix, tally=tally) as store:
        yield store


@pytest.fixture
async def client(redis_server: RedisServer) -> AsyncIterator["Redis"]:
    """Yield a plain client, to look at what the store has written."""
    async with Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as client:
        yield client


@pytest.fixture
def fleet(store: Store, client: "Redis", redis_prefix: str) -> Fleet:
    return Fleet(store, client, redis_prefix)


@pytest.fixture
async def proxy(redis_server: RedisServer) -> AsyncIterator[Proxy]:
    async with Proxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
def demand(fleet: Fleet) -> OnDemand:
    """On-demand requests of the fleet's installation."""
    return OnDemand(fleet)


@pytest.fixture
def chores(fleet: Fleet) -> TaskHelpers:
    """Tasks on the fleet's running VMs."""
    return TaskHelpers(fleet)
