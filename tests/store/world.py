"""What random worlds stand on: a data set of their own on a real server, and the same orders each time."""

import asyncio
import itertools
import uuid
from collections.abc import Coroutine
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from redis.asyncio import Redis

from tests.store.dataset import Dataset, ask
from tests.store.fleet import Fleet
from tests.support.redis_server import RedisServer
from tests.support.stores import make_store

Answer = TypeVar("Answer")


class World(RuleBasedStateMachine):
    """A prepared store and its fleet, for rules that aren't coroutines; `explore` names the server."""

    server: RedisServer

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._numbers = itertools.count()
        self._owner: dict[str, str] = {}
        """Operation or request that each VM was handed out to."""
        self._prefix = f"{{world-{uuid.uuid4().hex[:12]}}}"
        client = Redis.from_url(self.server.url, decode_responses=True, protocol=2)
        self._fleet = Fleet(make_store(self.server.url, self._prefix), client, self._prefix)
        self._generation = self._run(self._fleet.store.deployment.prepare())

    def teardown(self) -> None:
        async def close() -> None:
            for key in await ask(self._fleet.client, "KEYS", f"{self._prefix}*"):
                await ask(self._fleet.client, "DEL", key)
            await self._fleet.client.aclose()
            await self._fleet.store.close()

        self._run(close())
        self._runner.close()

    def _run(self, act: Coroutine[Any, Any, Answer]) -> Answer:
        return self._runner.run(act)

    def _read(self) -> Dataset:
        return self._run(self._fleet.dataset())


def explore(world: type[World], server: RedisServer, *, seen: set[Any], examples: int) -> None:
    """Run so many orders of the rules of a world; its rules put what they see into `seen`."""
    run_state_machine_as_test(
        type(f"{world.__name__}OnServer", (world,), {"server": server, "seen": seen}),
        settings=settings(
            max_examples=examples,
            derandomize=True,  # what is seen must not be left to luck
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
