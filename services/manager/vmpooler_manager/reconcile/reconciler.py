"""One pass over a pool: observe, plan, execute, and say when the next one is due."""

import asyncio
import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import structlog

from vmpooler_common.model.pool import Snapshot
from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.inspect import VmInspector
from vmpooler_manager.metrics.loops import LoopMetrics
from vmpooler_manager.metrics.pools import PoolMetrics
from vmpooler_manager.metrics.providers import ProviderMetrics
from vmpooler_manager.metrics.requests import RequestMetrics
from vmpooler_manager.planning.actions import AwaitSlot
from vmpooler_manager.planning.inventory import Findings, Listing, Memory, Place, compare
from vmpooler_manager.planning.planner import PoolView, plan
from vmpooler_manager.reconcile.executor import Executor
from vmpooler_manager.runtime.clock import ClockGuard
from vmpooler_manager.runtime.jobs import JobKind, Jobs
from vmpooler_manager.runtime.pool import Pool

SMALLEST_ABSENT_BOUND, SMALLEST_ORPHAN_BOUND = 3, 2
SHARE_OF_PROVIDER = 10
"""Percent of a provider's VMs that may be given up, or taken in as orphans, in ten minutes."""

SHORTEST_WAIT = 0.05
"""Seconds between two passes that nothing but time asks for."""
SLOT_SECONDS = 2.0
"""Longest time without a look for a free clone slot. A slot that lapses, that another manager frees while its
VM still boots, or that is freed during a pass pokes nobody."""

log = structlog.get_logger()


@dataclass(slots=True)
class World:
    """What all passes of this manager share."""

    data_epoch: str = ""
    """Which data set on which Redis server the last heartbeat saw; empty while that isn't known."""
    pools: Collection[str] = ()
    """Every pool that somebody looks after."""

    def lose_sight(self) -> None:
        """Redis was away: until the next heartbeat it may be another one, or an old copy of it."""
        self.data_epoch = ""


