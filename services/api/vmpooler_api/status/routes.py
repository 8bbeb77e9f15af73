"""How many VMs there are of what, and whether the process lives and can serve."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel

from vmpooler_api.background.store_health import StoreHealth
from vmpooler_api.status.explain import PoolExplanation
from vmpooler_api.status.report import VIEWS, PoolstatReport, RunningReport, StatusReport
from vmpooler_api.status.service import StatusService
from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_api.web.dependencies import TheToken
from vmpooler_api.web.holders import TOKEN_MAY_HELP, Visitor
from vmpooler_api.web.router import Router
from vmpooler_api.web.schemas import AWAY, Refusal


async def views_asked_for(
    request: Request,
    view: Annotated[
        str | None,
        Query(description="Comma list of boot, capacity, clone, health, pools, queue; without it: all."),
    ] = None,
) -> frozenset[str]:
    """Read the parameter `view`: `?view` without an equals sign is like none, `?view=` asks for nothing."""
    if view is None or (not view and "view=" not in request.url.query.split("&")):
        return VIEWS
    return VIEWS.intersection(view.split(","))


TheViews = Annotated[frozenset[str], Depends(views_asked_for)]


class Fine(BaseModel):
    """All is well."""

    ok: Literal[True] = True


def status_endpoint(
    service: StatusService, addresses: ClientAddresses
) -> Callable[[Request, frozenset[str], str | None], Awaitable[StatusReport]]:
    """Make the handler of the status, which the dashboard shows under a path of its own, too."""

    async def show_status(request: Request, views: TheViews, token: TheToken) -> StatusReport:
        """Always 200; `status.ok` says whether all pools have VMs.

        A token of an admin shows who holds VMs back.
        """
        return await service.status(views, Visitor.of(request, token, addresses))

    return show_status


def router(service: StatusService, addresses: ClientAddresses) -> APIRouter:
    """Make the routes that count VMs."""
    router = Router(prefix="/api/v3", tags=["numbers"], responses={503: AWAY})
    router.get(
        "/status",
        summary="Show the state of all pools",
        response_model_exclude_none=True,
        openapi_extra=TOKEN_MAY_HELP,
    )(status_endpoint(service, addresses))

    @router.get("/poolstat", summary="Count the ready VMs of some pools", response_model_exclude_none=True)
    async def show_some_pools(
        pool: Annotated[
            str, Query(description="Comma list of pools and aliases; unknown ones are skipped.")
        ] = "",
    ) -> PoolstatReport:
        """Tell size and ready VMs of the pools that have one of these names or aliases."""
        return await service.pools(frozenset(pool.split(",")))

    @router.get("/totalrunning", summary="Count the VMs that are handed out")
    async def count_running() -> RunningReport:
        """Add up the running VMs of all pools."""
        return RunningReport(running=await service.running())

    @router.get(
        "/pool/{pool}/explain",
        summary="Explain why a pool has the VMs that it has",
        responses={404: {"model": Refusal, "description": "No such pool."}},
        response_model_exclude_none=True,
        openapi_extra=TOKEN_MAY_HELP,
    )
    async def explain(
        request: Request,
        token: TheToken,
        pool: Annotated[
            str, Path(description="Name of a pool; an alias is none.", examples=["debian-12-x86_64"])
        ],
    ) -> PoolExplanation:
        """Tell what is wrong, since when and when it is tried again, in sentences and in fields."""
        return await service.explain(pool, Visitor.of(request, token, addresses))

    return router


def health_router(health: StoreHealth) -> APIRouter:
    """Make the routes of liveness and readiness."""
    router = Router(tags=["health"])

    @router.get("/healthcheck", summary="Ask whether the process lives")
    async def tell_liveness() -> Fine:
        """Always answer 200: the process is fine even when Redis isn't."""
        return Fine()

    @router.get("/ready", summary="Ask whether VMs can be served", responses={503: AWAY})
    async def tell_readiness() -> Fine:
        """Answer 200 when Redis answers and runs our scripts, else 503."""
        await health.check()
        return Fine()

    return router
