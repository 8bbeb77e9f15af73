"""How soon on-demand requests are met, from sending them to the answer that names the VMs.

The API and the manager are processes, the cloud is the dummy in memory, whose clones are instant, and no VM
is ready before. Clients POST and then GET with `?wait=` over connections that are open already.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks.figures import Figure
from benchmarks.load import Conversation, request_for
from benchmarks.load import run as hold
from benchmarks.metering import Meter
from benchmarks.stage import Installation, Stage, say
from tests.support.eventually import eventually
from tests.support.services import Service

POOLS = {f"pool-{number:02}": 0 for number in range(1, 11)}
ROUNDS = 20
"""Of one request at a time, for one VM and for ten."""
CROWDS = 5
CROWD = 100
MANY = 10
WARM_UP = 5

_ROUTE = "/api/v3/ondemandvm"
_WAIT_SECONDS = 30
_PATIENCE_SECONDS = 60.0


@dataclass(slots=True)
class _Orders:
    """What was asked for."""

    ids: list[str] = field(default_factory=list)

    def conversation(self, pool: str, vms: int) -> Conversation:
        """Ask for VMs and wait until they are there; an answer without them ends the benchmark."""
        opened = json.loads((yield request_for("POST", _ROUTE, json.dumps({pool: vms}).encode())))
        self.ids.append(opened["request_id"])
        yield request_for("GET", f"{_ROUTE}/{opened['request_id']}?wait={_WAIT_SECONDS}")

    def deletion(self) -> Conversation:
        """Return everything."""
        for request in self.ids:
            yield request_for("DELETE", f"{_ROUTE}/{request}")


@dataclass(frozen=True, slots=True)
class _Round:
    """One or more requests at once."""

    seconds: float
    """From the first request to the last answer."""
    round_trips: float
    """Of API and manager together, until then."""
    cpu: float
    """Seconds of the two processes."""


async def run(stage: Stage) -> list[Figure]:
    """Measure wall-clock, CPU and round trips for one VM, for ten, and for a hundred clients; about 20 s."""
    installation = await stage.install("manager", pools=POOLS)
    api = stage.describe("api", installation.prefix, pools=POOLS)
    await installation.service.start()
    await api.start()
    pools = list(POOLS)
    for _ in range(WARM_UP):
        await _round(installation, api, [(pools[0], 1)])
    say(f"  {ROUNDS} requests for one VM, {ROUNDS} for {MANY}")
    single = [await _round(installation, api, [(pools[0], 1)]) for _ in range(ROUNDS)]
    several = [await _round(installation, api, [(pools[0], MANY)]) for _ in range(ROUNDS)]
    say(f"  {CROWDS} times {CROWD} clients at once")
    wanted = [(pools[number % len(pools)], 1) for number in range(CROWD)]
    crowd = [await _round(installation, api, wanted) for _ in range(CROWDS)]
    return [
        *_figures("one VM on demand", single, vms=1, target=150, legacy="3,700"),
        *_figures(f"{MANY} VMs in one request", several, vms=MANY, target=300, legacy="5,100"),
        *_figures(f"{CROWD} requests for one VM at once", crowd, vms=CROWD, target=2000, legacy="10,000"),
    ]


async def _round(installation: Installation, api: Service, wanted: Sequence[tuple[str, int]]) -> _Round:
    """Have all asked for at once; what was given is destroyed before this returns."""
    orders = _Orders()
    meters = (Meter(installation.service), Meter(api))
    for meter in meters:
        await meter.start()
    async with asyncio.timeout(_PATIENCE_SECONDS):
        started = time.monotonic()
        await hold(api.port, [orders.conversation(pool, vms) for pool, vms in wanted])
        seconds = time.monotonic() - started
        usages = [await meter.stop() for meter in meters]
        await hold(api.port, [orders.deletion()])
        await eventually(lambda: _is_empty(installation), within=_PATIENCE_SECONDS)
    return _Round(seconds, sum(use.round_trips for use in usages), sum(use.cpu for use in usages))


async def _is_empty(installation: Installation) -> bool:
    numbers = (await installation.store.views.counts(list(POOLS))).pools.values()
    return not any(pool.pending + pool.ready + pool.running + pool.completed for pool in numbers)


def _figures(what: str, rounds: list[_Round], *, vms: int, target: float, legacy: str) -> list[Figure]:
    return [
        Figure(what, "ms", tuple(one.seconds * 1000 for one in rounds), target, legacy),
        Figure("  round trips per VM", "", tuple(one.round_trips / vms for one in rounds)),
        Figure("  CPU of API and manager per VM", "ms", tuple(one.cpu / vms * 1000 for one in rounds)),
    ]
