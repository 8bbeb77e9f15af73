"""The use cases of status: counts of pools, as the status and other capabilities show them."""

import asyncio
from collections.abc import Collection
from time import monotonic

from vmpooler_api.background.store_health import RedisState, StoreHealth
from vmpooler_api.status.report import (
    DAILY_VIEWS,
    NO_WRITES,
    PoolFigures,
    PoolstatReport,
    RedisReport,
    StatusReport,
    report_status,
)
from vmpooler_common.config import Settings
from vmpooler_common.store.pools.views import Views


class StatusService:
    """Counts VMs. Each method is one round trip and raises StoreUnavailable."""

    def __init__(self, views: Views, settings: Settings, *, health: StoreHealth) -> None:
        self._views = views
        self._health = health
        self._pools = settings.pools
        self._started_at = monotonic()

    async def status(self, views: frozenset[str]) -> StatusReport:
        """Give the sections of the status that are asked for."""
        counting = self._views.counts([pool.name for pool in self._pools])
        today = None
        if views.isdisjoint(DAILY_VIEWS):
            counts = await counting
        else:
            # What one tick of the event loop asks for shares a round trip.
            counts, today = await asyncio.gather(counting, self._views.today())
        report = report_status(self._pools, counts, today, views=views, uptime=monotonic() - self._started_at)
        return self._without_writes(report) if self._health.state is RedisState.READ_ONLY else report

    def _without_writes(self, report: StatusReport) -> StatusReport:
        """Tell that Redis can be read, as was done just now, and not be written."""
        redis = RedisReport(state=self._health.state, since=self._health.since.isoformat(timespec="seconds"))
        verdict = report.status.model_copy(update={"ok": False, "message": NO_WRITES})
        return report.model_copy(update={"redis": redis, "status": verdict})

    async def pools(self, names: Collection[str]) -> PoolstatReport:
        """Tell size and ready VMs of the pools that have one of these names or aliases."""
        chosen = [
            one for one in self._pools if one.name in names or not frozenset(one.aliases).isdisjoint(names)
        ]
        if not chosen:
            return PoolstatReport(pools={})
        counts = (await self._views.counts([one.name for one in chosen])).pools
        return PoolstatReport(
            pools={
                one.name: PoolFigures(
                    max=counts[one.name].size_or(one.size), alias=one.alias, ready=counts[one.name].ready
                )
                for one in chosen
            }
        )

    async def running(self) -> int:
        """Add up the running VMs of all pools."""
        counts = await self._views.counts([pool.name for pool in self._pools])
        return sum(pool.running for pool in counts.pools.values())
