"""Takes on-demand requests in: from the inbox into the backlog of their pools."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta

import structlog

from vmpooler_common.logs import Outage
from vmpooler_common.store.errors import StoreError
from vmpooler_common.store.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_manager.request_metrics import RequestMetrics

RECOVER_EVERY = 5.0
"""Seconds between two looks for entries that a consumer has read and not accepted."""
RECOVER_IDLE = timedelta(seconds=5)
"""Accepting takes milliseconds: whoever took longer is dead, and a second acceptance changes nothing."""
CONSUMER_GONE = timedelta(hours=1)

log = structlog.get_logger()


class Intake:
    """One consumer of the managers' group; every manager runs one."""

    def __init__(
        self,
        store: Store,
        *,
        manager: str,
        ttl: timedelta,
        pauses: Callable[[], Iterator[float]],
        metrics: RequestMetrics,
    ) -> None:
        self._store = store
        self._manager = manager
        self._ttl = ttl
        self._pauses = pauses
        self._metrics = metrics
        self._outage = Outage("on-demand inbox")

    async def run(self) -> None:
        """Accept requests until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._recover())

    async def accept(self, request: str, *, entry: str = "") -> None:
        """Make a request part of its pools' backlog; again, it changes nothing."""
        match await self._store.inbox.accept(request, entry=entry):
            case "accepted":
                log.info("on-demand request accepted", request=request)
            case "dead":
                self._metrics.dead()
                log.error("entry of the inbox put aside", entry=entry, request=request or None)

    async def expire(self, requests: Sequence[str]) -> None:
        """Fail requests that are past their deadline; their VMs are returned."""
        minutes = f"{self._ttl.total_seconds() / 60:g}"
        reason = (
            "The request failed to provision instances within the configured "
            f"ondemand_request_ttl '{minutes}'"
        )
        for request in requests:
            if await self._store.inbox.expire(request, operation=new_operation(), reason=reason):
                self._metrics.failed(1)
                log.warning("on-demand request failed at its deadline", request=request)

    async def _follow(self) -> None:
        pauses = self._pauses()
        while True:
            try:
                await self._store.inbox.prepare()
                async for entry, request in self._store.inbox.follow(self._manager):
                    await self.accept(request, entry=entry)
                    pauses = self._pauses()
                    self._outage.ended()
            except StoreError as error:
                # Also when the group is gone with a lost data set: it is made anew.
                self._outage.began(str(error))
                await asyncio.sleep(next(pauses))

    async def _recover(self) -> None:
        while True:
            await asyncio.sleep(RECOVER_EVERY)
            try:
                entries = await self._store.inbox.recover(self._manager, idle=RECOVER_IDLE)
                for entry, request in entries:
                    await self.accept(request, entry=entry)
                await self._store.inbox.tidy(idle=CONSUMER_GONE)
            except StoreError as error:
                log.debug("recovering entries of the inbox failed", error=str(error))
