"""Moves VMs to better hosts soon after their checkout, where the cloud can do that."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.features import Feature
from vmpooler_common.model.pool import UntaggedVm
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_manager.metrics.vms import VmMetrics
from vmpooler_manager.providers.contract import VmRef
from vmpooler_manager.providers.errors import ProviderError
from vmpooler_manager.runtime.pool import Pool
from vmpooler_manager.runtime.provider_client import ProviderClient

MARGIN = timedelta(minutes=1)
"""Beyond the longest time of a migration, until its place is free whatever became of its manager."""

log = structlog.get_logger()


class VmMigrator:
    """Moves VMs of any pool. What is lost with a manager is only that a VM stays where it is."""

    def __init__(self, store: Store, *, clouds: Mapping[str, ProviderClient], metrics: VmMetrics) -> None:
        self._store = store
        self._clouds = clouds
        self._metrics = metrics

    async def migrate(self, pool: Pool, vm: UntaggedVm, *, limit: int) -> None:
        """Have the provider move a VM if it knows a better host, unless `limit` VMs are being moved."""
        cloud = self._clouds.get(vm.provider, pool.cloud)
        if Feature.MIGRATION not in cloud.features:
            return
        life = cloud.timeout + MARGIN
        source = await self._store.migrations.begin(
            vm.name, vm.attempt, operation=new_operation(), limit=limit, life=life
        )
        if source is None:
            return
        started, host = asyncio.get_running_loop().time(), None
        try:
            seen = await cloud.migrate(pool.clone_spec, VmRef(vm.name, vm.attempt, vm.provider_id))
            host = seen.host
        except ProviderError as error:
            self._metrics.migration_failed(pool.name)
            log.info(EventName.VM_CALL_FAILED, call="migrate", vm=vm.name, pool=pool.name, error=str(error))
        if await self._store.migrations.end(vm.name, vm.attempt, host=host) and host is not None:
            seconds = asyncio.get_running_loop().time() - started
            self._metrics.migrated(pool.name, seconds, source=source, target=host)
            log.info(
                EventName.VM_MIGRATED, vm=vm.name, pool=pool.name, source=source, host=host, user=vm.user
            )
        pool.poke()  # what happened to the VM meanwhile had to wait for this
