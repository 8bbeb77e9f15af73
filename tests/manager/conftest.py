"""What the tests of the manager share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.manager.orders import Orders
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
    async with open_store(redis_server.url, redis_prefix) as store:
        site = Site(tmp_path, store, redis_url=redis_server.url, prefix=redis_prefix)
        yield site
        await site.stop()


@pytest.fixture
def orders(site: Site) -> Orders:
    """Return what users of the site ask for on demand."""
    return Orders(site)
