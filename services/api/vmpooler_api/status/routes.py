"""How many VMs there are of what."""

import asyncio
from collections.abc import Sequence
from time import monotonic
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, Field

from vmpooler_api.status.pool_sizes import size_of
from vmpooler_api.status.report import DAILY_VIEWS, VIEWS, StatusReport, report_status
from vmpooler_api.web.dependencies import TheParts
from vmpooler_api.web.refusal_answers import AWAY

router = APIRouter(tags=["numbers"], responses={503: AWAY})


async def views_asked_for(
    request: Request,
    view: Annotated[
        str | None,
        Query(description="Comma list of boot, capacity, clone, pools, queue; without it: all of them."),
    ] = None,
) -> frozenset[str]:
    """Read the parameter `view`: `?view` without an equals sign is like none, `?view=` asks for nothing."""
    if view is None or (not view and "view=" not in request.url.query.split("&")):
        return VIEWS
    return VIEWS.intersection(view.split(","))


@router.get("/api/v3/status", summary="Show the state of all pools", response_model_exclude_none=True)
async def show_status(
    parts: TheParts, views: Annotated[frozenset[str], Depends(views_asked_for)]
) -> StatusReport:
    """Always 200; `status.ok` says whether all pools have VMs."""
    pools, today = parts.settings.pools, None
    counting = parts.store.views.numbers([pool.name for pool in pools])
    if views.isdisjoint(DAILY_VIEWS):
        numbers = await counting
    else:
        # What one tick of the event loop asks for shares a round trip.
        numbers, today = await asyncio.gather(counting, parts.store.views.today())
    return report_status(pools, numbers, today, views=views, uptime=monotonic() - parts.started_at)


class PoolFigures(BaseModel):
    """One pool in short."""

    max: int = Field(description="Size of the pool: set through the API, else configured.")
    alias: str | Sequence[str] | None = Field(None, description="As configured.")
    ready: int


class PoolstatReport(BaseModel):
    """The pools that were asked for, in the order of the configuration."""

    pools: dict[str, PoolFigures]


@router.get("/api/v3/poolstat", summary="Count the ready VMs of some pools", response_model_exclude_none=True)
async def show_some_pools(
    parts: TheParts,
    pool: Annotated[
        str, Query(description="Comma list of pools and aliases; unknown ones are skipped.")
    ] = "",
) -> PoolstatReport:
    """Tell size and ready VMs of the pools that have one of these names or aliases."""
    asked = frozenset(pool.split(","))
    chosen = [one for one in parts.settings.pools if one.name in asked or not asked.isdisjoint(one.aliases)]
    if not chosen:
        return PoolstatReport(pools={})
    numbers = await parts.store.views.numbers([one.name for one in chosen])
    figures = {
        one.name: PoolFigures(
            max=size_of(one, numbers.pools[one.name]),
            alias=one.alias,
            ready=numbers.pools[one.name].ready,
        )
        for one in chosen
    }
    return PoolstatReport(pools=figures)


class RunningReport(BaseModel):
    """VMs that users have."""

    running: int


@router.get("/api/v3/totalrunning", summary="Count the VMs that are handed out")
async def count_running(parts: TheParts) -> RunningReport:
    """Add up the running VMs of all pools."""
    numbers = await parts.store.views.numbers([pool.name for pool in parts.settings.pools])
    return RunningReport(running=sum(pool.running for pool in numbers.pools.values()))
