"""From a reserved name to a ready VM: the jobs that make VMs.

Killed at any point, they leave a record from which any manager goes on: `reserved` and `creating` have
a lease, `created` has the provider's id.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.pool import PendingVm
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.clones.clones import Promotion
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.lifecycle.retire import VmRetirer
from vmpooler_manager.metrics.requests import RequestMetrics
from vmpooler_manager.metrics.vms import VmMetrics
from vmpooler_manager.planning.actions import Retire
from vmpooler_manager.planning.inspection import after_failed_clone, after_lost_clone, while_booting
from vmpooler_manager.providers.contract import CloneRef, OwnershipTag, ProviderVm, VmRef, VmStatus
from vmpooler_manager.providers.errors import NotFound, PermanentError, ProviderError
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.pool import Pool

FIRST_DELAY = 0.2
LONGEST_DELAY = 5.0
"""Seconds between two inspections of a VM that boots; growing, so that quick clouds are fast."""
ANNOTATE_SECONDS = 0.2
"""Seconds until a pass writes the user on the tag of a granted VM."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Progress:
    """How much of a VM's making is recorded."""

    started: float | None = None
    """Monotonic time at which `create` was sent, if this manager sent it."""
    id_recorded: bool = False
    clone_recorded: bool = False


class VmCreator:
    """Makes VMs for any pool."""

    def __init__(
        self,
        store: Store,
        *,
        identity: ManagerIdentity,
        slots: SlotQueue,
        retirer: VmRetirer,
        metrics: VmMetrics,
        requests: RequestMetrics,
    ) -> None:
        self._store = store
        self._identity = identity
        self._slots = slots
        self._retirer = retirer
        self._metrics = metrics
        self._requests = requests

    async def clone(self, pool: Pool, name: str, *, generation: str) -> None:
        """Have the provider make the VM of a reserved name, and follow it until it is ready."""
        attempt = await self._store.clones.begin(
            name, operation=new_operation(), manager=self._identity.name, lease=self._identity.lease
        )
        if attempt is None:
            return
        loop = asyncio.get_running_loop()
        started = loop.time()
        tag = OwnershipTag(self._identity.installation, generation, pool.name, name, attempt)
        try:
            vm = await pool.cloud.create(pool.clone_spec, tag)
        except ProviderError as error:
            await self._failed(pool, name, error)
            return
        pool.clone_outage.ended()
        ref = VmRef(name, attempt, vm.provider_id)
        await self._follow(pool, ref, seen=vm, progress=_Progress(started=started))

    async def resolve(self, pool: Pool, vm: PendingVm, *, waited: timedelta) -> None:
        """Find out what became of a `create` whose manager is gone, `waited` after its lease ended."""
        try:
            found = await pool.cloud.find(
                pool.clone_spec, CloneRef(self._identity.installation, vm.name, vm.attempt)
            )
        except ProviderError as error:
            # Unknown isn't absent: the next pass asks again.
            log.info(EventName.VM_CALL_FAILED, call="find", vm=vm.name, pool=pool.name, error=str(error))
            await asyncio.sleep(pool.retries.first.total_seconds())
            pool.poke()
            return
        if found is not None:
            log.info(EventName.VM_TAKEN_OVER, vm=vm.name, pool=pool.name, provider_id=found.provider_id)
            ref = VmRef(vm.name, vm.attempt, found.provider_id)
            await self._follow(pool, ref, seen=found, progress=_Progress())
            return
        if waited >= pool.cloud.create_grace:
            await self._retirer.retire(pool.name, after_lost_clone(vm.name))
        else:
            await asyncio.sleep((pool.cloud.create_grace - waited).total_seconds())
        pool.poke()

    async def watch(self, pool: Pool, vm: PendingVm) -> None:
        """Follow a VM whose id is known until it is ready."""
        ref = VmRef(vm.name, vm.attempt, vm.provider_id)
        await self._follow(
            pool, ref, seen=None, progress=_Progress(id_recorded=True, clone_recorded=vm.cloned)
        )

    async def _follow(self, pool: Pool, ref: VmRef, *, seen: ProviderVm | None, progress: _Progress) -> None:
        """Inspect the VM until it is ready, broken, or too late."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + pool.spec.timeout.total_seconds()
        delay = FIRST_DELAY
        while True:
            if seen is None:
                try:
                    seen = await pool.cloud.inspect(pool.clone_spec, ref)
                except NotFound:
                    await self._give_up(pool, while_booting(ref.name, None))
                    return
                except ProviderError as error:
                    log.debug(
                        EventName.VM_CALL_FAILED,
                        call="inspect",
                        vm=ref.name,
                        pool=pool.name,
                        error=str(error),
                    )
            if seen is not None and await self._record(pool, ref, seen, progress):
                return
            if loop.time() >= deadline:
                break
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, LONGEST_DELAY)
            seen = None
        pool.poke()

    async def _record(self, pool: Pool, ref: VmRef, seen: ProviderVm, progress: _Progress) -> bool:
        """Record what was seen; True when there is nothing more to wait for."""
        if seen.status is VmStatus.RUNNING and seen.ip:
            promotion = await self._store.clones.booted(
                ref.name,
                ref.attempt,
                provider_id=ref.provider_id,
                ip=seen.ip,
                host=seen.host,
                operation=new_operation(),
            )
            self._recorded(pool, progress, cloned=True)
            if promotion is not None:
                self._report(pool, ref, promotion)
            return True
        cloned = seen.status is not VmStatus.CLONING
        if not progress.id_recorded or (cloned and not progress.clone_recorded):
            state = await self._store.clones.created(
                ref.name, ref.attempt, provider_id=ref.provider_id, ip=seen.ip, host=seen.host, cloned=cloned
            )
            self._recorded(pool, progress, cloned=cloned)
            if state is not VmState.PENDING:
                return True
        if (action := while_booting(ref.name, seen)) is not None:
            await self._give_up(pool, action)
            return True
        return False

    def _recorded(self, pool: Pool, progress: _Progress, *, cloned: bool) -> None:
        """Remember what is recorded; a clone's slot is free once its end is recorded."""
        progress.id_recorded = True
        if cloned and not progress.clone_recorded:
            progress.clone_recorded = True
            self._slots.freed()
            if progress.started is not None:
                self._metrics.cloned(pool.name, asyncio.get_running_loop().time() - progress.started)

    def _report(self, pool: Pool, ref: VmRef, promotion: Promotion) -> None:
        pool.clones.succeeded()
        self._metrics.became_ready(pool.name, promotion.took.total_seconds())
        if not promotion.request:
            log.debug(EventName.VM_READY, vm=ref.name, pool=pool.name, provider_id=ref.provider_id)
            return
        # The pass that the grant's event asks for may come while this job still keeps the VM busy.
        pool.poke_later(ANNOTATE_SECONDS)
        self._requests.granted(pool.name, promotion.waited.total_seconds(), warm=False, user=promotion.user)
        log.info(
            EventName.VM_CHECKED_OUT,
            vm=ref.name,
            pool=pool.name,
            provider_id=ref.provider_id,
            request=promotion.request,
            user=promotion.user,
            reason="on demand",
        )

    async def _give_up(self, pool: Pool, action: Retire | None) -> None:
        """Give up a VM that was made and won't be ready, as may happen to all of its template."""
        if action is None:
            return
        pool.clones.failed(asyncio.get_running_loop().time(), reason=action.failure)
        await self._retirer.retire(pool.name, action)
        pool.poke()

    async def _failed(self, pool: Pool, name: str, error: ProviderError) -> None:
        is_permanent = isinstance(error, PermanentError)
        now = asyncio.get_running_loop().time()
        pool.clones.failed(now, reason=str(error), is_permanent=is_permanent)
        pool.clone_outage.began(str(error))
        action = after_failed_clone(name, str(error), is_permanent=is_permanent)
        await self._retirer.retire(pool.name, action)
        if is_permanent:
            await self._store.views.mark_broken(pool.name, str(error))
            await self.fail_waiting(pool, str(error))
        pool.poke()

    async def fail_waiting(self, pool: Pool, reason: str) -> None:
        """Fail every request that waits for this pool: no clone of it can ever work."""
        if failed := await self._store.backlog.fail_waiting(pool.name, reason):
            self._requests.failed(failed)
            log.warning(EventName.REQUEST_FAILED, pool=pool.name, requests=failed, reason=reason)
