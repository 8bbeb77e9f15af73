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
    user: str
    waited: timedelta


class Backlog:
    """What follows once a request's entry was read from the queue of requests."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def accept(self, request: str, *, entry: str = "") -> str:
        """Make a request part of its pools' backlog; gives `accepted`, `known`, or `dead`."""
        return str(await self._scripts.run("accept_request", new_operation(), request, GROUP, entry))

    async def expire(self, request: str, *, operation: str, reason: str) -> bool:
        """Fail a request that is past its deadline; False when it isn't, or is over."""
        return bool(await self._scripts.run("expire_request", operation, request, reason) == "ok")

    async def serve(self, pool: str, *, operation: str, most: int) -> list[Served]:
        """Give ready VMs of a pool to its backlog."""
        flat = await self._scripts.run("serve_backlog", operation, pool, most)
        return [
            Served(vm, provider_id, request, user, timedelta(milliseconds=int(waited)))
            for vm, provider_id, request, user, waited in (flat[at : at + 5] for at in range(0, len(flat), 5))
        ]

    async def fail_unserved(self, pool: str, reason: str) -> int:
        """Fail the requests that have waited a minute for a pool that no manager knows; gives how many.

        At most 50 at once: the next heartbeat tells of the others.
        """
        return int(await self._scripts.run("fail_unserved", new_operation(), pool, reason, 50))

    async def fail_waiting(self, pool: str, reason: str) -> int:
        """Fail every request that waits for this pool; gives how many."""
        failed: int = 0
        while True:
            some, left = await self._scripts.run("fail_waiting", new_operation(), pool, reason, 50)
            failed += some
            if not left or not some:
                return failed
