"""Jobs that ask a provider: listings, and single VMs that listings miss. Decisions are `planning`'s."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import assert_never

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.retire import VmRetirer
from vmpooler_manager.planning.actions import ClearSuspects, MarkSuspect, Retire, VerifySuspect
from vmpooler_manager.planning.inspection import after_missing, after_suspicion
from vmpooler_manager.planning.inventory import Listing
from vmpooler_manager.providers.contract import VmRef
from vmpooler_manager.providers.errors import NotFound, PermanentError, ProviderError
from vmpooler_manager.runtime.pool import Pool

log = structlog.get_logger()


class VmInspector:
    """Inspects the VMs of any pool without making or removing one."""

    def __init__(self, store: Store, *, retirer: VmRetirer) -> None:
        self._store = store
        self._retirer = retirer

    async def list_pool(
        self, pool: Pool, *, started_at: datetime, data_epoch: str, deliver: Callable[[Listing], None]
    ) -> None:
        """List the VMs at the pool's place and deliver them; an error delivers nothing."""
        now = asyncio.get_running_loop().time
        try:
            vms = await pool.cloud.list_vms(pool.clone_spec)
        except ProviderError as error:
            is_permanent = isinstance(error, PermanentError)
            pool.listings.failed(now(), reason=str(error), is_permanent=is_permanent)
            pool.listing_outage.began(str(error))
            if is_permanent:
                await self._store.views.mark_broken(pool.name, str(error))
        else:
            pool.listings.succeeded()
            pool.listing_outage.ended()
            deliver(Listing(started_at, vms, data_epoch))
        pool.poke()

    async def verify_missing(self, pool: Pool, name: str) -> None:
        """Ask the provider for a ready VM that listings miss."""
        vm = await self._ready_vm(pool, name)
        if vm is None:
            return
        reason = "listings miss it"
        try:
            seen = await pool.cloud.inspect(pool.clone_spec, vm)
        except ProviderError as error:
            seen, reason = None, f"listings miss it, and asked for it the provider says: {error}"
        action = after_missing(name, seen)
        if action is None:
            log.info(
                EventName.VM_CLEARED, vm=name, pool=pool.name, reason="it is there, though listings miss it"
            )
            return
        await self.apply(pool, action, reason=reason)

    async def verify_suspect(self, pool: Pool, action: VerifySuspect) -> None:
        """Ask the provider for a suspect: it is ready again, or given up within the bound."""
        vm = await self._ready_vm(pool, action.name)
        if vm is None:
            return
        try:
            seen = await pool.cloud.inspect(pool.clone_spec, vm)
        except NotFound:
            seen = None
        except ProviderError as error:
            log.info(EventName.VM_CALL_FAILED, call="inspect", vm=vm.name, pool=pool.name, error=str(error))
            return
        await self.apply(pool, after_suspicion(action.name, seen, bound=action.bound))

    async def apply(
        self, pool: Pool, action: Retire | MarkSuspect | ClearSuspects, *, reason: str = "it is listed again"
    ) -> None:
        """Carry out what was decided about VMs that were inspected."""
        match action:
            case Retire():
                await self._retirer.retire(pool.name, action)
            case MarkSuspect(name):
                if await self._store.retirement.mark_suspect(pool.name, [name]):
                    log.warning(EventName.VM_SUSPECT, vm=name, pool=pool.name, reason=reason)
                    pool.poke()
            case ClearSuspects(names):
                for name in await self._store.retirement.clear_suspect(pool.name, names):
                    log.warning(EventName.VM_CLEARED, vm=name, pool=pool.name, reason=reason)
            case _:
                assert_never(action)

    async def _ready_vm(self, pool: Pool, name: str) -> VmRef | None:
        """Give the VM as its provider knows it, if it is still ready at this pool's provider."""
        record = (await self._store.views.classify([name]))[name]
        if record.state != VmState.READY or record.provider != pool.spec.provider:
            return None
        return VmRef(name, record.attempt, record.provider_id)
