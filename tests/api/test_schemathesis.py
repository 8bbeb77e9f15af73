"""The OpenAPI document is tried out: every answer is one that it describes, and none tells of a failure."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from tests.api.in_process import POOLS
from tests.store.fleet import Fleet
from tests.store.ondemand import OnDemand
from tests.support.documents import pooler_document
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService
from tests.support.stores import open_store

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
NO_LEGACY = ("--exclude-path-regex", "^/api/v[12]/")
"""To save time v1 is tried once, without authentication: its answers are v3's, and v2's are v1's."""
NO_V2 = ("--exclude-path-regex", "^/api/v2/")
LOGIN = ("--auth", "alice:secret", "--header", "X-AUTH-TOKEN: good")


@pytest.fixture
async def fleet(redis_server: RedisServer, redis_prefix: str) -> AsyncIterator[Fleet]:
    """Yield VMs and requests of the kinds that the configuration names."""
    async with (
        open_store(redis_server.url, redis_prefix) as store,
        Redis.from_url(redis_server.url, decode_responses=True, protocol=2) as client,
    ):
        fleet = Fleet(store, client, redis_prefix)
        await fleet.token("good", "alice")
        await fleet.gone("pool1", "gone")
        await fleet.running("pool1", "running")
        await fleet.running("pool1", "alices", token="good")
        for pool in ("pool1", "pool2"):
            await fleet.ready(pool, *(f"{pool}-{number}" for number in range(100)))
        await fleet.ready("pool2", "ready")
        demand = OnDemand(fleet)
        await demand.accepted("failed", "pool3")
        await demand.failed("pool3", "broken", "no disk", most=1)
        await demand.accepted("met", "pool3", token="good")
        await demand.booted("pool3", "given")
        await demand.accepted("open", "pool3", "pool3")
        yield fleet


@pytest.mark.timeout(400)
@pytest.mark.parametrize(
    ("auth", "arguments"),
    [(None, NO_V2), ({"provider": "dummy"}, NO_LEGACY), ({"provider": "dummy"}, NO_LEGACY + LOGIN)],
    ids=["without authentication", "with authentication and no login", "with a login"],
)
async def test_every_answer_is_described(
    redis_server: RedisServer,
    fleet: Fleet,
    make_service: MakeService,
    tmp_path: Path,
    auth: Mapping[str, Any] | None,
    arguments: tuple[str, ...],
) -> None:
    document = pooler_document(
        redis_url=redis_server.url, prefix=fleet.prefix, pools=POOLS, config={"experimental_features": True}
    )
    if auth is not None:
        document["auth"] = auth
    async with make_service("api", document=document, environment={"VMPOOLER_DEBUG": "1"}) as service:
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "--no-color"),
            *("run", f"{service.base_url}/openapi.json", *arguments),
        ]
        tried = await asyncio.to_thread(
            subprocess.run, command, cwd=tmp_path, capture_output=True, text=True, check=False
        )
    assert tried.returncode == 0, tried.stdout + tried.stderr
