"""Fixtures of the system tests."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.installation import Installation
from tests.support.redis_server import RedisServer

Install = Callable[..., Installation]
"""Describes the test's installation on a Redis server: takes the keyword arguments of `Installation`."""


@pytest.fixture
async def install(tmp_path: Path, redis_prefix: str) -> AsyncIterator[Install]:
    """Yield a function that makes the test's installation; its processes are killed after the test."""
    made: list[Installation] = []

    def make(redis: RedisServer, **arguments: Any) -> Installation:
        made.append(Installation(tmp_path / f"installation-{len(made)}", redis, redis_prefix, **arguments))
        return made[-1]

    yield make
    for installation in made:
        await installation.close()
