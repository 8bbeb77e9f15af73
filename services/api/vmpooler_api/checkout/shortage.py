"""Why a checkout got no VMs, in words for its user."""

from collections.abc import Iterator, Mapping, Sequence

from vmpooler_common.model.problem import ProblemKind
from vmpooler_common.store.core.errors import NoneReady, PoolShortage

_MOST_TOLD = 3
"""Pools of an alias that are spoken of one by one."""
_ON_DEMAND = "request them on demand: POST /api/v3/ondemandvm"
_LATER = "try again, wait in line with ?wait=30, or request on demand: POST /api/v3/ondemandvm"
_PROBLEMS = {
    ProblemKind.PROVIDER: "its provider can't be used",
    ProblemKind.BROKEN: "it can't work as it is configured",
    ProblemKind.PREPARATION: "what its clones need can't be prepared",
    ProblemKind.CLONES: "its clones fail",
    ProblemKind.BOOTS: "its clones don't become ready",
    ProblemKind.THROTTLED: "its provider asked to be left alone for a while",
}
"""Those that keep a pool from making VMs."""


def explain_shortage(refusal: NoneReady, count: int, sizes: Mapping[str, int]) -> str:
    """Say why `count` VMs of a name can't be had; `sizes` are those configured."""
    pools = refusal.pools
    working = [pool for pool in pools if not pool.broken and not pool.pause]
    told = [*_of_working(refusal.name, count, working, sizes)]
    if not working:
        told.append(f"{refusal.name} hands nothing out{'' if pools else ': it is paused'}")
    told += _each(pool for pool in pools if pool not in working)
    return "; ".join(told)


def _of_working(
    name: str, count: int, pools: Sequence[PoolShortage], sizes: Mapping[str, int]
) -> Iterator[str]:
    if not pools:
        return
    most = sum(sizes.get(pool.pool, 0) if pool.size is None else pool.size for pool in pools)
    ready, free = sum(pool.ready for pool in pools), sum(pool.free for pool in pools)
    if not most and not ready:
        yield f"{name} keeps no VMs ready (its size is 0); {_ON_DEMAND}"
        return
    if most < count:
        yield f"{name} keeps {_vms(most)} ready at most, not {count}; ask for fewer, or {_ON_DEMAND}"
        return
    pending = sum(pool.pending for pool in pools)
    held = f", {ready - free} more are kept for checkouts that wait in line" if ready > free else ""
    made = f", {pending} {'is' if pending == 1 else 'are'} being made" if pending else ""
    yield f"{name} has {free} of {_vms(count)} ready now{held}{made}; {_LATER}"
    yield from _each(pool for pool in pools if pool.problem and pool.problem.kind in _PROBLEMS)


def _each(pools: Iterator[PoolShortage]) -> Iterator[str]:
    found = list(pools)
    for pool in found[:_MOST_TOLD]:
        yield f"{pool.pool}: {_trouble(pool)}"
    if len(found) > _MOST_TOLD:
        yield f"and {len(found) - _MOST_TOLD} more pools have such troubles"


def _trouble(pool: PoolShortage) -> str:
    if pool.pause:
        return f"an operator has paused it: {pool.pause.reason}"
    if pool.broken:
        return f"it is broken: {pool.broken}"
    return f"{_PROBLEMS[pool.problem.kind]}: {pool.problem.text}" if pool.problem else ""


def _vms(count: int) -> str:
    return "1 VM" if count == 1 else f"{count} VMs"
