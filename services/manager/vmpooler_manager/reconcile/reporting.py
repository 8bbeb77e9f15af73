"""Reports what a pass saw: to other processes through the store, and to the metrics."""

from collections.abc import Sequence
from dataclasses import replace

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.pool import DeletionPause, Snapshot
from vmpooler_common.store.store import Store
from vmpooler_manager.metrics import ManagerMetrics
from vmpooler_manager.runtime.pool import Pool
from vmpooler_manager.runtime.problems import problem_of

MOST_NAMED = 20
"""VMs that one line of the log names."""

log = structlog.get_logger()


class Reporter:
    """Reports one pool. What an operator must act on is logged once when it begins, and once when it ends."""

    def __init__(self, pool: Pool, store: Store, *, metrics: ManagerMetrics) -> None:
        self._pool = pool
        self._store = store
        self._metrics = metrics
        self._broken = ""
        self._misnamed: Sequence[str] = ()
        self._pause: DeletionPause | None = None

    async def publish(self, snapshot: Snapshot, monotonic: float) -> Snapshot:
        """Tell the other processes what keeps the pool from working; give the snapshot with that in it."""
        snapshot = await self._publish_broken(snapshot)
        await self._publish_backing_off(snapshot, monotonic)
        await self._publish_problem(snapshot, monotonic)
        await self._publish_template(snapshot)
        return snapshot

    def clock(self, *, is_steady: bool) -> None:
        """Report whether Redis's clock can be believed."""
        if is_steady:
            self._metrics.loops.clock_steady()
        else:
            self._metrics.loops.clock_unsteady()

    def foreign(self, count: int, *, misnamed: Sequence[str]) -> None:
        """Report so many VMs at the pool's place that aren't this installation's."""
        self._metrics.pools.foreign(self._pool.name, count)
        if misnamed and misnamed != self._misnamed:
            log.warning(
                EventName.POOL_FOREIGN_VMS,
                pool=self._pool.name,
                vms=list(misnamed[:MOST_NAMED]),
                count=len(misnamed),
                remedy="they were made under another config.installation: remove them at the provider",
            )
        self._misnamed = misnamed

    def passed(self, snapshot: Snapshot, seconds: float) -> None:
        """Report the numbers of a pass that took so long."""
        name, provider, metrics = self._pool.name, self._pool.spec.provider, self._metrics
        self._log_changes(snapshot)
        metrics.pools.held_back(name, snapshot.held)
        metrics.pools.counted(name, size=self._pool.spec.size, sizes=snapshot.sizes)
        if snapshot.broken:
            metrics.pools.broken(name)
        else:
            metrics.pools.mended(name)
        metrics.pools.paused(name, is_paused=self._pool.spec.paused)
        if snapshot.deletion_pause:
            metrics.providers.deletion_paused(provider)
        else:
            metrics.providers.deletion_resumed(provider)
        metrics.loops.cloning(pools=snapshot.pool_slots_in_use, requests=snapshot.request_slots_in_use)
        metrics.requests.waiting(name, snapshot.backlog)
        metrics.pools.checked(name, seconds)

    def _log_changes(self, snapshot: Snapshot) -> None:
        name, provider = self._pool.name, self._pool.spec.provider
        if snapshot.broken and snapshot.broken != self._broken:
            log.error(
                EventName.POOL_BROKEN,
                pool=name,
                provider=provider,
                error=snapshot.broken,
                remedy="correct the pool's or the provider's settings, or what they name at the provider",
            )
        self._broken = snapshot.broken
        pause = snapshot.deletion_pause
        if pause and pause != self._pause and pause.pool == name:  # one pool logs it for all of its provider
            log.error(
                EventName.PROVIDER_DELETION_PAUSED,
                provider=provider,
                pool=name,
                reason=pause.reason,
                remedy=f"find out why; if it is in order, run: vmpooler-manager --resume-deletion {provider}",
            )
        self._pause = pause

    async def _publish_broken(self, snapshot: Snapshot) -> Snapshot:
        pool = self._pool
        reason = pool.cloud.fault or (snapshot.broken if pool.is_failing else "")
        if reason == snapshot.broken:
            return snapshot
        await self._store.views.mark_broken(pool.name, reason)
        return replace(snapshot, broken=reason)

    async def _publish_backing_off(self, snapshot: Snapshot, monotonic: float) -> None:
        """Let whoever waits for a clone of this pool know why clones are backing off."""
        pool = self._pool
        reason = pool.backs_off(monotonic)
        if reason != snapshot.backing_off and (reason == "" or snapshot.backlog):
            await self._store.views.mark_backing_off(pool.name, reason)

    async def _publish_problem(self, snapshot: Snapshot, monotonic: float) -> None:
        """Let everyone know what is wrong with the pool; the manager that held it before told since when."""
        known = snapshot.problem
        problem = problem_of(self._pool, broken=snapshot.broken, now=snapshot.now, monotonic=monotonic)
        if problem and known and problem.kind is known.kind:
            problem = replace(problem, since=known.since)
        self._metrics.pools.problem(self._pool.name, problem.kind if problem else None)
        if problem != known and not (problem and problem.same_as(known)):
            await self._store.views.mark_problem(self._pool.name, problem)

    async def _publish_template(self, snapshot: Snapshot) -> None:
        """Let everyone know once VMs are made from another template than before."""
        pool = self._pool
        template = pool.clone_spec.template
        is_usable = pool.is_prepared and not pool.cloud.fault
        if pool.spec.configured and is_usable and template != snapshot.template_ready:
            await self._store.views.mark_template_ready(pool.name, template)
