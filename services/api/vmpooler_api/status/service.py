"""The use cases of status: counts of pools, as the status and other capabilities show them."""

import asyncio
from collections.abc import Collection
from time import monotonic

from vmpooler_api.background.store_health import RedisState, StoreHealth
from vmpooler_api.status.explain import PoolExplanation, explain_pool
from vmpooler_api.status.report import (
    DAILY_VIEWS,
    HEALTH,
    NO_WRITES,
    PoolFigures,
    PoolstatReport,
    RedisReport,
    StatusReport,
    report_status,
)
from vmpooler_api.web.errors import UnknownName
from vmpooler_api.web.holders import Visitor, describe_holders, visible_holders
from vmpooler_common.config import Settings
from vmpooler_common.store.checkout.holders import Holders
from vmpooler_common.store.pools.views import Views


async def _nothing() -> None:
    """Ask for no statistics of today."""


class StatusService:
    """Counts VMs. Each method is one round trip and raises StoreUnavailable."""

    def __init__(self, views: Views, settings: Settings, *, health: StoreHealth) -> None:
        self._views = views
        self._health = health
        self._pools = settings.pools
        self._limits = settings.general
        self._admins = frozenset(settings.general.admins)
        self._started_at = monotonic()

    async def status(self, views: frozenset[str], visitor: Visitor) -> StatusReport:
        """Give the sections of the status that are asked for."""
        names = [pool.name for pool in self._pools]
        # What one tick of the event loop asks for shares a round trip.
        counts, holders, managers, today = await asyncio.gather(
            self._views.counts(names),
            self._views.holders(names, token=visitor.token) if "pools" in views else _nothing(),
            self._views.managers() if HEALTH in views else _nothing(),
            _nothing() if views.isdisjoint(DAILY_VIEWS) else self._views.today(),
        )
        report = report_status(
            self._pools, counts, today, managers, views=views, uptime=monotonic() - self._started_at
        )
        if holders is not None:
            self._name_holders(report, holders, visitor)
        return self._without_writes(report) if self._health.state is RedisState.READ_ONLY else report

    def _name_holders(self, report: StatusReport, found: Holders, visitor: Visitor) -> None:
        for name, holders in found.pools.items():
            pool = (report.pools or {})[name]
            pool.holders = len(holders)
            pool.held_by = visible_holders(holders, visitor, found.viewer, self._admins)

    def _without_writes(self, report: StatusReport) -> StatusReport:
        """Tell that Redis can be read, as was done just now, and not be written."""
        redis = RedisReport(
            state=self._health.state,
            since=self._health.since.isoformat(timespec="seconds"),
            remedy=self._health.remedy or None,
        )
        verdict = report.status.model_copy(update={"ok": False, "message": NO_WRITES})
        return report.model_copy(update={"redis": redis, "status": verdict})

    async def explain(self, pool: str, visitor: Visitor) -> PoolExplanation:
        """Say why a pool has the VMs that it has. Raises UnknownName."""
        wanted = next((one for one in self._pools if one.name == pool), None)
        if wanted is None:
            raise UnknownName
        counts, standing, managers, holders = await asyncio.gather(
            self._views.counts([pool]),
            self._views.standing(pool),
            self._views.managers(),
            self._views.holders([pool], token=visitor.token),
        )
        pause = managers.deletion_paused.get(wanted.provider)
        explanation = explain_pool(wanted, counts.pools[pool], standing, pause, self._limits)
        found = holders.pools.get(pool, ())
        explanation.held_by = visible_holders(found, visitor, holders.viewer, self._admins)
        if explanation.held_by:
            explanation.summary.append(f"Held back by {describe_holders(explanation.held_by)}.")
        return explanation

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
