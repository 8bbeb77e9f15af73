"""Everything at once for a while: users, a bad cloud, and a random process killed every other second."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random

import pytest

from tests.support.checkout_users import CheckoutUsers
from tests.support.installation import Installation
from tests.support.redis_server import RedisServer
from tests.support.services import Service
from tests.system.conftest import Install

SECONDS = 40.0
WHOLE_WITHIN = 60.0
SEED = 20
BAD_CLOUD = {
    "createvm_max_time": 0.5,
    "vmready_max_time": 0.5,
    "destroyvm_max_time": 0.5,
    "createvm_fail_percent": 20,
    "createvm_orphan_percent": 5,
    "destroyvm_fail_percent": 20,
    "vmready_fail_percent": 10,
    "throttle_percent": 2,
    "listvms_partial_percent": 10,
}


class Chaos:
    """Kills processes of an installation and starts them again, one after the other, as `random` decides."""

    def __init__(self, installation: Installation, redis: RedisServer, random: Random) -> None:
        self.kills = 0
        self._random = random
        self._ways: list[Callable[[], Awaitable[None]]] = [
            lambda: self._strike_redis(redis),
            *(lambda service=service: self._strike(service) for service in installation.services),
        ]

    async def reign(self, seconds: float) -> None:
        """Go on for so long; at the end everything runs."""
        end = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < end:
            await asyncio.sleep(self._random.uniform(0.5, 2))
            await self._random.choice(self._ways)()
            self.kills += 1

    async def _strike(self, service: Service) -> None:
        service.kill()
        await asyncio.sleep(self._random.uniform(0, 2))
        service.launch()

    async def _strike_redis(self, redis: RedisServer) -> None:
        await asyncio.to_thread(redis.kill)
        await asyncio.sleep(self._random.uniform(0, 1))
        await asyncio.to_thread(redis.start)


@pytest.mark.timeout(240)
async def test_after_a_time_of_kills_and_faults_everything_is_full_and_nobody_lost_a_vm(
    install: Install, own_redis_server: RedisServer
) -> None:
    installation = install(
        own_redis_server, pools={"left": 5, "right": 5, "alone": 1}, config={"task_limit": 6}
    )
    for _ in range(2):
        await asyncio.gather(installation.start_manager(**BAD_CLOUD), installation.start_api())
    users = CheckoutUsers(
        installation.apis, installation.ledger, pools=list(installation.pools), random=Random(SEED)
    )
    chaos = Chaos(installation, own_redis_server, Random(SEED))
    async with asyncio.TaskGroup() as group:
        group.create_task(users.work(users=8, longest_use=1, keep_percent=5))
        await chaos.reign(SECONDS)
        users.leave()
    for manager in installation.managers:
        manager.service.kill()
    await asyncio.gather(installation.start_manager(), installation.start_manager())
    installation.ledger.unclear += installation.ledger.withdrawn  # by an API that was killed before it did
    await installation.settles(f"{chaos.kills} kills, {users.served} grants", within=WHOLE_WITHIN)
    assert users.served > chaos.kills > SECONDS / 8
