"""What operators ask of one pool or one provider: pause, let work again, resume deletion."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from vmpooler_api.pools import schemas as answers
from vmpooler_api.pools.operations import OperatorService
from vmpooler_api.web.dependencies import TheToken
from vmpooler_api.web.request import LARGEST_BODY, parse_object, read_body
from vmpooler_api.web.router import Router
from vmpooler_api.web.schemas import Done

CHANGED = 201

ThePool = Annotated[str, Path(description="Name of a pool; an alias is none.", examples=["debian-12-x86_64"])]
TheProvider = Annotated[str, Path(description="Name of a configured provider.", examples=["vsphere-lab"])]


class PoolPaused(BaseModel):
    """The pool is paused."""

    ok: Annotated[bool, Field(description="Always true.")] = True
    pool: str
    reason: str
    since: str | None = Field(None, description="RFC 3339.")


class DeletionResumed(BaseModel):
    """VMs are destroyed again at the provider."""

    ok: Annotated[bool, Field(description="Always true.")] = True
    released: int = Field(
        description="VMs that were missing or unknown there by now; no safety limit counts them for a day."
    )


def router(service: OperatorService) -> APIRouter:
    """Make the routes."""
    router = Router(prefix="/api/v3", tags=["operators"])

    @router.post(
        "/pool/{pool}/pause",
        summary="Pause a pool",
        responses=answers.TO_PAUSE,
        openapi_extra=answers.PAUSE,
        response_model_exclude_none=True,
    )
    async def pause(request: Request, response: Response, token: TheToken, pool: ThePool) -> PoolPaused:
        """Make no VM and hand none out until it is resumed; returns and ends of lifetimes go on.

        For admins only, where tokens are checked. A pool that is paused already gets the new reason.
        """
        reason = parse_object(await read_body(request, LARGEST_BODY)).get("reason")
        done = await service.pause(pool, reason, token=token)
        if done.is_change:
            response.status_code = CHANGED
        since = done.since.isoformat(timespec="seconds") if done.since else None
        return PoolPaused(ok=True, pool=pool, reason=done.reason, since=since)

    @router.delete("/pool/{pool}/pause", summary="Let a paused pool work again", responses=answers.TO_RESUME)
    async def resume(response: Response, token: TheToken, pool: ThePool) -> Done:
        """Nothing happens to a pool that isn't paused. For admins only, where tokens are checked."""
        if await service.resume(pool, token=token):
            response.status_code = CHANGED
        return Done()

    @router.post(
        "/provider/{provider}/resume-deletion",
        summary="Resume deletion at a provider",
        responses=answers.TO_RESUME_DELETION,
    )
    async def resume_deletion(token: TheToken, provider: TheProvider) -> DeletionResumed:
        """Destroy VMs again where a safety limit has paused that, once the reason was found to be in order.

        For admins only, where tokens are checked. The VMs that are missing or unknown by now are released
        from the limit for a day.
        """
        return DeletionResumed(ok=True, released=await service.resume_deletion(provider, token=token))

    return router
