"""What the API needs to show all pools, one VM, and a token.

Each is asked for over 16 connections that are kept alive, in turn with a route that does nothing, as often:
what HTTP alone costs. Every pool has one ready VM and statistics of the day. Round trips are counted with one
client, since requests that come together share them.
"""

from collections.abc import Sequence

from benchmarks.clients import NOTHING, hold
from benchmarks.figures import Figure
from benchmarks.metering import Usage
from benchmarks.stage import Installation, Stage, say
from benchmarks.stocking import stock
from vmpooler_common.store.access.tokens import LoginAttempt
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.core.scripts import new_operation

STATUS = "/api/v3/status"
POOLS = {10: (1.8, "9"), 100: (3.6, "18-22"), 500: (17, "84-91")}
"""Number of pools -> target in milliseconds of CPU, a fifth of what 3.9.1 needs without its cache; that."""
HELD = 1000
"""Running VMs of the token."""
TOKEN = "benchmark-token-0123456789abcdef"  # noqa: S105 - of no service but this one
ROUNDS = 5
ALONE = 20
TIMES = {10: 500, 100: 200, 500: 60}
"""Number of pools -> requests in one round: so many that they take a second."""
TIMES_OF_VM, TIMES_OF_TOKEN = 1000, 300


async def run(stage: Stage) -> list[Figure]:
    """Measure CPU and round trips per request; about 60 s."""
    figures: list[Figure] = []
    for count, (target, legacy) in POOLS.items():
        installation = await _installed(stage, pools=count)
        figures += await _figures(
            installation,
            STATUS,
            f"status of {count} pools",
            times=TIMES[count],
            target=target,
            legacy=legacy,
        )
        await installation.service.stop()
    installation = await _installed(stage, pools=1)
    vm = await _take(installation)
    figures += await _figures(
        installation, f"/api/v3/vm/{vm}", "one VM", times=TIMES_OF_VM, target=None, legacy=""
    )
    figures += await _figures(
        installation,
        f"/api/v3/token/{TOKEN}",
        f"a token with {HELD:,} VMs",
        times=TIMES_OF_TOKEN,
        target=14,
        legacy="71",
    )
    return figures


async def _installed(stage: Stage, *, pools: int) -> Installation:
    say(f"  {pools} pools")
    names = [f"pool-{number:03}" for number in range(pools)]
    installation = await stage.install(
        "api", pools=dict.fromkeys(names, 5), sections={"auth": {"provider": "dummy"}}
    )
    for name in names:
        await stock(installation.store, name, vms=1)
    await installation.service.start()
    return installation


async def _take(installation: Installation) -> str:
    """Take many VMs with a token; give the name of one."""
    store, pool = installation.store, "pool-000"
    await store.tokens.issue(TOKEN, "alice", attempt=LoginAttempt("alice", "here"), ttl=None)
    await stock(store, pool, vms=HELD - 1)
    taken = [
        await store.checkouts.check_out(
            [LineItem(pool, HELD // 10, [(pool, 1.0)])], operation=new_operation(), lifetime=None, token=TOKEN
        )
        for _ in range(10)
    ]
    return taken[0].grants[0].vm


async def _figures(
    installation: Installation, path: str, what: str, *, times: int, target: float | None, legacy: str
) -> list[Figure]:
    service = installation.service
    alone = await hold(service, ALONE, "asking", path, connections=1)
    asked, nothing = [], []
    for number in range(1, ROUNDS + 1):
        say(f"  {what}, round {number} of {ROUNDS}")
        asked.append(await hold(service, times, "asking", path))
        nothing.append(await hold(service, times, "asking", NOTHING))
    return [
        Figure(f"{what}: API CPU", "ms", _milliseconds(asked, times), target, legacy),
        Figure("  a request for nothing", "ms", _milliseconds(nothing, times)),
        Figure("  round trips", "", (alone.round_trips / ALONE,), 1),
    ]


def _milliseconds(usages: Sequence[Usage], times: int) -> tuple[float, ...]:
    return tuple(usage.cpu / times * 1000 for usage in usages)
