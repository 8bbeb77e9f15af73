"""What the dashboard asks for. It has a limit of its own: an open page doesn't use up its visitor's."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request

from vmpooler_api.dashboard.figures import PlatformUsage, PoolCapacity
from vmpooler_api.dashboard.service import DashboardService
from vmpooler_api.web.holders import TOKEN_MAY_HELP
from vmpooler_api.web.router import Router
from vmpooler_api.web.schemas import AWAY

POOL, RUNNING, STATUS = (f"/dashboard/stats/vmpooler/{name}" for name in ("pool", "running", "status"))


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


def router(service: DashboardService, *, show_status: Callable[..., Any]) -> APIRouter:
    """Make the routes; `show_status` is the handler of the API's own status."""
    router = Router(tags=["dashboard"], responses={503: AWAY})

    @router.get(POOL, summary="Show how full the pools are", response_model_exclude_none=True)
    async def show_pools(with_history: WithHistory) -> dict[str, PoolCapacity]:
        """Tell size and ready VMs of each pool."""
        return await service.capacity(with_history=with_history)

    @router.get(RUNNING, summary="Count the running VMs by platform", response_model_exclude_none=True)
    async def show_running(with_history: WithHistory) -> dict[str, PlatformUsage]:
        """Add up the running VMs of pools whose names begin alike, up to the first hyphen."""
        return await service.usage(with_history=with_history)

    router.get(
        STATUS,
        summary="Show the state of all pools",
        response_model_exclude_none=True,
        openapi_extra=TOKEN_MAY_HELP,
    )(show_status)
    return router
