"""A manager and two APIs over one Redis: one API with users, one without."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.documents import pooler_document
from tests.support.redis_server import RedisServer
from tests.support.services import Service

DEBIAN, ROCKY, SMALL = "debian-12-x86_64", "rocky-9-x86_64", "small-1-x86_64"
POOLS: Mapping[str, Mapping[str, Any]] = {
    DEBIAN: {"size": 4, "alias": ["debian"]},
    SMALL: {"size": 1, "alias": "small"},
    ROCKY: {"size": 0, "alias": "rocky"},
}
"""Nothing is kept ready of the last."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Both services, running."""

    redis: RedisServer
    manager: Service
    api: Service
    """Everybody may do everything."""
    guarded: Service
    """Names and passwords count: any that differ. `root` is an admin."""


@contextmanager
def running_pair(directory: Path) -> Iterator[Pair]:
    """Start both, and wait until they answer."""
    with RedisServer(directory / "redis") as redis:
        document = pooler_document(
            redis_url=redis.url,
            prefix="{client}",
            pools=POOLS,
            config={"experimental_features": True, "admins": ["root"], "check_loop_delay_min": 0.2},
            provider={"filename": str(directory / "cloud.sqlite3"), "connection_pool_size": 4},
        )
        with_users = {**document, "auth": {"provider": "dummy"}}
        manager = Service("manager", directory=directory, document=document)
        api = Service("api", directory=directory, document=document)
        guarded = Service(
            "api",
            directory=directory,
            document=with_users,
            environment={"VMPOOLER_DEBUG": "true"},
            label="guarded",
        )
        services = (manager, api, guarded)
        try:
            for service in services:
                service.launch()
            for service in services:
                asyncio.run(service.wait_until_healthy())
            yield Pair(redis, *services)
        finally:
            for service in services:
                service.kill()
