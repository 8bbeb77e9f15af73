"""What the tests of the manager share."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.manager.ondemand_requests import OnDemand
from tests.manager.site import Site
from tests.support.faulty_provider import install
from tests.support.redis_server import RedisServer
from tests.support.stores import open_store


@pytest.fixture
async def site(
    redis_server: RedisServer, redis_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    """Yield an installation without a manager; its managers are stopped after the test."""
    monkeypatch.syspath_prepend(str(install(tmp_path / "plug-ins")))
    async with _site(redis_server, redis_prefix, tmp_path) as site:
        yield site


@pytest.fixture
async def own_site(
    own_redis_server: RedisServer, redis_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    """Yield an installation like `site`, on a Redis that the test may stop, start and empty."""
    monkeypatch.syspath_prepend(str(install(tmp_path / "plug-ins")))
    async with _site(own_redis_server, redis_prefix, tmp_path) as site:
        yield site


@asynccontextmanager
async def _site(server: RedisServer, prefix: str, directory: Path) -> AsyncIterator[Site]:
    async with open_store(server.url, prefix) as store:
        site = Site(directory, store, redis_url=server.url, prefix=prefix)
        yield site
        await site.stop()


@pytest.fixture
def requests(site: Site) -> OnDemand:
    """Return what users of the site ask for on demand."""
    return OnDemand(site)
