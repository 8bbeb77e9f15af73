"""What the dashboard asks for. No limits apply to it, so that an open page doesn't use up its visitor's."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request

from vmpooler_api.dashboard.figures import (
    PlatformUsage,
    PoolCapacity,
    current_only,
    report_platforms,
    report_pools,
    samples_of_ready,
    samples_of_running,
)
from vmpooler_api.status.routes import show_status
from vmpooler_api.web.dependencies import TheParts
from vmpooler_api.web.refusal_answers import AWAY

POOL, RUNNING, STATUS = (f"/dashboard/stats/vmpooler/{name}" for name in ("pool", "running", "status"))

router = APIRouter(tags=["dashboard"], responses={503: AWAY})


async def history_asked_for(
    request: Request,
    history: Annotated[
        str | None, Query(description="With any value, also an empty one: show the past hour, too.")
    ] = None,
) -> bool:
    """Read the parameter `history`: `?history` without an equals sign is like none."""
    if history:
        return True
    return history is not None and any(part.startswith("history=") for part in request.url.query.split("&"))


WithHistory = Annotated[bool, Depends(history_asked_for)]


@router.get(POOL, summary="Show how full the pools are", response_model_exclude_none=True)
async def show_pools(parts: TheParts, with_history: WithHistory) -> dict[str, PoolCapacity]:
    """Tell size and ready VMs of each pool."""
    pools = parts.settings.pools
    numbers = await parts.store.views.numbers([pool.name for pool in pools])
    if not with_history:
        history = {}
    elif parts.graph_server is None:
        history = current_only(pools, numbers)
    else:
        history = samples_of_ready(pools, numbers, await parts.graph_server.past_hour("ready"))
    return report_pools(pools, numbers, history)


@router.get(RUNNING, summary="Count the running VMs by platform", response_model_exclude_none=True)
async def show_running(parts: TheParts, with_history: WithHistory) -> dict[str, PlatformUsage]:
    """Add up the running VMs of pools whose names begin alike, up to the first hyphen."""
    pools = parts.settings.pools
    numbers = await parts.store.views.numbers([pool.name for pool in pools])
    history = {}
    if with_history and parts.graph_server is not None:
        history = samples_of_running(pools, await parts.graph_server.past_hour("running"))
    return report_platforms(pools, numbers, history)


router.get(STATUS, summary="Show the state of all pools", response_model_exclude_none=True)(show_status)
