"""From an accepted clone to a ready VM, a broken one, or one that takes too long."""

import asyncio
from dataclasses import dataclass

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.clones.clones import Promotion
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.lifecycle.failures import CloneFailures
from vmpooler_manager.lifecycle.readiness import PortProbe
from vmpooler_manager.lifecycle.records import Publication, VmRecords
from vmpooler_manager.metrics.requests import RequestMetrics
from vmpooler_manager.metrics.vms import VmMetrics
from vmpooler_manager.planning.inspection import usable_address, while_booting
from vmpooler_manager.providers.contract import ProviderVm, VmRef, VmStatus
from vmpooler_manager.providers.errors import CloneFailed, NotFound, ProviderError
from vmpooler_manager.runtime.pool import Pool

FIRST_DELAY = 0.2
LONGEST_DELAY = 5.0
"""Seconds between two inspections of a VM that boots; growing, so that quick clouds are fast."""
ANNOTATE_SECONDS = 0.2
"""Seconds until a pass writes the user on the tag of a granted VM."""

log = structlog.get_logger()


@dataclass(slots=True)
class Progress:
    """How much of a VM's making is known and recorded."""

    sent_at: float
    """Monotonic time at which `create` was sent, or later."""
    is_measured: bool = False
    """Whether this manager sent it, and so knows how long the clone takes."""
    id_recorded: bool = False
    clone_recorded: bool = False


class VmFollower:
    """Follows VMs of any pool while they are cloned and boot."""

    def __init__(
        self,
        store: Store,
        *,
        slots: SlotQueue,
        probe: PortProbe,
        failures: CloneFailures,
        records: VmRecords,
        metrics: tuple[VmMetrics, RequestMetrics],
    ) -> None:
        self._store = store
        self._slots = slots
        self._probe = probe
        self._failures = failures
        self._records = records
        self._metrics, self._requests = metrics

    async def follow(self, pool: Pool, ref: VmRef, *, seen: ProviderVm | None, progress: Progress) -> None:
        """Inspect the VM until it is ready, broken, or too late."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + pool.spec.timeout.total_seconds()
        delay = FIRST_DELAY
        while True:
            try:
                seen = seen or await pool.cloud.inspect(pool.clone_spec, ref)
            except CloneFailed as failure:
                await self._failures.failed(pool, ref.name, failure.cause)
                return
            except NotFound:
                waited = loop.time() - progress.sent_at
                may_appear = not progress.clone_recorded and waited < pool.cloud.create_grace.total_seconds()
                action = while_booting(ref.name, None, may_appear=may_appear)
                if action is not None:
                    await self._failures.give_up(pool, action)
                    return
            except ProviderError as error:
                log.debug(
                    EventName.VM_CALL_FAILED, call="inspect", vm=ref.name, pool=pool.name, error=str(error)
                )
                pool.obstacles[ref.name] = str(error)
            if seen is not None and await self._is_over(pool, ref, seen, progress):
                pool.obstacles.pop(ref.name, None)
                return
            if loop.time() >= deadline:
                break
            await asyncio.sleep(delay)
            delay = min(delay * 1.5, LONGEST_DELAY)
            seen = None
        pool.poke()

    async def _is_over(self, pool: Pool, ref: VmRef, seen: ProviderVm, progress: Progress) -> bool:
        """Record what was seen; True when there is nothing more to wait for."""
        ip, port = usable_address(seen), pool.spec.ready_check.port
        if ip is not None and port is None and not pool.keeps_records:
            await self._promote(pool, ref, seen, progress)
            return True
        cloned = seen.status is not VmStatus.CLONING
        if not progress.id_recorded or (cloned and not progress.clone_recorded):
            state = await self._store.clones.created(
                ref.name, ref.attempt, provider_id=ref.provider_id, ip=ip, host=seen.host, cloned=cloned
            )
            self._recorded(pool, progress, cloned=cloned)
            if state is not VmState.PENDING:
                return True
        if (action := while_booting(ref.name, seen)) is not None:
            await self._failures.give_up(pool, action)
            return True
        if ip is None:
            pool.obstacles[ref.name] = "it has no address" if cloned else "it is still being cloned"
            return False
        check_seconds = pool.spec.ready_check_timeout.total_seconds()
        if port is not None and not await self._probe.accepts(ip, port, seconds=check_seconds):
            pool.obstacles[ref.name] = f"port {port} of {ip} accepts no connection (ready_check)"
            return False
        publication = await self._records.publish(pool, ref, ip)
        if publication is Publication.DONE:
            await self._promote(pool, ref, seen, progress)
        return publication is not Publication.WAITING

    async def _promote(self, pool: Pool, ref: VmRef, seen: ProviderVm, progress: Progress) -> None:
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

    def _recorded(self, pool: Pool, progress: Progress, *, cloned: bool) -> None:
        """Remember what is recorded; a clone's slot is free once its end is recorded."""
        progress.id_recorded = True
        if cloned and not progress.clone_recorded:
            progress.clone_recorded = True
            self._slots.freed()
            pool.clone_outage.ended()
            if progress.is_measured:
                self._metrics.cloned(pool.name, asyncio.get_running_loop().time() - progress.sent_at)

    def _report(self, pool: Pool, ref: VmRef, promotion: Promotion) -> None:
        pool.clones.succeeded()
        pool.boots.succeeded()
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
