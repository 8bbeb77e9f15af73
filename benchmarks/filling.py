"""What the manager needs to fill a hundred empty pools, and how many connections it makes.

The cloud is the dummy in memory, whose clones are instant; what it costs is the manager's. All counts from
the start of the process to the event that tells of the last ready VM. Only the CPU of the start, which is
the same for any number of VMs, is told apart.
"""

from benchmarks.figures import Figure
from benchmarks.filled_pools import POOLS, VMS, Filled, fill_pools
from benchmarks.stage import Stage, say

ROUNDS = 3
MANY_SLOTS, FEW_SLOTS = 100, 10
"""`task_limit`: clones in flight at once, over all pools; the second is the default."""


async def run(stage: Stage) -> list[Figure]:
    """Measure wall-clock, CPU and round trips per VM, and connections; about 20 s."""
    many, few = await _fill(stage, MANY_SLOTS), await _fill(stage, FEW_SLOTS)
    return [
        *_figures(MANY_SLOTS, many),
        *_figures(FEW_SLOTS, few),
        Figure(
            "Redis connections of the manager, at most",
            "",
            tuple(filled.connections for filled in many + few),
            10,
            "200",
        ),
    ]


async def _fill(stage: Stage, task_limit: int) -> list[Filled]:
    rounds = []
    for number in range(1, ROUNDS + 1):
        say(f"  round {number} of {ROUNDS}, task_limit {task_limit}")
        filled = await fill_pools(stage, task_limit=task_limit)
        await filled.installation.service.stop()
        rounds.append(filled)
    return rounds


def _figures(task_limit: int, rounds: list[Filled]) -> list[Figure]:
    usages = [filled.usage for filled in rounds]
    return [
        Figure(
            f"{len(POOLS)} pools of {VMS // len(POOLS)} VMs from nothing, task_limit {task_limit}",
            "s",
            tuple(usage.seconds for usage in usages),
            5,
            "40-81",
        ),
        Figure(
            "  manager CPU per VM",
            "ms",
            tuple((filled.usage.cpu - filled.start_cpu) / VMS * 1000 for filled in rounds),
            2,
            "14-17",
        ),
        Figure("  manager CPU of the start", "s", tuple(filled.start_cpu for filled in rounds)),
        Figure("  round trips per VM", "", tuple(usage.round_trips / VMS for usage in usages), 6),
    ]
