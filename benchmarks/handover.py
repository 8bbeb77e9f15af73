"""What the API needs for a checkout and the return of the VM.

Round trips are counted with one client, so that no two requests share one, and with all. CPU is that of one
worker under 16 connections that are kept alive. A route that does nothing, asked as often, tells what HTTP
alone costs; the two pools tell whether the number of ready VMs matters.
"""

from benchmarks.clients import CONNECTIONS, NOTHING, hold
from benchmarks.figures import Figure
from benchmarks.metering import Usage
from benchmarks.stage import Stage, say
from benchmarks.stocking import stock

ROUNDS = 6
PAIRS = 1000
"""Checkouts with their returns in one round."""
WARM_UP = 300
ALONE = 200
LARGE = 20_000

SMALL_POOL, LARGE_POOL = "small", "large"


async def run(stage: Stage) -> list[Figure]:
    """Measure round trips, CPU, and its ratios; about 50 s."""
    installation = await stage.install("api", pools={SMALL_POOL: 0, LARGE_POOL: 0})
    store, service = installation.store, installation.service
    say(f"  putting {LARGE + ROUNDS * PAIRS:,} ready VMs into a pool")
    await stock(store, LARGE_POOL, vms=LARGE + ROUNDS * PAIRS)
    await stock(store, SMALL_POOL, vms=WARM_UP + ALONE)
    await service.start()
    await hold(service, WARM_UP, "checkouts", SMALL_POOL)
    alone = await hold(service, ALONE, "checkouts", SMALL_POOL, connections=1)
    nothing, small, large = [], [], []
    for number in range(1, ROUNDS + 1):
        say(f"  round {number} of {ROUNDS}")
        await stock(store, SMALL_POOL, vms=PAIRS)
        nothing.append(await hold(service, 2 * PAIRS, "asking", NOTHING))
        small.append(await hold(service, PAIRS, "checkouts", SMALL_POOL))
        large.append(await hold(service, PAIRS, "checkouts", LARGE_POOL))
    return [
        Figure("round trips per checkout and return", "", (alone.round_trips / ALONE,), 2, "9"),
        Figure(
            f"the same, {CONNECTIONS} clients at once", "", tuple(use.round_trips / PAIRS for use in small)
        ),
        Figure("API CPU per checkout and return", "ms", _milliseconds(small), 0.8, "3.2-5.7"),
        Figure("API CPU of two requests for nothing", "ms", _milliseconds(nothing)),
        Figure("ratio of these two", "", _ratios(small, nothing)),
        Figure(f"API CPU with {LARGE:,} VMs in the pool", "ms", _milliseconds(large), 0.8, "28"),
        Figure("ratio to a small pool", "", _ratios(large, small), 1.1, "5-9"),
    ]


def _milliseconds(usages: list[Usage]) -> tuple[float, ...]:
    return tuple(usage.cpu / PAIRS * 1000 for usage in usages)


def _ratios(usages: list[Usage], others: list[Usage]) -> tuple[float, ...]:
    return tuple(usage.cpu / other.cpu for usage, other in zip(usages, others, strict=True))
