"""A manager dies, or stands still, at any stage of a clone or a destroy: nothing is lost or leaked."""

import asyncio
from pathlib import Path

import pytest

from tests.support.crashing_orders import Call, Effect, Order, When
from tests.support.installation import SETTLED_WITHIN, Installation
from tests.support.redis_server import RedisServer
from tests.support.scenarios import (
    POOLS,
    Scenario,
    killed_and_replaced,
    killed_and_restarted,
    run_all,
    stopped_and_continued,
    stopped_and_given_up,
)
from tests.support.stages import CREATING, EVERY_STAGE, STOPPED, TAKEN_OVER, Stage
from tests.system.conftest import Install

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize(
    ("scenario", "stages"),
    [
        (killed_and_restarted, EVERY_STAGE),
        (killed_and_replaced, TAKEN_OVER),
        (stopped_and_continued, STOPPED),
    ],
    ids=["killed-and-restarted", "killed-and-replaced", "stopped-and-continued"],
)
async def test_all_pools_are_full_and_nothing_is_lost_or_leaked_by_a_manager_that_is(
    scenario: Scenario,
    stages: tuple[Stage, ...],
    tmp_path: Path,
    redis_server: RedisServer,
    redis_prefix: str,
) -> None:
    await run_all(scenario, stages, directory=tmp_path, redis=redis_server, prefix=redis_prefix)


async def has_adopted_a_late_vm(installation: Installation) -> None:
    """Return when a VM that was given up is known to have appeared after all."""
    async with asyncio.timeout(SETTLED_WITHIN):
        while True:
            records = (await installation.dataset()).records.values()
            if any(record.get("reason") == "late" for record in records):
                return
            await asyncio.sleep(0.1)


async def test_a_clone_that_is_begun_long_after_its_manager_was_given_up_is_destroyed(
    install: Install, redis_server: RedisServer
) -> None:
    installation = install(redis_server, pools=POOLS)
    injection = await stopped_and_given_up(installation, CREATING)
    injection.release()
    await has_adopted_a_late_vm(installation)
    await installation.settles("a late clone")


async def test_a_clone_that_is_begun_late_by_a_manager_that_dies_of_it_is_found_and_destroyed(
    install: Install, redis_server: RedisServer
) -> None:
    installation = install(redis_server, pools=POOLS)
    injection = await stopped_and_given_up(installation, CREATING)
    installation.managers[0].orders.place(Order(When.AFTER, Call.CREATE, Effect.KILL))
    injection.release()
    await injection.died()
    await has_adopted_a_late_vm(installation)
    await installation.settles("a late clone of a dead manager")
