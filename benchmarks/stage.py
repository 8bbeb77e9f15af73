"""Where a benchmark plays: a Redis server, a directory, and services that end with it."""

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.documents import pooler_document
from tests.support.redis_server import RedisServer
from tests.support.services import Service, ServiceName
from tests.support.stores import open_store
from vmpooler_common.store.store import Store


def say(text: str) -> None:
    """Show progress, apart from the results."""
    print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Installation:
    """A deployment of its own in the stage's Redis."""

    prefix: str
    store: Store
    service: Service
    """Described, and not started."""


class Stage:
    """A Redis server as deployed, every write on disk before it is answered."""

    def __init__(self, directory: Path, redis: RedisServer, stack: AsyncExitStack) -> None:
        self._directory = directory
        self._redis = redis
        self._stack = stack
        self._numbers = count(1)

    @property
    def redis_port(self) -> int:
        """Where the server listens."""
        return self._redis.port

    async def install(
        self,
        service: ServiceName,
        *,
        pools: Mapping[str, int],
        config: Mapping[str, Any] | None = None,
        sections: Mapping[str, Any] | None = None,
    ) -> Installation:
        """Describe a service with an empty installation of its own and open a store on the same data.

        `config` adds to that section, `sections` are whole ones.
        """
        prefix = f"{{installation-{next(self._numbers)}}}"
        store = await self._stack.enter_async_context(open_store(self._redis.url, prefix, size=2))
        described = self.describe(service, prefix, pools=pools, config=config, sections=sections)
        return Installation(prefix, store, described)

    def describe(
        self,
        service: ServiceName,
        prefix: str,
        *,
        pools: Mapping[str, int],
        config: Mapping[str, Any] | None = None,
        sections: Mapping[str, Any] | None = None,
    ) -> Service:
        """Describe a service, maybe one more, of the installation that has this prefix."""
        label = f"{service}-of-{prefix.strip('{}')}"
        described = Service(
            service,
            directory=self._directory,
            document=pooler_document(redis_url=self._redis.url, prefix=prefix, pools=pools, config=config)
            | dict(sections or {}),
            environment={"VMPOOLER_DEBUG": "true"} if "auth" in (sections or {}) else {},
            label=label,
        )
        self._stack.callback(described.kill)
        return described


@asynccontextmanager
async def open_stage() -> AsyncIterator[Stage]:
    """Yield a stage; whatever was started on it has ended afterwards."""
    async with AsyncExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="vmpooler-bench-")))
        redis = stack.enter_context(RedisServer(directory / "redis", durable=True))
        yield Stage(directory, redis, stack)
