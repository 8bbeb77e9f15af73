"""What the API tells of all pools together."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from vmpooler_api.status.condition import (
    ManagerReport,
    OverrideReport,
    PauseReport,
    ProblemReport,
    ProviderReport,
    judge,
    report_managers,
    report_overrides,
    report_pause,
    report_problem,
    report_providers,
)
from vmpooler_api.web.holders import HolderReport
from vmpooler_common.config import PoolSettings
from vmpooler_common.store.pools.counts import Managers, PoolCounts, StatusCounts
from vmpooler_common.store.pools.views import Durations, Today

VIEWS = frozenset({"boot", "capacity", "clone", "health", "pools", "queue"})
HEALTH = "health"
"""The view of managers, providers and the verdict."""
DAILY_VIEWS = frozenset({"boot", "clone"})
"""Those that need the statistics of today."""


class DurationFigures(BaseModel):
    """Durations of today (UTC), in seconds; all 0 when there were none."""

    average: int | float
    min: int | float
    max: int | float
    total: int | float


class CountFigures(BaseModel):
    """How many there were today (UTC)."""

    total: int


class DurationReport(BaseModel):
    """Clones or boots of today."""

    duration: DurationFigures
    count: CountFigures


class CapacityReport(BaseModel):
    """How full the pools are."""

    current: int = Field(description="Ready VMs.")
    total: int = Field(description="Sizes of all pools.")
    percent: int | float


class PoolReport(BaseModel):
    """One pool."""

    model_config = ConfigDict(validate_by_name=True, serialize_by_alias=True)

    ready: int
    running: int
    pending: int
    max: int = Field(description="Size of the pool: set through the API, else configured.")
    last_boot: str = Field(alias="lastBoot", description="When a VM last became ready; empty: never.")
    alias: str | Sequence[str] | None = Field(None, description="As configured.")
    broken: str | None = Field(None, description="Why the pool can't work, if it can't.")
    held: int | None = Field(
        None, description="Of the ready VMs, those that waiting checkouts hold back from later ones."
    )
    holders: int | None = Field(None, description="How many waiting checkouts hold them; at most 100.")
    held_by: list[HolderReport] | None = Field(
        None, description="Who they are: all of them for admins, for others the caller's own."
    )
    paused: bool | None = Field(
        None, description="True while an operator, or the configuration, has paused the pool."
    )
    pause: PauseReport | None = Field(None, description="Of a pool that an operator has paused.")
    problem: ProblemReport | None = Field(None, description="The worst thing that is wrong with the pool.")
    overridden: OverrideReport | None = None
    draining: int | None = Field(None, description="VMs of an earlier revision that are being replaced.")
    destroying: int | None = Field(
        None, description="VMs that wait for their destruction or are being destroyed."
    )


class QueueReport(BaseModel):
    """VMs of all pools by state."""

    requested: int
    pending: int
    cloning: int
    booting: int
    ready: int
    running: int
    completed: int
    total: int


class Verdict(BaseModel):
    """Whether all is well. Pools are only judged when the view `pools` is asked for."""

    ok: bool
    message: str
    empty: Sequence[str] | None = Field(None, description="Pools without a ready VM.")
    uptime: float = Field(description="Seconds that this process has run.")


NO_WRITES = "Redis takes no writes: no VM can be handed out or returned."


class RedisReport(BaseModel):
    """What Redis is good for, when that isn't everything."""

    state: str = Field(description="`read-only`: no VM can be handed out or returned.")
    since: str = Field(description="RFC 3339.")
    remedy: str | None = Field(None, description="What an operator can do, where that is known.")


class StatusReport(BaseModel):
    """The sections that were asked for, in alphabetical order; the view `health` is of several members."""

    boot: DurationReport | None = None
    capacity: CapacityReport | None = None
    clone: DurationReport | None = None
    managers: list[ManagerReport] | None = Field(None, description="Those that live.")
    pools: dict[str, PoolReport] | None = None
    providers: dict[str, ProviderReport] | None = None
    queue: QueueReport | None = None
    redis: RedisReport | None = None
    status: Verdict
    verdict: list[str] | None = Field(
        None, description="What an operator should look at, in sentences; absent when all is well."
    )


