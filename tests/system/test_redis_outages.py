"""Redis goes away under load: both services recover by themselves, and every grant keeps its word."""

import asyncio
from random import Random

import pytest

from tests.support.checkout_users import CheckoutUsers
from tests.support.installation import Installation
from tests.support.redis_server import RedisServer
from tests.system.conftest import Install

OUTAGE = 10.0
KILLS = 3
USERS = 6


@pytest.fixture
async def installation(install: Install, own_redis_server: RedisServer) -> Installation:
    installation = install(
        own_redis_server,
        pools={"left": 4, "right": 4},
        provider={"createvm_max_time": 0.2, "destroyvm_max_time": 0.2},
    )
    await asyncio.gather(*(start() for start in (installation.start_manager, installation.start_api) * 2))
    await installation.settles("at first")
    return installation


@pytest.fixture
async def users(installation: Installation) -> CheckoutUsers:
    return CheckoutUsers(
        installation.apis, installation.ledger, pools=list(installation.pools), random=Random(11)
    )


async def served_again(users: CheckoutUsers) -> None:
    """Return when somebody has got a VM from now on."""
    before = users.served
    async with asyncio.timeout(15):
        while users.served == before:  # noqa: ASYNC110 - any of many users may be it
            await asyncio.sleep(0.05)


async def test_after_redis_was_away_for_ten_seconds_everything_goes_on_by_itself(
    installation: Installation, users: CheckoutUsers, own_redis_server: RedisServer
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(users.work(users=USERS, longest_use=0.3, keep_percent=5))
        await served_again(users)
        await asyncio.to_thread(own_redis_server.stop)
        await asyncio.sleep(OUTAGE)
        await asyncio.to_thread(own_redis_server.start)
        await served_again(users)
        users.leave()
    await installation.settles("Redis stopped and started")
    assert all(service.is_running for service in installation.services)


async def test_a_kill_of_redis_under_load_takes_no_grant_back_and_repeats_none(
    installation: Installation, users: CheckoutUsers, own_redis_server: RedisServer
) -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(users.work(users=USERS, longest_use=0.1, keep_percent=5))
        for _ in range(KILLS):
            await served_again(users)
            await asyncio.to_thread(own_redis_server.kill)
            await asyncio.to_thread(own_redis_server.start)
        await served_again(users)
        users.leave()
    await installation.settles("Redis killed and started")
    assert all(service.is_running for service in installation.services)
