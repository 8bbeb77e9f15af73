"""Why a pool has the VMs that it has: what is wrong with it, what was done to it, what it waits for."""

from collections.abc import Iterator
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from vmpooler_api.status.condition import (
    OverrideReport,
    PauseReport,
    ProblemReport,
    release_command,
    report_overrides,
    report_pause,
    report_problem,
)
from vmpooler_api.web.holders import HolderReport
from vmpooler_common.config import PoolSettings
from vmpooler_common.config.sections.general import GeneralSection
from vmpooler_common.model.pool import DeletionPause
from vmpooler_common.model.problem import ProblemKind
from vmpooler_common.store.pools.counts import PoolCounts, PoolStanding


class PoolExplanation(BaseModel):
    """A pool, in sentences and in fields; members that don't apply are absent."""

    ok: Literal[True] = True
    pool: str
    summary: list[str] = Field(description="All of it in a few sentences, what is wrong first.")
    can_hand_out: bool = Field(description="Whether a checkout of one VM would be answered with one now.")
    provider: str
    manager: str | None = Field(None, description="The one that holds the pool.")
    size: int = Field(description="Ready VMs that it is to have: set through the API, else configured.")
    ready: int
    pending: int
    running: int
    destroying: int = Field(description="VMs that wait for their destruction or are being destroyed.")
    draining: int = Field(description="VMs of an earlier revision that are being replaced.")
    suspects: int = Field(description="Ready VMs that are set aside: listings of the provider miss them.")
    backlog: int = Field(description="VMs that on-demand requests wait for.")
    waiting: int = Field(
        description="Checkouts that wait and could take VMs of it; at most 1,000 are counted."
    )
    held: int = Field(description="Ready VMs that waiting checkouts hold back from later ones.")
    held_by: list[HolderReport] | None = Field(
        None, description="Who they are: all of them for admins, for others the caller's own."
    )
    paused: bool
    pause: PauseReport | None = None
    problem: ProblemReport | None = None
    overridden: OverrideReport | None = None
    release_command: str | None = Field(None, description="Of a provider at which deletion is paused.")


def explain_pool(
    pool: PoolSettings,
    numbers: PoolCounts,
    standing: PoolStanding,
    pause: DeletionPause | None,
    limits: GeneralSection,
) -> PoolExplanation:
    """Explain a configured pool; `pause` is that of deletion at its provider."""
    paused = pool.paused or numbers.pause is not None
    return PoolExplanation(
        pool=pool.name,
        summary=[
            *_stops(pool, numbers, standing),
            *_failures(numbers, standing.now),
            *_deletion(pool, pause),
            *_supply(pool, numbers, standing, limits),
        ],
        can_hand_out=not paused and numbers.ready > numbers.held,
        provider=pool.provider,
        manager=standing.manager,
        size=numbers.size_or(pool.size),
        ready=numbers.ready,
        pending=numbers.pending,
        running=numbers.running,
        destroying=numbers.completed + numbers.destroying,
        draining=numbers.stale,
        suspects=standing.suspects,
        backlog=numbers.backlog,
        waiting=standing.waiting,
        held=numbers.held,
        paused=paused,
        pause=report_pause(numbers.pause),
        problem=report_problem(numbers.problem),
        overridden=report_overrides(numbers),
        release_command=release_command(pool.provider) if pause else None,
    )


def _stops(pool: PoolSettings, numbers: PoolCounts, standing: PoolStanding) -> Iterator[str]:
    """What keeps it from being worked on at all."""
    if numbers.pause:
        yield (
            f"An operator has paused it since {_time(numbers.pause.since)}: {numbers.pause.reason}. No VM is "
            f"made or handed out until DELETE /api/v3/pool/{pool.name}/pause."
        )
    if pool.paused:
        yield "It is paused by the configuration: `paused` is set for it or for its provider."
    if standing.manager is None:
        yield (
            "No manager holds it: nothing is made or destroyed. Look whether a manager "
            f"that is configured for it runs and can use the provider {pool.provider}."
        )


_FAILURES = {
    ProblemKind.PROVIDER: "Its provider can't be used",
    ProblemKind.BROKEN: "It can't work as it is configured",
    ProblemKind.PREPARATION: "What its clones need could not be prepared",
    ProblemKind.CLONES: "Its clones fail",
    ProblemKind.DNS: "DNS keeps its VMs from being named or handed out",
    ProblemKind.BOOTS: "Its VMs don't become ready",
    ProblemKind.LISTING: "Its VMs can't be listed at the provider, so none is destroyed",
    ProblemKind.DESTROYING: "Its VMs can't be destroyed",
    ProblemKind.THROTTLED: "Its provider is throttled",
}


def _failures(numbers: PoolCounts, now: datetime) -> Iterator[str]:
    problem = numbers.problem
    if problem is None:
        if numbers.broken:
            yield f"It can't work as it is configured: {numbers.broken}"
        return
    often = f", {problem.tries} times in a row" if problem.tries > 1 else ""
    text = f"{_FAILURES[problem.kind]} since {_time(problem.since)}{often}: {problem.text}"
    if problem.next_try and problem.next_try > now:
        text += f" It is tried again at {_time(problem.next_try)}."
    yield text


def _deletion(pool: PoolSettings, pause: DeletionPause | None) -> Iterator[str]:
    if pause:
        yield (
            f"Destroying at {pool.provider} is paused: {pause.reason}. If that is in order, run: "
            f"{release_command(pool.provider)}"
        )


def _supply(
    pool: PoolSettings, numbers: PoolCounts, standing: PoolStanding, limits: GeneralSection
) -> Iterator[str]:
    """What there is, what is being made, and who wants it."""
    size = numbers.size_or(pool.size)
    if numbers.overrides.size is not None and numbers.overrides.size != pool.size:
        yield f"Its size was set to {size} through the API; {pool.size} is configured."
    if size == 0:
        yield "Its size is 0: it keeps no VM ready and makes VMs on demand only."
    yield f"{_vms(numbers.ready)} of {size} ready, {numbers.pending} being made, {numbers.running} running."
    if numbers.held:
        yield f"Waiting checkouts hold back {_vms(numbers.held)} of the ready ones."
    if numbers.backlog:
        yield f"On-demand requests wait for {_vms(numbers.backlog)}."
    if size > numbers.ready + numbers.pending and standing.pool_slots >= limits.task_limit:
        yield f"All {limits.task_limit} clone slots are in use (task_limit), by all pools together."
    if numbers.backlog > numbers.pending and standing.request_slots >= limits.ondemand_clone_limit:
        yield (
            f"All {limits.ondemand_clone_limit} clone slots for requests are in use (ondemand_clone_limit)."
        )
    if standing.suspects:
        yield f"{_vms(standing.suspects)} set aside: the provider's listings miss them."


def _vms(count: int) -> str:
    return "1 VM" if count == 1 else f"{count} VMs"


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")
