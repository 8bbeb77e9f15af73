"""What becomes of clones that fail, and of the requests that wait for them."""

import asyncio

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.retire import VmRetirer
from vmpooler_manager.metrics.requests import RequestMetrics
from vmpooler_manager.planning.actions import Retire
from vmpooler_manager.planning.inspection import after_failed_clone
from vmpooler_manager.providers.errors import PermanentError, ProviderError
from vmpooler_manager.runtime.pool import Pool

log = structlog.get_logger()


class CloneFailures:
    """Carries out what follows when the clone of a VM of any pool fails."""

    def __init__(self, store: Store, *, retirer: VmRetirer, requests: RequestMetrics) -> None:
        self._store = store
        self._retirer = retirer
        self._requests = requests

    async def failed(self, pool: Pool, name: str, error: ProviderError) -> None:
        """Retire a VM whose clone the cloud refused, or gave up later, and have the pool back off."""
        is_permanent = isinstance(error, PermanentError)
        pool.clones.failed(self._now(), reason=str(error), is_permanent=is_permanent)
        pool.clone_outage.began(str(error))
        await self._retirer.retire(pool.name, after_failed_clone(name, error))
        if is_permanent:
            pool.prepared = None  # what has changed since it was prepared is told before the next clone
            await self.break_pool(pool, str(error))
        pool.poke()

    async def unprepared(self, pool: Pool, error: ProviderError) -> None:
        """Have a pool back off that could not be prepared; a permanent error breaks it."""
        is_permanent = isinstance(error, PermanentError)
        pool.preparations.failed(self._now(), reason=str(error), is_permanent=is_permanent)
        pool.clone_outage.began(str(error))
        if is_permanent:
            await self.break_pool(pool, str(error))
        pool.poke()

    async def give_up(self, pool: Pool, action: Retire) -> None:
        """Give up a VM that was made and won't be ready, as may happen to all of its template."""
        pool.clones.failed(self._now(), reason=action.failure)
        await self._retirer.retire(pool.name, action)
        pool.poke()

    async def break_pool(self, pool: Pool, reason: str) -> None:
        """Tell everyone that no clone of this pool can work, and fail what waits for one."""
        await self._store.views.mark_broken(pool.name, reason)
        await self.fail_waiting(pool, reason)

    async def fail_waiting(self, pool: Pool, reason: str) -> None:
        """Fail every request that waits for this pool: no clone of it can ever work."""
        if failed := await self._store.backlog.fail_waiting(pool.name, reason):
            self._requests.failed(failed)
            log.warning(EventName.REQUEST_FAILED, pool=pool.name, requests=failed, reason=reason)

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