class Reconciler:
    """Brings one pool to what its spec says, a step a pass. Keeps only what listings showed."""

    def __init__(
        self,
        pool: Pool,
        store: Store,
        *,
        world: World,
        listed: dict[str, dict[str, int]],
        executor: Executor,
        looking: VmInspector,
        jobs: Jobs,
        clock: ClockGuard,
        installation: str,
        check_time: timedelta,
        metrics: tuple[PoolMetrics, ProviderMetrics, LoopMetrics, RequestMetrics],
    ) -> None:
        self.pool = pool
        self._store = store
        self._world = world
        self._listed = listed
        self._executor = executor
        self._looking = looking
        self._jobs = jobs
        self._clock = clock
        self._installation = installation
        self._check_time = check_time
        self._pool_metrics, self._provider_metrics, self._loop_metrics, self._request_metrics = metrics
        self._fresh: Listing | None = None
        self._memory = Memory()
        self._listed_at = -math.inf
        self._compared_data_epoch: str | None = None
        self._listing_job = f"listing of {pool.name}"

    async def run(self) -> float:
        """Make a pass; give the seconds until the next one is due. Raises StoreError."""
        loop = asyncio.get_running_loop()
        configured, started = self.pool.configured, loop.time()
        listing, self._fresh = self._fresh, None
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
            self._world.lose_sight()
            raise
        self.pool.follow(snapshot.overrides)
        spec = self.pool.spec
        is_steady = self._check_clock(snapshot.now)
        findings = None
        if listing is not None:
            place = Place(
                spec.name,
                spec.provider,
                installation=self._installation,
                create_grace=self.pool.cloud.create_grace,
                pools=self._world.pools,
            )
            findings, self._memory = compare(place, listing, snapshot, records, self._memory)
            findings = await self._without_other_providers(findings)
            self._listed.setdefault(spec.provider, {})[spec.name] = findings.ours
            self._compared_data_epoch = listing.data_epoch
            self._pool_metrics.foreign(spec.name, findings.foreign)
        snapshot = await self._tell_broken(snapshot)
        await self._tell_held(snapshot, loop.time())
        await self._tell_prepared(snapshot)
        view = PoolView(
            snapshot=snapshot,
            findings=findings,
            busy=self._jobs.busy(spec.name),
            may_clone=self._may_clone(loop.time()),
            may_destroy=self._compared_data_epoch == self._world.data_epoch != "",
            is_steady=is_steady,
            permanent_fault=self.pool.cloud.fault if self.pool.cloud.is_permanent else "",
        )
        actions = plan(spec, view, snapshot.now)
        absent_bound, orphan_bound = self._bounds()
        await self._executor.run(
            self.pool, actions, snapshot, absent_bound=absent_bound, orphan_bound=orphan_bound
        )
        self._start_listing(snapshot.now, started)
        self._tell(snapshot, loop.time() - started)
        return self._next_pass(snapshot, loop.time(), awaits_slot=AwaitSlot() in actions)

    def _check_clock(self, now: datetime) -> bool:
        is_steady = self._clock.is_steady(now, asyncio.get_running_loop().time())
        if is_steady:
            self._loop_metrics.clock_steady()
        else:
            self._loop_metrics.clock_unsteady()
        return is_steady

    async def _without_other_providers(self, findings: Findings) -> Findings:
        """A pool that moved to another provider has VMs at the old one, which this listing can't show."""
        if not findings.missing:
            return findings
        records = await self._store.views.classify(findings.missing)
        missing = tuple(
            name for name in findings.missing if records[name].provider == self.pool.spec.provider
        )
        return replace(findings, missing=missing)

    async def _tell_broken(self, snapshot: Snapshot) -> Snapshot:
        """Keep the reason that others see equal to what we know of the driver."""
        fault = self.pool.cloud.fault
        is_failing = self.pool.clones.is_failing or self.pool.listings.is_failing
        reason = fault or (snapshot.broken if is_failing else "")
        if reason == snapshot.broken:
            return snapshot
        await self._store.views.mark_broken(self.pool.name, reason)
        return replace(snapshot, broken=reason)

    async def _tell_held(self, snapshot: Snapshot, now: float) -> None:
        """Let whoever waits for a clone of this pool know what holds clones back."""
        reason = ""
        if now < self.pool.cloud.throttled_until:
            reason = "the provider asked to be left alone for a while"
        elif not self.pool.clones.allows(now):
            reason = f"clones are tried again after a pause: {self.pool.clones.reason}"
        if reason != snapshot.backing_off and (reason == "" or snapshot.backlog):
            await self._store.views.mark_backing_off(self.pool.name, reason)

    async def _tell_prepared(self, snapshot: Snapshot) -> None:
        """Let everyone know once VMs are made from another template than before."""
        template = self.pool.order.template
        if self.pool.spec.configured and not self.pool.cloud.fault and template != snapshot.template_ready:
            await self._store.views.mark_template_ready(self.pool.name, template)

    def _may_clone(self, now: float) -> bool:
        cloud = self.pool.cloud
        return not cloud.fault and now >= cloud.throttled_until and self.pool.clones.allows(now)

    def _bounds(self) -> tuple[int, int]:
        """Give the safety limits: by what the last complete listings of the provider showed."""
        shown = sum(self._listed.get(self.pool.spec.provider, {}).values())
        share = shown * SHARE_OF_PROVIDER // 100
        return max(SMALLEST_ABSENT_BOUND, share), max(SMALLEST_ORPHAN_BOUND, share)

    def _start_listing(self, now: datetime, monotonic: float) -> None:
        due = (
            self._compared_data_epoch != self._world.data_epoch != ""
            or monotonic - self._listed_at >= self._check_time.total_seconds()
        )
        if not due or self.pool.cloud.fault or self._fresh or not self.pool.listings.allows(monotonic):
            return
        work = self._looking.list_pool(
            self.pool, started_at=now, data_epoch=self._world.data_epoch, deliver=self._deliver
        )
        if self._jobs.start(JobKind.LOOK, self._listing_job, work, pool=self.pool.name):
            self._listed_at = monotonic

    def _deliver(self, listing: Listing) -> None:
        self._fresh = listing

    def _tell(self, snapshot: Snapshot, seconds: float) -> None:
        name, sizes = self.pool.name, snapshot.sizes
        self._pool_metrics.counted(
            name,
            size=self.pool.spec.size,
            pending=sizes.pending,
            ready=sizes.ready,
            running=sizes.running,
            completed=sizes.completed,
            destroying=sizes.destroying,
            suspect=sizes.suspect,
        )
        if snapshot.broken:
            self._pool_metrics.broken(name)
        else:
            self._pool_metrics.mended(name)
        if snapshot.halt:
            self._provider_metrics.halted(self.pool.spec.provider)
        else:
            self._provider_metrics.released(self.pool.spec.provider)
        self._loop_metrics.cloning(pools=snapshot.pool_slots_in_use, requests=snapshot.request_slots_in_use)
        self._request_metrics.waiting(name, snapshot.backlog)
        self._pool_metrics.checked(name, seconds)

    def _next_pass(self, snapshot: Snapshot, monotonic: float, *, awaits_slot: bool) -> float:
        """Seconds until something is due by its time; pokes come earlier."""
        waits = [self.pool.delays.longest.total_seconds()]
        if awaits_slot:
            waits.append(SLOT_SECONDS)
        if not self.pool.cloud.fault and not self._jobs.is_running(self._listing_job):
            waits.append(self._listed_at + self._check_time.total_seconds() - monotonic)
        pauses = (self.pool.clones.until, self.pool.listings.until, self.pool.cloud.throttled_until)
        waits += [until - monotonic for until in pauses if until > monotonic]
        times = [vm.lease_ends_at for vm in snapshot.pending]
        times += [vm.reserved_at + self.pool.spec.timeout for vm in snapshot.pending]
        if snapshot.next_due:
            times.append(snapshot.next_due)
        # What is overdue already waits for something else, a steady clock for example.
        waits += [(time - snapshot.now).total_seconds() for time in times if time > snapshot.now]
        return max(SHORTEST_WAIT, min(waits))
