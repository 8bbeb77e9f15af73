"""What an on-demand request waits for, in fields; `explanation_words` says it in sentences."""

from collections.abc import Mapping, Sequence
from typing import Literal

from pydantic import BaseModel, Field

from vmpooler_api.web.holders import HolderReport, Visitor, visible_holders
from vmpooler_common.config import PoolSettings, Settings
from vmpooler_common.store.requests.positions import PoolPosition, RequestPosition
from vmpooler_common.store.requests.requests import RequestItem, RequestStatus

VmProgress = Literal["granted", "booting", "cloning", "waiting"]
LimitKind = Literal["clone_limit", "paused", "broken", "backing_off", "ready_kept", "not_configured"]


class WantedVm(BaseModel):
    """One VM of the request."""

    name: str = Field(description="The pool or alias that was asked for.")
    pool: str
    state: VmProgress
    hostname: str | None = Field(None, description="Of the VM that was granted.")
    ahead: int | None = Field(
        None,
        description="VMs of the pool, of those that aren't ready yet, that go to others before: to other "
        "requests and to checkouts that wait.",
    )
    failed_attempts: int = Field(description="Clones that failed while this VM was the next one.")
    last_error: str | None = None


class MakingFigures(BaseModel):
    """The pool's pending VMs, for this request and for others."""

    reserved: int = Field(description="Named, and not asked of the provider yet.")
    cloning: int
    booting: int


class Limit(BaseModel):
    """Something that holds the pool back."""

    kind: LimitKind
    text: str
    in_use: int | None = Field(None, description="Clones in flight for requests; of clone_limit.")
    limit: int | None = Field(None, description="How many there may be; of clone_limit.")


class PoolLine(BaseModel):
    """A pool that the request still waits for."""

    waiting: int = Field(description="VMs of this request that are waited for.")
    ahead: int | None = Field(
        None,
        description="VMs, of those that aren't ready yet, that go to others before this request's next one: "
        "to other requests and to checkouts that wait.",
    )
    owed: int = Field(
        description="VMs, ready ones among them, that are owed to checkouts which wait (`?wait=`) and come "
        "before this request's next VM. One that may take VMs of several pools counts in each of them; at "
        "most 1,000 are counted."
    )
    held_by: list[HolderReport] | None = Field(
        None, description="Those checkouts: all of them for admins, for others the caller's own."
    )
    backlog: int = Field(description="VMs that all requests together wait for.")
    making: MakingFigures
    ready: int
    limits: list[Limit]


class RequestExplanation(BaseModel):
    """A request, what it waits for and what holds it up; members that don't apply are absent."""

    ok: Literal[True] = True
    request_id: str
    status: RequestStatus
    summary: list[str] = Field(description="The same in a few sentences.")
    created: str = Field(description="RFC 3339.")
    deadline: str = Field(description="RFC 3339. The request fails then unless all VMs are there.")
    seconds_left: float | None = Field(None, description="Until the deadline; of an open request.")
    accepted: bool = Field(description="Whether a manager has taken it up.")
    reason: str | None = Field(None, description="Why it failed.")
    last_error: str | None = None
    pools: dict[str, PoolLine]
    vms: list[WantedVm] = Field(description="None of a request that has failed or was deleted.")


def pool_lines(standing: RequestPosition, settings: Settings, visitor: Visitor) -> dict[str, PoolLine]:
    """Describe the pools that the request still waits for."""
    by_name = {pool.name: pool for pool in settings.pools}
    waiting = [want.pool for want in standing.request.items if not want.vm]
    return {
        name: PoolLine(
            waiting=waiting.count(name),
            ahead=min(line.ahead.values(), default=None),
            owed=line.owed,
            held_by=visible_holders(line.holders, visitor, standing.viewer, settings.general.admins),
            backlog=line.backlog,
            making=MakingFigures(
                reserved=line.pending.reserved, cloning=line.pending.cloning, booting=line.pending.booting
            ),
            ready=line.ready,
            limits=list(_limits(line, by_name.get(name), standing.slots_in_use, settings)),
        )
        for name, line in standing.pools.items()
    }


def wanted_vms(standing: RequestPosition) -> list[WantedVm]:
    """Describe each VM of the request, in its order."""
    return [
        WantedVm(
            name=want.name,
            pool=want.pool,
            state=_progress(want, number, standing.pools),
            hostname=want.fqdn if want.vm else None,
            ahead=standing.pools[want.pool].ahead.get(number) if want.pool in standing.pools else None,
            failed_attempts=want.failed_attempts,
            last_error=want.error or None,
        )
        for number, want in enumerate(standing.request.items)
    ]


def _progress(want: RequestItem, number: int, lines: Mapping[str, PoolPosition]) -> VmProgress:
    if want.vm:
        return "granted"
    line = lines.get(want.pool)
    if line is None or number not in line.ahead:
        return "waiting"
    # Whichever VM is ready first goes to the first in line, so the n-th in line gets the n-th nearest one.
    place = line.ahead[number]
    if place < line.pending.booting:
        return "booting"
    return "cloning" if place < line.pending.booting + line.pending.cloning else "waiting"


def _limits(
    line: PoolPosition, pool: PoolSettings | None, slots_in_use: int, settings: Settings
) -> Sequence[Limit]:
    found: list[Limit] = []
    if pool is None:
        found.append(Limit(kind="not_configured", text="it isn't configured any more"))
    elif pool.paused:
        found.append(Limit(kind="paused", text="it or its provider is paused, so it makes no VMs"))
    if line.broken:
        found.append(Limit(kind="broken", text=f"its provider says that it can't work: {line.broken}"))
    if line.backing_off:
        found.append(Limit(kind="backing_off", text=f"its clones are held back for now: {line.backing_off}"))
    limit = settings.general.ondemand_clone_limit
    if slots_in_use >= limit and line.pending.total < line.backlog:
        found.append(
            Limit(
                kind="clone_limit",
                text=f"clones for requests are at their limit (ondemand_clone_limit {limit})",
                in_use=slots_in_use,
                limit=limit,
            )
        )
    if line.ready and not settings.general.ondemand_from_ready:
        found.append(
            Limit(kind="ready_kept", text="its ready VMs are kept for checkouts (ondemand_from_ready)")
        )
    return found
