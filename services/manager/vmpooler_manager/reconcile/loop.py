"""Keeps one pool reconciled: pass after pass, whatever goes wrong in one."""

import asyncio

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.core.errors import StoreError
from vmpooler_manager.metrics.loops import LoopMetrics
from vmpooler_manager.metrics.pools import PoolMetrics
from vmpooler_manager.reconcile.reconciler import Reconciler
from vmpooler_manager.runtime.backoff import Backoff
from vmpooler_manager.runtime.liveness import Liveness

log = structlog.get_logger()


class PoolLoop:
    """Makes passes until it is cancelled."""

    def __init__(
        self,
        reconciler: Reconciler,
        *,
        backoff: Backoff,
        liveness: Liveness,
        pool_metrics: PoolMetrics,
        loop_metrics: LoopMetrics,
    ) -> None:
        self.pool = reconciler.pool
        self._reconciler = reconciler
        self._backoff = backoff
        self._liveness = liveness
        self._pool_metrics = pool_metrics
        self._loop_metrics = loop_metrics
        self._outage = Outage("passes", pool=self.pool.name)

    async def run(self) -> None:
        """Make a pass, sleep until the next one is due or the pool is poked, for ever."""
        while True:
            self.pool.begin_pass()
            wait = await self._pass()
            self._liveness.passed()
            await self.pool.sleep(wait)

    async def _pass(self) -> float:
        now = asyncio.get_running_loop().time
        try:
            wait = await self._reconciler.run()
        except StoreError as error:
            self._pool_metrics.check_failed(self.pool.name, "redis")
            self._outage.began(str(error))
        except Exception as error:
            # A fault in one pass must not end the pool's loop: it is logged, and the next pass tries again.
            log.exception(EventName.POOL_PASS_FAILED, pool=self.pool.name)
            self._pool_metrics.check_failed(self.pool.name, "bug")
            self._loop_metrics.restarted()
            self._outage.began(repr(error))
        else:
            self._backoff.succeeded()
            self._outage.ended()
            return wait
        self._backoff.failed(now())
        return self._backoff.until - now()
