"""What a token and the limiter of rates add to a checkout and the return of the VM.

The same load, in turn: without a token and with one at a service that knows tokens, and with a token at one
that limits rates, too. Compared is the CPU of the API, round by round.
"""

from collections.abc import Sequence

from benchmarks.clients import hold
from benchmarks.figures import Figure
from benchmarks.metering import Usage
from benchmarks.stage import Installation, Stage, say
from benchmarks.stocking import stock
from tests.support.services import Service
from vmpooler_common.store.access.tokens import LoginAttempt

POOL = "pool"
TOKEN = "benchmark-token-0123456789abcdef"  # noqa: S105 - of no service but this one
ROUNDS = 9
PAIRS = 700
"""Checkouts with their returns in one round."""
WARM_UP = 300
ALONE = 100
_AUTH = {"auth": {"provider": "dummy"}}
_NEVER_REACHED = {"limit": 100_000, "period": 1}
_LIMITS = {
    "rate_limits": dict.fromkeys(
        ("vm_creation", "vm_deletion", "logins", "authenticated", "global_per_ip"), _NEVER_REACHED
    )
}


async def run(stage: Stage) -> list[Figure]:
    """Measure CPU, its ratios, and round trips; about 60 s."""
    plain = await _installed(stage, limits=False)
    limited = await _installed(stage, limits=True)
    ways: dict[str, tuple[Service, list[str]]] = {
        "without": (plain.service, [POOL]),
        "token": (plain.service, [POOL, TOKEN]),
        "limiter": (limited.service, [POOL, TOKEN]),
    }
    used: dict[str, list[Usage]] = {way: [] for way in ways}
    for number in range(1, ROUNDS + 1):
        say(f"  round {number} of {ROUNDS}")
        for installation, rounds in ((plain, 2), (limited, 1)):
            await stock(installation.store, POOL, vms=rounds * PAIRS)
        for way, (service, details) in ways.items():
            used[way].append(await hold(service, PAIRS, "checkouts", *details))
    for installation in (plain, limited):
        await stock(installation.store, POOL, vms=ALONE)
    alone = {
        way: await hold(service, ALONE, "checkouts", *details, connections=1)
        for way, (service, details) in ways.items()
        if way != "without"
    }
    return [
        Figure("checkout and return without a token: API CPU", "ms", _milliseconds(used["without"])),
        Figure("with a token", "ms", _milliseconds(used["token"])),
        Figure("  ratio of these two", "", _ratios(used["token"], used["without"]), 1.1),
        Figure("  round trips", "", (alone["token"].round_trips / ALONE,), 2),
        Figure("with a token and limits of rates", "ms", _milliseconds(used["limiter"])),
        Figure("  ratio to the one without limits", "", _ratios(used["limiter"], used["token"])),
        Figure("  round trips", "", (alone["limiter"].round_trips / ALONE,), 4),
    ]


async def _installed(stage: Stage, *, limits: bool) -> Installation:
    sections = _AUTH | _LIMITS if limits else _AUTH
    config = {"rate_limiting_enabled": limits}
    installation = await stage.install("api", pools={POOL: 0}, config=config, sections=sections)
    await installation.store.tokens.issue(TOKEN, "alice", attempt=LoginAttempt("alice", "here"), ttl=None)
    await stock(installation.store, POOL, vms=WARM_UP)
    await installation.service.start()
    await hold(installation.service, WARM_UP, "checkouts", POOL, TOKEN)
    return installation


def _milliseconds(usages: Sequence[Usage]) -> tuple[float, ...]:
    return tuple(usage.cpu / PAIRS * 1000 for usage in usages)


def _ratios(usages: Sequence[Usage], others: Sequence[Usage]) -> tuple[float, ...]:
    return tuple(usage.cpu / other.cpu for usage, other in zip(usages, others, strict=True))
