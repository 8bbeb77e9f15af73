"""Fixtures of the API's tests."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.in_process import POOLS, Api, Reach, directly, open_api
from tests.store.fleet import Fleet
from tests.support.documents import pooler_document
from tests.support.redis_server import RedisServer

WithApi = Callable[..., AbstractAsyncContextManager[Api]]
"""Opens an API; takes arguments of `pooler_document`, keys of the section `redis`, `auth`: a provider, or the
whole section, and whole `sections` of a document."""


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
        **arguments: Any,
    ) -> AbstractAsyncContextManager[Api]:
        document = pooler_document(
            redis_url=redis_server.url, prefix=redis_prefix, **{"pools": POOLS, **arguments}
        )
        document["redis"] |= redis or {}
        document |= sections or {}
        if auth is not None:
            document["auth"] = {"provider": auth} if isinstance(auth, str) else dict(auth)
        return open_api(document, tmp_path, environ={"VMPOOLER_DEBUG": "true"}, reach=reach)

    return open_it


@pytest.fixture
async def api(with_api: WithApi) -> AsyncIterator[Api]:
    """Yield an API with the pools `POOLS` and without authentication."""
    async with with_api() as api:
        yield api


@pytest.fixture
async def secured_api(with_api: WithApi) -> AsyncIterator[Api]:
    """Yield the same with authentication and one token, `good`, of the user alice."""
    async with with_api(auth="dummy", config={"vm_lifetime": 10, "vm_lifetime_auth": 2}) as api:
        await api.fleet.token("good", "alice")
        yield api


@pytest.fixture
def client(api: Api) -> httpx.AsyncClient:
    return api.client


@pytest.fixture
def fleet(api: Api) -> Fleet:
    return api.fleet
