"""Whether the process lives, and whether it can serve."""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel

from vmpooler_api.web.dependencies import TheParts
from vmpooler_api.web.refusal_answers import AWAY

router = APIRouter(tags=["health"])


class Fine(BaseModel):
    """All is well."""

    ok: Literal[True] = True


@router.get("/healthcheck", summary="Ask whether the process lives")
async def tell_liveness() -> Fine:
    """Always answer 200: the process is fine even when Redis isn't."""
    return Fine()


@router.get("/ready", summary="Ask whether VMs can be served", responses={503: AWAY})
async def tell_readiness(parts: TheParts) -> Fine:
    """Answer 200 when Redis answers and runs our scripts, else 503."""
    await parts.watch.check()
    return Fine()
