"""Sees a pool whole: what Redis holds, what the provider lists, what this manager knows."""

import asyncio
from dataclasses import replace

from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.store import Store
from vmpooler_manager.planning.inventory import Findings
from vmpooler_manager.planning.spec import PoolView
from vmpooler_manager.reconcile.listings import PoolListings
from vmpooler_manager.reconcile.reporting import Reporter
from vmpooler_manager.runtime.clock import ClockGuard
from vmpooler_manager.runtime.jobs import Jobs
from vmpooler_manager.runtime.pool import Pool
from vmpooler_manager.runtime.shared_state import SharedState


class Observer:
    """Observes one pool."""

    def __init__(
        self,
        pool: Pool,
        store: Store,
        *,
        listings: PoolListings,
        reporter: Reporter,
        jobs: Jobs,
        clock: ClockGuard,
        shared: SharedState,
    ) -> None:
        self.listings = listings
        self._pool = pool
        self._store = store
        self._reporter = reporter
        self._jobs = jobs
        self._clock = clock
        self._shared = shared

    async def observe(self) -> PoolView:
        """See the pool at one moment, and follow what was set through the API. Raises StoreError."""
        pool = self._pool
        configured, listing = pool.configured, self.listings.take()
        try:
            snapshot, records = await self._store.views.observe(
                configured.name,
                configured.provider,
                size=configured.size,
                ready_ttl=configured.ready_ttl,
                listed=None if listing is None else sorted({vm.name for vm in listing.vms}),
                is_configured=configured.configured,
            )
        except StoreError:
            self._shared.lose_sight()
            raise
        if snapshot.place != pool.place:
            await self._settle_place(snapshot.place)
        pool.follow(snapshot.overrides, paused=snapshot.pause is not None)
        pending = {vm.name for vm in snapshot.pending}
        pool.obstacles = {name: told for name, told in pool.obstacles.items() if name in pending}
        monotonic = asyncio.get_running_loop().time
        is_steady = self._clock.is_steady(snapshot.now, monotonic())
        self._reporter.clock(is_steady=is_steady)
        findings = None
        if listing is not None:
            findings = self.listings.compare(listing, snapshot, records)
            findings = await self._without_other_providers(findings)
            self._reporter.foreign(findings.foreign, misnamed=findings.misnamed)
        snapshot = await self._reporter.publish(snapshot, monotonic())
        return PoolView(
            snapshot=snapshot,
            findings=findings,
            busy=self._jobs.busy(pool.name),
            provider_vms=self._shared.provider_vms(pool.spec.provider),
            may_clone=pool.may_clone(monotonic()),
            may_destroy=self.listings.are_compared,
            is_steady=is_steady,
            needs_preparation=pool.may_prepare(monotonic()),
            obstacles=dict(pool.obstacles),
            permanent_fault=pool.cloud.fault if pool.cloud.is_permanent else "",
        )

    async def _settle_place(self, written: str) -> None:
        """Write down where a configured pool's VMs are; believe it of a pool that isn't configured."""
        pool = self._pool
        if pool.configured.configured:
            await self._store.views.remember_place(pool.name, pool.place)
        elif written:
            pool.look_at(written)

    async def _without_other_providers(self, findings: Findings) -> Findings:
        """A pool that moved to another provider has VMs at the old one, which this listing can't show."""
        if not findings.missing:
            return findings
        records = await self._store.views.classify(findings.missing)
        provider = self._pool.spec.provider
        missing = tuple(name for name in findings.missing if records[name].provider == provider)
        return replace(findings, missing=missing)
