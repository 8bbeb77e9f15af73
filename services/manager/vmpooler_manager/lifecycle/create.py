"""From a reserved name to a ready VM: the jobs that make VMs.

Killed at any point, they leave a record from which any manager goes on: `reserved` and `creating` have
a lease, `created` has the provider's id.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog
from vmpooler_common.store.retirement.retirement import Charge

from vmpooler_common.model.pool import PendingVm
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.clones.clones import Promotion
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.metrics.requests import RequestMetrics
from vmpooler_manager.metrics.vms import VmMetrics
from vmpooler_manager.planning.actions import FailureReason
from vmpooler_manager.providers.contract import OwnershipTag, ProviderVm, VmRef, VmStatus
from vmpooler_manager.providers.errors import NotFound, PermanentError, ProviderError
from vmpooler_manager.runtime.pool import Pool

FIRST_LOOK = 0.2
LONGEST_LOOK = 5.0
"""Seconds between two looks at a VM that boots: growing, so that quick clouds are answered quickly."""
NOTE_SECONDS = 0.2
"""Until a pass notes on a VM in the cloud whom it was granted to."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Progress:
    """How much of a VM's making is recorded."""

    started: float | None = None
    """Monotonic time at which `create` was sent, if this manager sent it."""
    id_noted: bool = False
    clone_noted: bool = False


