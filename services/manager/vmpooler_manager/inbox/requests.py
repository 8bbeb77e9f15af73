"""Takes on-demand requests in: from the inbox into the backlog of their pools."""

from collections.abc import Sequence
from datetime import timedelta

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.inbox import InboxEntry
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_manager.metrics.inboxes import InboxMetrics
from vmpooler_manager.metrics.requests import RequestMetrics

log = structlog.get_logger()


class RequestAcceptor:
    """Accepts requests, and ends those that take too long; every manager has one."""

    def __init__(
        self, store: Store, *, ttl: timedelta, metrics: RequestMetrics, inboxes: InboxMetrics
    ) -> None:
        self._store = store
        self._ttl = ttl
        self._metrics = metrics
        self._inboxes = inboxes

    async def take(self, entry: InboxEntry) -> None:
        """Accept the request that an entry of the inbox names."""
        await self.accept(entry.fields.get("request", ""), entry=entry.id)

    async def accept(self, request: str, *, entry: str = "") -> None:
        """Make a request part of its pools' backlog; again, it changes nothing."""
        match await self._store.backlog.accept(request, entry=entry):
            case "accepted":
                log.info(EventName.REQUEST_ACCEPTED, request=request)
            case "dead":
                self._inboxes.dead("requests")
                log.error(
                    EventName.INBOX_ENTRY_DROPPED, inbox="requests", entry=entry, request=request or None
                )

    async def expire(self, requests: Sequence[str]) -> None:
        """Fail requests that are past their deadline; their VMs are returned."""
        minutes = f"{self._ttl.total_seconds() / 60:g}"
        reason = (
            "The request failed to provision instances within the configured "
            f"ondemand_request_ttl '{minutes}'"
        )
        for request in requests:
            if await self._store.backlog.expire(request, operation=new_operation(), reason=reason):
                self._metrics.failed(1)
                log.warning(EventName.REQUEST_FAILED, request=request, reason="deadline")

    async def fail_unserved(self, pools: Sequence[str]) -> None:
        """Fail requests for pools that are configured where requests are taken, and in no manager."""
        for pool in pools:
            reason = f"the pool {pool!r} isn't configured in any manager"
            if failed := await self._store.backlog.fail_unserved(pool, reason):
                self._metrics.failed(failed)
                log.error(EventName.REQUEST_FAILED, pool=pool, requests=failed, reason=reason)
