"""Fixtures that all tests may use: a real Redis, free ports, real services whose logs a failure shows."""

import itertools
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from tests.support.ports import free_port as find_free_port
from tests.support.redis_server import RedisServer
from tests.support.services import MakeService, Service

LOG_TAIL_CHARACTERS = 20_000
_PREFIXES = itertools.cycle([f"{{test-{number}}}" for number in range(20)])
_LOGS = pytest.StashKey[list[Path]]()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One running server for all tests; each keeps to its own `redis_prefix` and leaves it running."""
    with RedisServer(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis_prefix(redis_server: RedisServer) -> str:
    """Return a key prefix of which the server has no key; a test that ran shortly before had another one.

    A few that return, for Redis keeps each prefix's scripts for good, and compiles them once for each.
    """
    with Redis.from_url(redis_server.url) as client:
        client.flushall()
    return next(_PREFIXES)


@pytest.fixture
def own_redis_server(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """Yield a running server of the test's own that writes all to disk: to stop, kill, pause or empty."""
    with RedisServer(tmp_path / "redis", durable=True) as server:
        _show_on_failure(request, server.log)
        yield server


@pytest.fixture
def free_port() -> int:
    """Return a port of the loopback interface that nothing listens on."""
    return find_free_port()


@pytest.fixture
def make_service(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeService]:
    """Yield a function that makes services; they are killed after the test, their logs shown if it failed."""
    made: list[Service] = []

    def make(*arguments: Any, **named: Any) -> Service:
        service = Service(*arguments, directory=tmp_path / "services", **named)
        _show_on_failure(request, service.log)
        made.append(service)
        return service

    yield make
    for service in made:
        service.kill()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the logs of a failed test's servers and services to its report."""
    report = yield
    if report.failed:
        for log in item.stash.get(_LOGS, []):
            if log.exists():
                text = log.read_text(errors="replace")[-LOG_TAIL_CHARACTERS:]
                report.sections.append((f"log of {log.stem}", text))
    return report


def _show_on_failure(request: pytest.FixtureRequest, log: Path) -> None:
    request.node.stash.setdefault(_LOGS, []).append(log)