class VmCreator:
    """Makes VMs for any pool."""

    def __init__(
        self,
        store: Store,
        *,
        manager: str,
        installation: str,
        lease: timedelta,
        slots: SlotQueue,
        max_retries: int,
        metrics: VmMetrics,
        requests: RequestMetrics,
    ) -> None:
        self._store = store
        self._manager = manager
        self._installation = installation
        self._lease = lease
        self._slots = slots
        self._max_retries = max_retries
        self._metrics = metrics
        self._requests = requests

    async def clone(self, pool: Pool, name: str, *, generation: str) -> None:
        """Have the provider make the VM of a reserved name, and follow it until it is ready."""
        attempt = await self._store.clones.begin(
            name, operation=new_operation(), manager=self._manager, lease=self._lease
        )
        if attempt is None:
            return
        loop = asyncio.get_running_loop()
        started = loop.time()
        tag = OwnershipTag(self._installation, generation, pool.name, name, attempt)
        try:
            vm = await pool.cloud.create(pool.order, tag)
        except ProviderError as error:
            await self._failed(pool, name, error)
            return
        pool.clone_outage.ended()
        ref = VmRef(name, attempt, vm.provider_id)
        await self._follow(pool, ref, seen=vm, progress=_Progress(started=started))

    async def resolve(self, pool: Pool, vm: PendingVm, *, waited: timedelta) -> None:
        """Find out what became of a `create` whose manager is gone, `waited` after its lease ended."""
        try:
            found = await pool.cloud.find(pool.order, vm.name, vm.attempt)
        except ProviderError as error:
            # Unknown isn't absent: the next pass asks again.
            log.info("looking for a clone failed", vm=vm.name, pool=pool.name, error=str(error))
            await asyncio.sleep(pool.delays.first.total_seconds())
            pool.poke()
            return
        if found is not None:
            log.info("clone taken over", vm=vm.name, pool=pool.name, provider_id=found.provider_id)
            ref = VmRef(vm.name, vm.attempt, found.provider_id)
            await self._follow(pool, ref, seen=found, progress=_Progress())
            return
        if waited >= pool.cloud.create_grace:
            # Charged to nobody: one death loses many clones, and says nothing of the cloud.
            await self.abandon(pool, vm.name, "clone_failed")
        else:
            await asyncio.sleep((pool.cloud.create_grace - waited).total_seconds())
        pool.poke()

    async def watch(self, pool: Pool, vm: PendingVm) -> None:
        """Follow a VM whose id is known until it is ready."""
        ref = VmRef(vm.name, vm.attempt, vm.provider_id)
        await self._follow(pool, ref, seen=None, progress=_Progress(id_noted=True, clone_noted=vm.cloned))

    async def abandon(self, pool: Pool, name: str, reason: FailureReason, *, failure: str = "") -> None:
        """Give a pending VM up; whatever the provider has of it will be destroyed.

        A `failure` is charged to the request that the VM would have gone to.
        """
        outcome = await self._store.retirement.retire(
            name,
            VmState.PENDING,
            operation=new_operation(),
            reason=reason,
            charge=Charge(failure, self._max_retries) if failure else None,
        )
        if outcome == "ok":
            self._metrics.failed(pool.name, reason)
            log.info("VM given up", vm=name, pool=pool.name, reason=reason)
        self._slots.freed()

    async def _follow(self, pool: Pool, ref: VmRef, *, seen: ProviderVm | None, progress: _Progress) -> None:
        """Look at the VM until it is ready, broken, or too late."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + pool.spec.timeout.total_seconds()
        delay = FIRST_LOOK
        while True:
            if seen is None:
                try:
                    seen = await pool.cloud.inspect(pool.order, ref)
                except NotFound:
                    await self._broke(pool, ref.name, "vanished", failure="a VM vanished while it booted")
                    return
                except ProviderError as error:
                    log.debug("look at a VM failed", vm=ref.name, pool=pool.name, error=str(error))
            if seen is not None and await self._settle(pool, ref, seen, progress):
                return
            if loop.time() >= deadline:
                break
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, LONGEST_LOOK)
            seen = None
        pool.poke()

    async def _settle(self, pool: Pool, ref: VmRef, seen: ProviderVm, progress: _Progress) -> bool:
        """Record what was seen; True when there is nothing more to wait for."""
        if seen.status is VmStatus.READY:
            promotion = await self._store.clones.booted(
                ref.name,
                ref.attempt,
                provider_id=ref.provider_id,
                ip=seen.ip,
                host=seen.host,
                operation=new_operation(),
            )
            self._note(pool, progress, cloned=True)
            if promotion is not None:
                self._tell(pool, ref, promotion)
            return True
        cloned = seen.status is not VmStatus.CLONING
        if not progress.id_noted or (cloned and not progress.clone_noted):
            state = await self._store.clones.created(
                ref.name, ref.attempt, provider_id=ref.provider_id, ip=seen.ip, host=seen.host, cloned=cloned
            )
            self._note(pool, progress, cloned=cloned)
            if state is not VmState.PENDING:
                return True
        if seen.status is VmStatus.OFF:
            failure = "a VM was switched off while it booted"
            await self._broke(pool, ref.name, "powered_off", failure=failure)
            return True
        return False

    def _note(self, pool: Pool, progress: _Progress, *, cloned: bool) -> None:
        """Remember what is recorded; the first time that a clone has ended, its slot is free."""
        progress.id_noted = True
        if cloned and not progress.clone_noted:
            progress.clone_noted = True
            self._slots.freed()
            if progress.started is not None:
                self._metrics.cloned(pool.name, asyncio.get_running_loop().time() - progress.started)

    def _tell(self, pool: Pool, ref: VmRef, promotion: Promotion) -> None:
        pool.clones.succeeded()
        self._metrics.became_ready(pool.name, promotion.took.total_seconds())
        if not promotion.request:
            log.debug("VM ready", vm=ref.name, pool=pool.name, provider_id=ref.provider_id)
            return
        # The pass that the grant's event asks for may come while this job still keeps the VM busy.
        pool.poke_later(NOTE_SECONDS)
        self._requests.granted(pool.name, promotion.waited.total_seconds(), warm=False, user=promotion.user)
        log.info(
            "VM granted",
            vm=ref.name,
            pool=pool.name,
            provider_id=ref.provider_id,
            request=promotion.request,
            user=promotion.user or None,
            reason="on demand",
        )

    async def _broke(self, pool: Pool, name: str, reason: FailureReason, *, failure: str) -> None:
        """Give up a VM that was made and won't be ready, as all of its template may do."""
        pool.clones.failed(asyncio.get_running_loop().time(), reason=failure)
        await self.abandon(pool, name, reason, failure=failure)
        pool.poke()

    async def _failed(self, pool: Pool, name: str, error: ProviderError) -> None:
        permanent_fault = isinstance(error, PermanentError)
        pool.clones.failed(
            asyncio.get_running_loop().time(), reason=str(error), permanent_fault=permanent_fault
        )
        pool.clone_outage.began(str(error))
        await self.abandon(pool, name, "clone_failed", failure="" if permanent_fault else str(error))
        if permanent_fault:
            await self._store.views.mark_broken(pool.name, str(error))
            await self.fail_waiting(pool, str(error))
        pool.poke()

    async def fail_waiting(self, pool: Pool, reason: str) -> None:
        """Fail every request that waits for this pool: no clone of it can ever work."""
        if failed := await self._store.backlog.fail_waiting(pool.name, reason):
            self._requests.failed(failed)
            log.warning("on-demand requests failed", pool=pool.name, requests=failed, reason=reason)
