"""From a reserved name to a ready VM: the jobs that make VMs.

Killed at any point, they leave a record from which any manager goes on: `reserved` and `creating` have
a lease, `created` has the provider's id.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import structlog

from vmpooler_common.model import VmState
from vmpooler_common.snapshot import PendingVm
from vmpooler_common.store.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_manager.actions import FailureReason
from vmpooler_manager.metrics import VmMetrics
from vmpooler_manager.pool import Pool
from vmpooler_manager.providers.contract import OwnershipTag, ProviderVm, VmRef, VmStatus
from vmpooler_manager.providers.errors import NotFound, PermanentError, ProviderError
from vmpooler_manager.slots import SlotQueue

FIRST_LOOK = 0.2
LONGEST_LOOK = 5.0
"""Seconds between two looks at a VM that boots: growing, so that quick clouds are answered quickly."""

log = structlog.get_logger()


@dataclass(slots=True)
class _Progress:
    """How much of a VM's making is recorded."""

    started: float | None = None
    """Monotonic time at which `create` was sent, if this manager sent it."""
    id_noted: bool = False
    clone_noted: bool = False


class Cloning:
    """Makes VMs for any pool."""

    def __init__(
        self,
        store: Store,
        *,
        manager: str,
        installation: str,
        lease: timedelta,
        slots: SlotQueue,
        metrics: VmMetrics,
    ) -> None:
        self._store = store
        self._manager = manager
        self._installation = installation
        self._lease = lease
        self._slots = slots
        self._metrics = metrics

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
            await self.abandon(pool, vm.name, "clone_failed")
        else:
            await asyncio.sleep((pool.cloud.create_grace - waited).total_seconds())
        pool.poke()

    async def watch(self, pool: Pool, vm: PendingVm) -> None:
        """Follow a VM whose id is known until it is ready."""
        ref = VmRef(vm.name, vm.attempt, vm.provider_id)
        await self._follow(pool, ref, seen=None, progress=_Progress(id_noted=True, clone_noted=vm.cloned))

    async def abandon(self, pool: Pool, name: str, reason: FailureReason) -> None:
        """Give a pending VM up; whatever the provider has of it will be destroyed."""
        outcome = await self._store.endings.retire(
            name, VmState.PENDING, operation=new_operation(), reason=reason
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
                    await self._broke(pool, ref.name, "vanished")
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
        cloned = seen.status is not VmStatus.CLONING
        ready = seen.status is VmStatus.READY
        if progress.id_noted and (progress.clone_noted or not cloned):
            if ready:
                await self._promote(pool, ref)
        else:
            created = self._store.clones.created(
                ref.name, ref.attempt, provider_id=ref.provider_id, ip=seen.ip, host=seen.host, cloned=cloned
            )
            # Both go out in one round trip, in this order.
            state, *_ = await asyncio.gather(created, *([self._promote(pool, ref)] if ready else []))
            progress.id_noted = True
            if cloned:
                progress.clone_noted = True
                self._slots.freed()
                if progress.started is not None:
                    seconds = asyncio.get_running_loop().time() - progress.started
                    self._metrics.cloned(pool.name, seconds)
            if state is not VmState.PENDING:
                return True
        if seen.status is VmStatus.OFF:
            await self._broke(pool, ref.name, "powered_off")
            return True
        return ready

    async def _promote(self, pool: Pool, ref: VmRef) -> None:
        took = await self._store.clones.promote(ref.name, ref.attempt, operation=new_operation())
        if took is not None:
            pool.clones.succeeded()
            self._metrics.became_ready(pool.name, took.total_seconds())
            log.debug("VM ready", vm=ref.name, pool=pool.name, provider_id=ref.provider_id)

    async def _broke(self, pool: Pool, name: str, reason: FailureReason) -> None:
        """Give up a VM that was made and won't be ready, as all of its template may do."""
        pool.clones.failed(asyncio.get_running_loop().time())
        await self.abandon(pool, name, reason)
        pool.poke()

    async def _failed(self, pool: Pool, name: str, error: ProviderError) -> None:
        hopeless = isinstance(error, PermanentError)
        pool.clones.failed(asyncio.get_running_loop().time(), hopeless=hopeless)
        pool.clone_outage.began(str(error))
        await self.abandon(pool, name, "clone_failed")
        if hopeless:
            await self._store.views.mark_broken(pool.name, str(error))
        pool.poke()
