"""A manager dies, or stands still, at any stage of an on-demand request: it ends right all the same."""

from pathlib import Path

import pytest

from tests.support.redis_server import RedisServer
from tests.support.scenarios import (
    Scenario,
    killed_and_replaced,
    killed_and_restarted,
    run_all,
    stopped_and_continued,
)
from tests.support.stages import ASKED, ASKED_AND_STOPPED, ASKED_AND_TAKEN_OVER, Stage

POOLS = {"left": 1, "right": 1}
"""A request gets a VM that is ready, and others that are made for it."""

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize(
    ("scenario", "stages"),
    [
        (killed_and_restarted, ASKED),
        (killed_and_replaced, ASKED_AND_TAKEN_OVER),
        (stopped_and_continued, ASKED_AND_STOPPED),
    ],
    ids=["killed-and-restarted", "killed-and-replaced", "stopped-and-continued"],
)
async def test_every_request_gets_the_vms_that_it_asked_for_and_none_is_left_over_by_a_manager_that_is(
    scenario: Scenario,
    stages: tuple[Stage, ...],
    tmp_path: Path,
    redis_server: RedisServer,
    redis_prefix: str,
) -> None:
    await run_all(scenario, stages, directory=tmp_path, redis=redis_server, prefix=redis_prefix, pools=POOLS)
