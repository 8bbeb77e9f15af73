"""From a completed VM to a gone one."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import timedelta

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.retirement.retirement import Destruction
from vmpooler_common.store.store import Store
from vmpooler_manager.metrics.vms import VmMetrics
from vmpooler_manager.providers.contract import CloneRef, CloneSpec, VmRef
from vmpooler_manager.providers.errors import CloneFailed, NotFound, PermanentError, ProviderError
from vmpooler_manager.runtime.backoff import RetryPolicy
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.pool import Pool
from vmpooler_manager.runtime.provider_client import ProviderClient

log = structlog.get_logger()


class VmDestroyer:
    """Destroys VMs of any pool, configured or not, at the provider that their record names."""

    def __init__(
        self,
        store: Store,
        *,
        identity: ManagerIdentity,
        clouds: Mapping[str, ProviderClient],
        clone_spec_of: Callable[[str], CloneSpec],
        retries: RetryPolicy,
        metrics: VmMetrics,
    ) -> None:
        self._store = store
        self._identity = identity
        self._clouds = clouds
        self._clone_spec_of = clone_spec_of
        self._retries = retries
        self._metrics = metrics
        self._outages: dict[str, Outage] = {}

    async def destroy(self, vm: Destruction, pool: Pool) -> None:
        """Remove a claimed VM from its provider and record that it is gone.

        When it must be tried again later, its pool is poked: somebody has to plan when.
        """
        started = asyncio.get_running_loop().time()
        try:
            provider_id, waits = await self._remove(vm)
        except PermanentError as error:
            await self._defer(vm, pool, self._retries.longest, error)
        except ProviderError as error:
            await self._defer(vm, pool, self._retries.after(vm.tries + 1), error)
        else:
            if waits:
                await self._store.retirement.defer(vm.name, manager=self._identity.name, delay=waits)
                pool.poke()
            elif await self._store.retirement.destroyed(vm.name, vm.attempt, provider_id=provider_id):
                if provider_id:
                    self._metrics.destroyed(vm.pool, asyncio.get_running_loop().time() - started)
                    self._outage(vm.provider).ended()
                    pool.destructions.succeeded()
                # Of a clone that failed there never was a VM.
                (log.info if provider_id else log.debug)(
                    EventName.VM_DESTROYED,
                    vm=vm.name,
                    pool=vm.pool,
                    provider=vm.provider,
                    provider_id=provider_id or None,
                    user=vm.user,
                    reason=vm.reason,
                )

    def _outage(self, provider: str) -> Outage:
        return self._outages.setdefault(provider, Outage("destroying", provider=provider))

    async def _remove(self, vm: Destruction) -> tuple[str, timedelta | None]:
        """Give the id of what was removed, empty for nothing, and how long to wait for it to appear."""
        if not vm.asked:
            return "", None
        cloud = self._clouds.get(vm.provider)
        if cloud is None:
            raise PermanentError(f"the provider {vm.provider!r} isn't configured any more")
        spec = self._clone_spec_of(vm.pool)
        provider_id = vm.provider_id
        if not provider_id:
            try:
                found = await cloud.find(spec, CloneRef(self._identity.installation, vm.name, vm.attempt))
            except CloneFailed:
                return "", None  # there is none, and none will appear
            if found is None:
                return "", cloud.create_grace - vm.waiting if vm.waiting < cloud.create_grace else None
            provider_id = found.provider_id
        with suppress(NotFound):
            await cloud.destroy(spec, VmRef(vm.name, vm.attempt, provider_id))
        return provider_id, None

    async def _defer(self, vm: Destruction, pool: Pool, delay: timedelta, error: ProviderError) -> None:
        self._outage(vm.provider).began(str(error))
        pool.destructions.failed(asyncio.get_running_loop().time(), reason=str(error))
        log.debug(
            EventName.VM_CALL_FAILED,
            call="destroy",
            vm=vm.name,
            pool=vm.pool,
            provider=vm.provider,
            provider_id=vm.provider_id or None,
            tries=vm.tries + 1,
            again_in=round(delay.total_seconds(), 1),
            error=str(error),
        )
        await self._store.retirement.defer(
            vm.name, manager=self._identity.name, delay=delay, tries=vm.tries + 1, error=str(error)
        )
        pool.poke()
