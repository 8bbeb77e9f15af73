"""A Redis server with a replica, both real."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from redis.asyncio import Redis

from tests.store.dataset import ask
from tests.support.redis_server import RedisServer

PATIENCE_MS = 20_000


def a_primary(directory: Path) -> RedisServer:
    """Describe a server that hands its data to a new replica at once; it isn't started."""
    return RedisServer(directory, options=("--repl-diskless-sync-delay", "0"))


@asynccontextmanager
async def a_replica(primary: RedisServer, directory: Path) -> AsyncIterator[RedisServer]:
    """Yield a replica of a running server, as soon as it acknowledges what it gets."""
    with RedisServer(directory, options=("--replicaof", f"127.0.0.1 {primary.port}")) as server:
        async with Redis.from_url(primary.url, decode_responses=True, protocol=2) as client:
            # Only the first acknowledgement says that the replica takes part.
            await ask(client, "SET", "first", "write")
            if await ask(client, "WAIT", 1, PATIENCE_MS) != 1:
                raise RuntimeError("the replica doesn't acknowledge anything")
        yield server
