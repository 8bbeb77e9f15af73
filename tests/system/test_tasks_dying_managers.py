"""A manager dies, or stands still, at any stage of a task on a running VM: it is done once all the same."""

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
from tests.support.stages import TASK_STAGES, TASK_STAGES_OF_TWO, Stage

pytestmark = pytest.mark.timeout(240)


@pytest.mark.parametrize(
    ("scenario", "stages"),
    [
        (killed_and_restarted, TASK_STAGES),
        (killed_and_replaced, TASK_STAGES_OF_TWO),
        (stopped_and_continued, TASK_STAGES_OF_TWO),
    ],
    ids=["killed-and-restarted", "killed-and-replaced", "stopped-and-continued"],
)
async def test_every_task_is_done_once_and_in_its_order_by_a_manager_that_is(
    scenario: Scenario,
    stages: tuple[Stage, ...],
    tmp_path: Path,
    redis_server: RedisServer,
    redis_prefix: str,
) -> None:
    await run_all(scenario, stages, directory=tmp_path, redis=redis_server, prefix=redis_prefix)
