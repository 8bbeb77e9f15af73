"""From a reserved name to a VM that is followed until it is ready: the jobs that make VMs.

Killed at any point, they leave a record from which any manager goes on: `reserved` and `creating` have
a lease, `created` has the provider's id.
"""

import asyncio
from datetime import timedelta

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.pool import PendingVm
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.failures import CloneFailures
from vmpooler_manager.lifecycle.follow import Progress, VmFollower
from vmpooler_manager.lifecycle.retire import VmRetirer
from vmpooler_manager.planning.inspection import after_lost_clone
from vmpooler_manager.providers.contract import CloneRef, OwnershipTag, VmRef
from vmpooler_manager.providers.errors import CloneFailed, ProviderError
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.pool import Pool

log = structlog.get_logger()


class VmCreator:
    """Makes VMs for any pool."""

    def __init__(
        self,
        store: Store,
        *,
        identity: ManagerIdentity,
        follower: VmFollower,
        failures: CloneFailures,
        retirer: VmRetirer,
    ) -> None:
        self._store = store
        self._identity = identity
        self._follower = follower
        self._failures = failures
        self._retirer = retirer

    async def prepare(self, pool: Pool) -> None:
        """Have the provider check and make what clones of the pool need."""
        spec = pool.clone_spec
        try:
            await pool.cloud.prepare(spec)
        except ProviderError as error:
            await self._failures.unprepared(pool, error)
            return
        pool.preparations.succeeded()
        pool.prepared = spec
        pool.poke()

    async def clone(self, pool: Pool, name: str, *, generation: str) -> None:
        """Have the provider make the VM of a reserved name, and follow it until it is ready."""
        attempt = await self._store.clones.begin(
            name, operation=new_operation(), manager=self._identity.name, lease=self._identity.lease
        )
        if attempt is None:
            return
        progress = Progress(sent_at=asyncio.get_running_loop().time(), is_measured=True)
        tag = OwnershipTag(self._identity.installation, generation, pool.name, name, attempt)
        try:
            vm = await pool.cloud.create(pool.clone_spec, tag)
        except ProviderError as error:
            await self._failures.failed(pool, name, error)
            return
        await self._follower.follow(pool, VmRef(name, attempt, vm.provider_id), seen=vm, progress=progress)

    async def resolve(self, pool: Pool, vm: PendingVm, *, waited: timedelta) -> None:
        """Find out what became of a `create` whose manager is gone, `waited` after its lease ended."""
        clone = CloneRef(self._identity.installation, vm.name, vm.attempt)
        try:
            found = await pool.cloud.find(pool.clone_spec, clone)
        except CloneFailed as failure:
            await self._failures.failed(pool, vm.name, failure.cause)
            return
        except ProviderError as error:
            # Unknown isn't absent: the next pass asks again.
            log.info(EventName.VM_CALL_FAILED, call="find", vm=vm.name, pool=pool.name, error=str(error))
            await asyncio.sleep(pool.retries.first.total_seconds())
            pool.poke()
            return
        if found is not None:
            log.info(EventName.VM_TAKEN_OVER, vm=vm.name, pool=pool.name, provider_id=found.provider_id)
            ref = VmRef(vm.name, vm.attempt, found.provider_id)
            await self._follower.follow(pool, ref, seen=found, progress=_sent_before(waited))
            return
        if waited >= pool.cloud.create_grace:
            await self._retirer.retire(pool.name, after_lost_clone(vm.name))
        else:
            await asyncio.sleep((pool.cloud.create_grace - waited).total_seconds())
        pool.poke()

    async def watch(self, pool: Pool, vm: PendingVm, *, waited: timedelta) -> None:
        """Follow a VM whose id is known until it is ready; its name was reserved `waited` ago."""
        ref = VmRef(vm.name, vm.attempt, vm.provider_id)
        progress = _sent_before(waited)
        progress.id_recorded, progress.clone_recorded = True, vm.cloned
        await self._follower.follow(pool, ref, seen=None, progress=progress)


def _sent_before(waited: timedelta) -> Progress:
    return Progress(sent_at=asyncio.get_running_loop().time() - waited.total_seconds())
