"""The numbers of pools that the API shows, and what keeps pools from working."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from vmpooler_common.model.overrides import NO_OVERRIDES, PoolOverrides, stored_overrides
from vmpooler_common.model.pool import DeletionPause
from vmpooler_common.model.problem import Pause, Problem, read_pause, read_problem
from vmpooler_common.store.core.connection import Reply
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import from_ms, from_ms_or_none

POOLS_AT_ONCE = 100
"""Pools that one script counts: others are served between two of them."""
_NUMBERS = 8
"""Numbers of a pool in a reply."""


@dataclass(frozen=True, slots=True)
class PoolCounts:
    """What the API tells of a pool."""

    ready: int
    running: int
    pending: int
    completed: int
    """VMs that wait for their destruction, those that are being destroyed or are stale not among them."""
    destroying: int
    stale: int
    """VMs of an earlier revision that wait to be retired."""
    backlog: int
    """VMs that on-demand requests wait for."""
    held: int = 0
    """Ready VMs that waiting checkouts hold back from later ones."""
    last_boot: datetime | None = None
    broken: str = ""
    overrides: PoolOverrides = NO_OVERRIDES
    """What was set through the API, in place of what is configured."""
    problem: Problem | None = None
    pause: Pause | None = None

    def size_or(self, configured: int) -> int:
        """Give the size that counts: set through the API, else configured."""
        return configured if self.overrides.size is None else self.overrides.size

    @property
    def leaving(self) -> int:
        """VMs that nobody has or can get any more, and that are still there."""
        return self.completed + self.destroying + self.stale


@dataclass(frozen=True, slots=True)
class StatusCounts:
    """What the API tells of all pools: of a hundred of them at a time, at one moment."""

    now: datetime
    slots_in_use: int
    pools: Mapping[str, PoolCounts]


@dataclass(frozen=True, slots=True)
class ManagerEntry:
    """A manager that lives."""

    name: str
    heartbeat: datetime | None
    pools: int
    """How many it holds."""
    providers: frozenset[str]
    """Those that it can use."""


@dataclass(frozen=True, slots=True)
class Managers:
    """Who looks after the pools, and where deletion is paused."""

    live: Sequence[ManagerEntry]
    deletion_paused: Mapping[str, DeletionPause]
    """Provider -> why."""


@dataclass(frozen=True, slots=True)
class PoolStanding:
    """What there is to tell of one pool beside its numbers."""

    now: datetime
    manager: str | None
    """The one that holds it."""
    waiting: int
    """Checkouts that wait and could take VMs of it."""
    request_slots: int
    """Clones in flight for on-demand requests, over all pools."""
    pool_slots: int
    """Clones in flight to keep pools filled, likewise."""
    suspects: int
    """Ready VMs that are set aside, as listings miss them."""


async def show_managers(scripts: Scripts) -> Managers:
    """Tell who lives. Raises StoreUnavailable."""
    found = await scripts.fetch("show_managers")
    return Managers(
        live=[
            ManagerEntry(
                one["name"], from_ms_or_none(one["beat"]), int(one["held"]), frozenset(one["providers"])
            )
            for one in found["managers"]
        ],
        deletion_paused={
            provider: DeletionPause(*text.split(" ", 2))
            for provider, text in dict(found["deletion_paused"] or {}).items()
        },
    )


async def show_pool(scripts: Scripts, pool: str) -> PoolStanding:
    """Tell how a pool stands. Raises StoreUnavailable."""
    found = await scripts.fetch("show_pool", pool=pool)
    return PoolStanding(
        now=from_ms(found["now"]),
        manager=found["manager"] or None,
        waiting=found["waiting"],
        request_slots=found["request_slots"],
        pool_slots=found["pool_slots"],
        suspects=found["suspects"],
    )


async def count_pools(scripts: Scripts, pools: Sequence[str]) -> StatusCounts:
    """Count the VMs of these pools in one round trip. Raises StoreUnavailable."""
    portions = [pools[at : at + POOLS_AT_ONCE] for at in range(0, len(pools), POOLS_AT_ONCE)] or [()]
    replies = await scripts.run_all([scripts.command("count_pools", *portion) for portion in portions])
    now, slots_in_use, *_ = replies[0]
    return StatusCounts(
        now=from_ms(now),
        slots_in_use=slots_in_use,
        pools={
            pool: counts
            for portion, reply in zip(portions, replies, strict=True)
            for pool, counts in zip(portion, _pools(reply), strict=True)
        },
    )


def _pools(reply: Sequence[Reply]) -> Iterator[PoolCounts]:
    _, _, numbers, booted, broken, sizes, templates, targets, problems, pauses = reply
    facts = zip(booted, broken, sizes, templates, targets, problems, pauses, strict=True)
    for at, (boot, reason, size, template, target, problem, pause) in enumerate(facts):
        ready, running, pending, completed, destroying, stale, backlog, held = numbers[
            _NUMBERS * at : _NUMBERS * (at + 1)
        ]
        yield PoolCounts(
            ready=ready,
            running=running,
            pending=pending,
            completed=completed,
            destroying=destroying,
            stale=stale,
            backlog=backlog,
            held=held,
            last_boot=from_ms_or_none(boot),
            broken=reason or "",
            overrides=stored_overrides(size=size or "", template=template or "", clone_target=target or ""),
            problem=read_problem(problem or ""),
            pause=read_pause(pause or ""),
        )
