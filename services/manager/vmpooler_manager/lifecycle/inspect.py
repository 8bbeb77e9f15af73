"""Jobs that look at the provider, or tell it something, without making or removing VMs."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import structlog

from vmpooler_common.model.pool import UntaggedVm
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.retirement.retirement import Guard, Outcome
from vmpooler_common.store.store import Store
from vmpooler_manager.metrics.vms import VmMetrics
from vmpooler_manager.planning.inventory import Listing
from vmpooler_manager.providers.contract import OwnershipTag, ProviderVm, VmRef, VmStatus
from vmpooler_manager.providers.errors import NotFound, PermanentError, ProviderError
from vmpooler_manager.runtime.pool import Pool
from vmpooler_manager.runtime.provider_client import ProviderClient

ANONYMOUS = "anonymous"
"""Owner on the tag of a VM that was handed out without a token."""

log = structlog.get_logger()


class VmInspector:
    """Listings, look-ups of suspects, and notes of who has a VM."""

    def __init__(
        self, store: Store, *, installation: str, clouds: Mapping[str, ProviderClient], metrics: VmMetrics
    ) -> None:
        self._store = store
        self._clouds = clouds
        self._installation = installation
        self._metrics = metrics

    async def list_pool(
        self, pool: Pool, *, started_at: datetime, data_epoch: str, deliver: Callable[[Listing], None]
    ) -> None:
        """List the VMs at the pool's place and deliver them; an error delivers nothing."""
        now = asyncio.get_running_loop().time
        try:
            vms = await pool.cloud.list_vms(pool.order)
        except ProviderError as error:
            permanent_fault = isinstance(error, PermanentError)
            pool.listings.failed(now(), permanent_fault=permanent_fault)
            pool.listing_outage.began(str(error))
            if permanent_fault:
                await self._store.views.mark_broken(pool.name, str(error))
        else:
            pool.listings.succeeded()
            pool.listing_outage.ended()
            deliver(Listing(started_at, tuple(vms), data_epoch))
        pool.poke()

    async def verify_missing(self, pool: Pool, name: str) -> None:
        """Ask the provider for a ready VM that listings miss; set it aside unless the provider has it.

        A listing that is wrong for long would otherwise set aside, and have replaced, whatever is made.
        """
        record = (await self._store.views.classify([name]))[name]
        if record.state != VmState.READY or record.provider != pool.spec.provider:
            return
        try:
            seen = await pool.cloud.inspect(pool.order, VmRef(name, record.attempt, record.provider_id))
        except ProviderError as error:
            if await self._store.retirement.mark_suspect(pool.name, [name]):
                log.warning("ready VM set aside: listings miss it", vm=name, pool=pool.name, error=str(error))
                pool.poke()
            return
        if seen.status is VmStatus.OFF:
            await self._discard(pool, name)
        else:
            log.info("listings miss a VM that is there", vm=name, pool=pool.name)

    async def verify_suspect(self, pool: Pool, name: str, *, bound: int) -> None:
        """Ask the provider for a suspect: back to the ready ones, or given up within the bound."""
        record = (await self._store.views.classify([name]))[name]
        if record.state != VmState.READY or record.provider != pool.spec.provider:
            return
        try:
            seen = await pool.cloud.inspect(pool.order, VmRef(name, record.attempt, record.provider_id))
        except NotFound:
            outcome = await self._store.retirement.retire(
                name,
                VmState.READY,
                operation=new_operation(),
                reason="vanished",
                guard=Guard.UNSEEN,
                bound=bound,
            )
            if outcome is Outcome.OK:
                self._metrics.failed(pool.name, "vanished")
                log.warning("VM vanished", vm=name, pool=pool.name, provider_id=record.provider_id)
        except ProviderError as error:
            log.info("look at a suspect failed", vm=name, pool=pool.name, error=str(error))
        else:
            if seen.status is VmStatus.OFF:
                await self._discard(pool, name)
            elif await self._store.retirement.clear_suspect(pool.name, [name]):
                log.warning("VM is there and ready, though listings miss it", vm=name, pool=pool.name)

    async def annotate(self, pool: Pool, vm: UntaggedVm, *, generation: str) -> None:
        """Note on the VM who has it until when, so that a lost record can't cost the user the VM."""
        tag = OwnershipTag(
            self._installation,
            generation,
            pool.name,
            vm.name,
            vm.attempt,
            owner=vm.user or ANONYMOUS,
            ends_at=vm.ends_at.astimezone(UTC) if vm.ends_at else None,
        )
        # The pool may have moved to another provider since.
        cloud = self._clouds.get(vm.provider, pool.cloud)
        try:
            await cloud.annotate(pool.order, VmRef(vm.name, vm.attempt, vm.provider_id), tag)
        except NotFound:
            log.warning("handed-out VM isn't at its provider", vm=vm.name, pool=pool.name)
        except ProviderError as error:
            log.info("noting the owner on a VM failed", vm=vm.name, pool=pool.name, error=str(error))
            await asyncio.sleep(pool.delays.first.total_seconds())
            pool.poke()
            return
        if not await self._store.views.tagged(pool.name, vm):
            pool.poke()  # what happened to it meanwhile had to wait for this

    async def reinstate(self, pool: Pool, vm: ProviderVm) -> None:
        """Give a ready VM back to whom its tag names; what `annotate` notes is read here."""
        if vm.tag is None or vm.tag.owner is None:
            return
        user = "" if vm.tag.owner == ANONYMOUS else vm.tag.owner
        if await self._store.checkouts.reinstate(
            vm.name,
            operation=new_operation(),
            provider_id=vm.provider_id,
            user=user,
            ends_at=vm.tag.ends_at,
        ):
            log.warning(
                "VM is its user's again: its grant was lost, and its tag tells of it",
                vm=vm.name,
                pool=pool.name,
                provider_id=vm.provider_id,
                user=user or None,
            )

    async def _discard(self, pool: Pool, name: str) -> None:
        outcome = await self._store.retirement.retire(
            name, VmState.READY, operation=new_operation(), reason="powered_off"
        )
        if outcome is Outcome.OK:
            self._metrics.failed(pool.name, "powered_off")
            log.info("VM retired", vm=name, pool=pool.name, reason="powered_off")
