"""The ownership tag of VMs that users have: who has one until when, also when its record is lost."""

import asyncio
from collections.abc import Mapping
from datetime import UTC

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.pool import UntaggedVm
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_manager.providers.contract import OwnershipTag, ProviderVm, VmRef
from vmpooler_manager.providers.errors import NotFound, ProviderError
from vmpooler_manager.runtime.pool import Pool
from vmpooler_manager.runtime.provider_client import ProviderClient

ANONYMOUS = "anonymous"
"""Owner on the tag of a VM that was checked out without a token."""

log = structlog.get_logger()


class VmOwnership:
    """Writes owners on tags, and believes them when a record is lost."""

    def __init__(self, store: Store, *, installation: str, clouds: Mapping[str, ProviderClient]) -> None:
        self._store = store
        self._clouds = clouds
        self._installation = installation

    async def annotate(self, pool: Pool, vm: UntaggedVm, *, generation: str) -> bool:
        """Write on the VM who has it until when, so that a lost record can't cost the user the VM.

        False when that isn't so, or not any more: it is to be written again, or the VM was given back.
        """
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
            await cloud.annotate(pool.clone_spec, VmRef(vm.name, vm.attempt, vm.provider_id), tag)
        except NotFound:
            log.warning(EventName.VM_MISSING, vm=vm.name, pool=pool.name, provider_id=vm.provider_id)
        except ProviderError as error:
            log.info(EventName.VM_CALL_FAILED, call="annotate", vm=vm.name, pool=pool.name, error=str(error))
            await asyncio.sleep(pool.retries.first.total_seconds())
            pool.poke()
            return False
        is_so = await self._store.views.tagged(pool.name, vm)
        if not is_so:
            pool.poke()  # what happened to it meanwhile had to wait for this
        return is_so

    async def reinstate(self, pool: Pool, vm: ProviderVm) -> None:
        """Give a ready VM back to the user whom its tag names; `annotate` wrote the tag."""
        if vm.tag is None or vm.tag.owner is None:
            return
        user = None if vm.tag.owner == ANONYMOUS else vm.tag.owner
        if await self._store.checkouts.reinstate(
            vm.name,
            operation=new_operation(),
            provider_id=vm.provider_id,
            user=user,
            ends_at=vm.tag.ends_at,
        ):
            log.warning(
                EventName.VM_REINSTATED,
                vm=vm.name,
                pool=pool.name,
                provider_id=vm.provider_id,
                user=user,
                reason="its grant was lost, and its tag names its user",
            )