def report_status(
    pools: Sequence[PoolSettings],
    numbers: StatusCounts,
    today: Today | None,
    managers: Managers | None,
    *,
    views: frozenset[str],
    uptime: float,
) -> StatusReport:
    """Put the status together from numbers of all these pools; `uptime` in seconds.

    Without `today` there are no durations to be told, which only the views of `DAILY_VIEWS` do; without
    `managers` there is no view `health`.
    """
    providers = report_providers(pools, numbers, managers) if managers else {}
    verdict = judge(pools, numbers, managers, providers) if managers else []
    return StatusReport(
        boot=_durations(today.boots) if today and "boot" in views else None,
        capacity=_capacity(pools, numbers) if "capacity" in views else None,
        clone=_durations(today.clones) if today and "clone" in views else None,
        managers=report_managers(managers) if managers else None,
        pools={pool.name: _pool(pool, numbers.pools[pool.name]) for pool in pools}
        if "pools" in views
        else None,
        providers=providers if managers else None,
        queue=_queue(numbers) if "queue" in views else None,
        status=_verdict(pools if "pools" in views else (), numbers, verdict, uptime=uptime),
        verdict=verdict or None,
    )


def _durations(durations: Durations) -> DurationReport:
    count = CountFigures(total=durations.count)
    if not durations.count:
        return DurationReport(duration=DurationFigures(average=0, min=0, max=0, total=0), count=count)
    figures = DurationFigures(
        average=round(durations.total / durations.count, 1),
        min=durations.least,
        max=durations.most,
        total=durations.total,
    )
    return DurationReport(duration=figures, count=count)


def _capacity(pools: Sequence[PoolSettings], numbers: StatusCounts) -> CapacityReport:
    current = sum(numbers.pools[pool.name].ready for pool in pools)
    total = sum(numbers.pools[pool.name].size_or(pool.size) for pool in pools)
    return CapacityReport(
        current=current, total=total, percent=round(current / total * 100, 1) if total else 0
    )


def _pool(pool: PoolSettings, numbers: PoolCounts) -> PoolReport:
    return PoolReport(
        ready=numbers.ready,
        running=numbers.running,
        pending=numbers.pending,
        max=numbers.size_or(pool.size),
        last_boot=numbers.last_boot.strftime("%Y-%m-%d %H:%M:%S +0000") if numbers.last_boot else "",
        alias=pool.alias,
        broken=numbers.broken or None,
        held=numbers.held or None,
        paused=pool.paused or numbers.pause is not None or None,
        pause=report_pause(numbers.pause),
        problem=report_problem(numbers.problem),
        overridden=report_overrides(numbers),
        draining=numbers.stale or None,
        destroying=numbers.completed + numbers.destroying or None,
    )


def _queue(numbers: StatusCounts) -> QueueReport:
    pools = numbers.pools.values()
    pending = sum(pool.pending for pool in pools)
    ready = sum(pool.ready for pool in pools)
    running = sum(pool.running for pool in pools)
    completed = sum(pool.leaving for pool in pools)
    return QueueReport(
        requested=sum(pool.backlog for pool in pools),
        pending=pending,
        cloning=numbers.slots_in_use,
        booting=max(pending - numbers.slots_in_use, 0),
        ready=ready,
        running=running,
        completed=completed,
        total=pending + ready + running + completed,
    )


def _verdict(
    pools: Sequence[PoolSettings], numbers: StatusCounts, sentences: Sequence[str], *, uptime: float
) -> Verdict:
    # A paused pool is empty on purpose.
    paused = {pool.name for pool in pools if pool.paused or numbers.pools[pool.name].pause}
    wanted = [pool.name for pool in pools if numbers.pools[pool.name].size_or(pool.size)]
    empty = [name for name in wanted if not numbers.pools[name].ready and name not in paused]
    if empty:
        message = f"Found {len(empty)} empty pools."
    else:
        message = " ".join(sentences) or "Battle station fully armed and operational."
    return Verdict(ok=not empty, message=message, empty=empty or None, uptime=round(uptime, 1))


class PoolFigures(BaseModel):
    """One pool in short."""

    max: int = Field(description="Size of the pool: set through the API, else configured.")
    alias: str | Sequence[str] | None = Field(None, description="As configured.")
    ready: int


class PoolstatReport(BaseModel):
    """The pools that were asked for, in the order of the configuration."""

    pools: dict[str, PoolFigures]


class RunningReport(BaseModel):
    """VMs that users have."""

    running: int
