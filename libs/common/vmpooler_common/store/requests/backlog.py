"""On-demand requests, as managers take them in, serve them and fail them."""

from dataclasses import dataclass
from datetime import timedelta

from vmpooler_common.store.core.inbox import GROUP
from vmpooler_common.store.core.scripts import Scripts, new_operation


@dataclass(frozen=True, slots=True)
class Served:
    """A ready VM given to a request."""

    vm: str
    provider_id: str
    request: str
    user: str | None
    waited: timedelta


class Backlog:
    """What follows once a request's entry was read from the queue of requests."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def accept(self, request: str, *, entry: str = "") -> str:
        """Make a request part of its pools' backlog; gives `accepted`, `known`, or `dead`."""
        return str(
            await self._scripts.run_named(
                "accept_request", operation=new_operation(), request=request, group=GROUP, entry=entry
            )
        )

    async def expire(self, request: str, *, operation: str, reason: str) -> bool:
        """Fail a request that is past its deadline; False when it isn't, or is over."""
        reply = await self._scripts.run_named(
            "expire_request", operation=operation, request=request, reason=reason
        )
        return bool(reply == "ok")

    async def serve(self, pool: str, *, operation: str, most: int) -> list[Served]:
        """Give ready VMs of a pool to its backlog."""
        served = await self._scripts.fetch("serve_backlog", operation=operation, pool=pool, most=most)
        return [_served(**one) for one in served]

    async def fail_unserved(self, pool: str, reason: str) -> int:
        """Fail the requests that have waited a minute for a pool that no manager knows; gives how many.

        At most 50 at once: the next heartbeat tells of the others.
        """
        return int(
            await self._scripts.run_named(
                "fail_unserved", operation=new_operation(), pool=pool, reason=reason, most=50
            )
        )

    async def fail_waiting(self, pool: str, reason: str) -> int:
        """Fail every request that waits for this pool; gives how many."""
        failed: int = 0
        while True:
            reply = await self._scripts.fetch(
                "fail_waiting", operation=new_operation(), pool=pool, reason=reason, most=50
            )
            failed += reply["failed"]
            if not reply["waiting"] or not reply["failed"]:
                return failed


def _served(*, waited: str, user: str, **facts: str) -> Served:
    return Served(waited=timedelta(milliseconds=int(waited)), user=user or None, **facts)
