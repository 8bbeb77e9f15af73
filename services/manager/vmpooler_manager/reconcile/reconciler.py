"""One pass over a pool: observe, plan, execute, and say when the next one is due."""

import asyncio

from vmpooler_manager.planning.planner import plan
from vmpooler_manager.reconcile.executor import Executor
from vmpooler_manager.reconcile.observer import Observer
from vmpooler_manager.reconcile.reporting import Reporter
from vmpooler_manager.reconcile.schedule import next_pass
from vmpooler_manager.runtime.pool import Pool


class Reconciler:
    """Brings one pool to what its spec says, a step a pass."""

    def __init__(self, pool: Pool, *, observer: Observer, executor: Executor, reporter: Reporter) -> None:
        self.pool = pool
        self._observer = observer
        self._executor = executor
        self._reporter = reporter

    async def run(self) -> float:
        """Make a pass; give the seconds until the next one is due. Raises StoreError."""
        monotonic = asyncio.get_running_loop().time
        started = monotonic()
        view = await self._observer.observe()
        snapshot = view.snapshot
        actions = plan(self.pool.spec, view, snapshot.now)
        await self._executor.run(self.pool, actions, snapshot)
        listings = self._observer.listings
        listings.acted_on()
        listings.start(snapshot.now, started)
        now = monotonic()
        self._reporter.passed(snapshot, now - started)
        can_list = not self.pool.cloud.fault and not listings.are_under_way
        return next_pass(
            self.pool,
            snapshot,
            actions,
            monotonic=now,
            listing_due_in=listings.due_in(now) if can_list else None,
        )
