"""What happens to an installation whose manager is struck at a stage; at the end everything is full again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

from tests.support.crashing_orders import Effect
from tests.support.fault_injection import FaultInjection
from tests.support.installation import Installation
from tests.support.redis_server import RedisServer
from tests.support.services import ServiceDiedError
from tests.support.stages import Stage

AT_ONCE = 12
"""Installations that run beside each other: most of their time is waiting for leases to end."""
POOLS = {"left": 3, "right": 3}
SLOTS = 2
"""Clones at once; so few that a slot that got lost would hold up the next fill."""
TIMES = {"createvm_max_time": 0.3, "vmready_max_time": 0.3, "destroyvm_max_time": 0.2}

Scenario = Callable[[Installation, Stage], Awaitable[None]]


async def killed_and_restarted(installation: Installation, stage: Stage) -> None:
    """Kill the only manager; start it again as often as it dies."""
    victim = await installation.start_manager()
    await installation.settles("at first")
    injection = FaultInjection(installation, victim, stage, Effect.KILL)
    await injection.provoke()
    for _ in range(injection.deaths):
        await injection.died()
        victim.service.launch()
    await installation.settles(f"killed {stage} and restarted")
    await _all_can_be_taken_and_made_again(installation)


async def killed_and_replaced(installation: Installation, stage: Stage) -> None:
    """Kill one of two managers; the other one goes on alone."""
    injection = await _one_of_two(installation, stage, Effect.KILL)
    await injection.provoke()
    await injection.died()
    await installation.settles(f"killed {stage} and replaced")
    await _all_can_be_taken_and_made_again(installation)


async def stopped_and_continued(installation: Installation, stage: Stage) -> None:
    """Stop one of two managers until the other has done all of its work, then let it go on."""
    injection = await stopped_and_given_up(installation, stage)
    injection.release()
    await installation.is_shared_by(2)
    await installation.settles(f"stopped {stage} and continued")
    await _all_can_be_taken_and_made_again(installation)


async def stopped_and_given_up(installation: Installation, stage: Stage) -> FaultInjection:
    """Stop one of two managers until the other has done all of its work."""
    injection = await _one_of_two(installation, stage, Effect.STOP)
    await injection.provoke()
    await injection.struck()
    await installation.settles(f"stopped {stage}")
    await installation.is_shared_by(1)
    return injection


async def run_all(
    scenario: Scenario,
    stages: Sequence[Stage],
    *,
    directory: Path,
    redis: RedisServer,
    prefix: str,
    pools: Mapping[str, int] = POOLS,
) -> None:
    """Run a scenario once for each stage, several beside each other; tell all that failed."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def run(number: int, stage: Stage) -> str | None:
        async with turns:
            installation = Installation(
                directory / f"{number}-{stage.slug}",
                redis,
                f"{prefix[:-1]}-{number}}}",
                pools=pools,
                config={"task_limit": SLOTS, "ondemand_clone_limit": SLOTS},
                provider=TIMES,
            )
            try:
                await scenario(installation, stage)
            except (AssertionError, ServiceDiedError) as error:
                return f"{stage}: {error}"
            finally:
                await installation.close()
        return None

    failures = await asyncio.gather(*(run(number, stage) for number, stage in enumerate(stages)))
    assert not any(failures), "\n\n".join(filter(None, failures))


async def _one_of_two(installation: Installation, stage: Stage, effect: Effect) -> FaultInjection:
    victim, _ = await asyncio.gather(installation.start_manager(), installation.start_manager())
    await installation.settles("at first")
    await installation.is_shared_by(2)
    return FaultInjection(installation, victim, stage, effect)


async def _all_can_be_taken_and_made_again(installation: Installation) -> None:
    await installation.take_all()
    await installation.settles("everything taken")
    if requests := list(installation.ledger.asked):
        await installation.ask("again", *installation.pools)
        for request in requests:
            await installation.delete(request)
        await installation.settles("every request deleted, and another one opened")
