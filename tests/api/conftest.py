"""Fixtures of the API's tests."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from tests.api.in_process import POOLS, Api, Reach, directly, open_api
from tests.api.ondemand import Requester
from tests.store.fleet import Fleet
from tests.support.documents import pooler_document
from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service
from tests.support.slapd import Slapd
from tests.support.stores import open_store
from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.model.features import Feature

WithApi = Callable[..., AbstractAsyncContextManager[Api]]
"""Opens an API; takes arguments of `pooler_document`, keys of the section `redis`, `auth`: a provider, or the
whole section, whole `sections` of a document, variables of its environment, one more `backend` of
metrics, and the `features` of the fleet's provider."""


@pytest.fixture
def reach() -> Reach:
    """Return how these tests' clients reach the app."""
    return directly


@pytest.fixture
def with_api(redis_server: RedisServer, redis_prefix: str, tmp_path: Path, reach: Reach) -> WithApi:
    """Return a function that opens an API with a configuration of the test's own."""

    def open_it(
        *,
        auth: str | Mapping[str, Any] | None = None,
        redis: dict[str, Any] | None = None,
        sections: dict[str, Any] | None = None,
        environ: Mapping[str, str] | None = None,
        backend: Backend | None = None,
        features: frozenset[Feature] | None = None,
        **arguments: Any,
    ) -> AbstractAsyncContextManager[Api]:
        document = pooler_document(
            redis_url=redis_server.url, prefix=redis_prefix, **{"pools": POOLS, **arguments}
        )
        document["redis"] |= redis or {}
        document |= sections or {}
        if auth is not None:
            document["auth"] = {"provider": auth} if isinstance(auth, str) else dict(auth)
        return open_api(
            document,
            tmp_path,
            environ={"VMPOOLER_DEBUG": "true", **(environ or {})},
            reach=reach,
            backend=backend,
            features=features,
        )

    return open_it


@pytest.fixture
async def api(with_api: WithApi) -> AsyncIterator[Api]:
    """Yield an API with the pools `POOLS` and without authentication."""
    async with with_api() as api:
        yield api


@pytest.fixture
async def secured_api(with_api: WithApi) -> AsyncIterator[Api]:
    """Yield the same with authentication, one token, `good`, of the user alice, and an admin, root.

    Pools may be changed, by the admin.
    """
    config = {
        "vm_lifetime": 10,
        "vm_lifetime_auth": 2,
        "experimental_features": True,
        "admins": ["root"],
    }
    async with with_api(auth="dummy", config=config) as api:
        await api.fleet.token("good", "alice")
        yield api


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api.client


@pytest.fixture
def fleet(api: Api) -> Fleet:
    return api.fleet


@pytest.fixture
def customer(api: Api) -> Requester:
    """Return one who needs no token."""
    return Requester(api)


@pytest.fixture
def secured(secured_api: Api) -> Requester:
    """Return one who does."""
    return Requester(secured_api)


@pytest.fixture
async def proxy(redis_server: RedisServer) -> AsyncIterator[Proxy]:
    """Yield a way to the Redis server that can be cut."""
    async with Proxy(redis_server.port) as proxy:
        yield proxy


@pytest.fixture
async def cut_api(
    proxy: Proxy, redis_server: RedisServer, redis_prefix: str, tmp_path: Path
) -> AsyncIterator[Api]:
    """Yield an API behind the proxy; its fleet isn't."""
    document = pooler_document(redis_url=proxy.url, prefix=redis_prefix, pools=POOLS)
    document["redis"] |= {"reconnect_attempts": [0.1]}
    async with open_api(document, tmp_path, redis_url=redis_server.url) as api:
        yield api


@pytest.fixture
async def process(proxy: Proxy, redis_prefix: str, make_service: MakeService) -> AsyncIterator[Service]:
    """Yield an API process behind the proxy."""
    document = pooler_document(redis_url=proxy.url, prefix=redis_prefix, pools=POOLS)
    async with make_service("api", document=document) as service:
        yield service


@pytest.fixture
async def process_fleet(redis_server: RedisServer, redis_prefix: str) -> AsyncIterator[Fleet]:
    """Yield what `process` works with."""
    async with (
        open_store(redis_server.url, redis_prefix) as store,
        Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as client,
    ):
        yield Fleet(store, client, redis_prefix)


@pytest.fixture(scope="module")
def slapd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """Yield a server for all tests of this module that only ask."""
    with Slapd(tmp_path_factory.mktemp("slapd") / "server") as slapd:
        yield slapd


@pytest.fixture
def own_slapd(tmp_path: Path) -> Iterator[Slapd]:
    """Yield a server of the test's own: to pause, kill, and read the whole log of."""
    with Slapd(tmp_path / "slapd") as slapd:
        yield slapd
