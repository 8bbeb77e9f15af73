"""Looks for places of providers that no pool uses any more, and removes what is left there."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.retirement.retirement import Orphan, Outcome
from vmpooler_common.store.store import Store
from vmpooler_manager.metrics import ManagerMetrics
from vmpooler_manager.planning.limits import orphan_bound
from vmpooler_manager.planning.purge import PurgeMemory, PurgePlan, PurgeRules, plan_purge
from vmpooler_manager.providers.contract import CloneSpec, Feature, Place, ProviderVm
from vmpooler_manager.providers.errors import ProviderError
from vmpooler_manager.runtime.clock import ClockGuard
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.provider_client import ProviderClient
from vmpooler_manager.runtime.shared_state import SharedState

FIRST_SECONDS = 30.0
"""From the start of the manager until its first look: by then it knows the pools of others."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PurgedProvider:
    """A provider whose unused places are looked for."""

    cloud: ProviderClient
    pools: Sequence[CloneSpec]
    """All that are configured for it."""
    allowed: frozenset[str]


class PurgeLoop:
    """Looks every `interval`; of several managers the same one, as long as it lives."""

    def __init__(
        self,
        store: Store,
        providers: Sequence[PurgedProvider],
        *,
        identity: ManagerIdentity,
        shared: SharedState,
        clock: ClockGuard,
        every: tuple[timedelta, bool],
        metrics: ManagerMetrics,
    ) -> None:
        self._store = store
        self._providers = providers
        self._identity = identity
        self._shared = shared
        self._clock = clock
        self._interval, self._is_dry_run = every
        self._metrics = metrics
        self._memory: dict[str, PurgeMemory] = {}
        self._told: dict[str, Mapping[str, int]] = {}

    async def run(self) -> None:
        """Look for unused places until cancelled."""
        pause = min(FIRST_SECONDS, self._interval.total_seconds())
        while self._providers:
            await asyncio.sleep(pause)
            pause = self._interval.total_seconds()
            for provider in self._providers:
                try:
                    await self.look(provider)
                except (ProviderError, StoreError) as error:
                    log.warning(EventName.PLACES_UNKNOWN, provider=provider.cloud.name, error=str(error))

    async def look(self, provider: PurgedProvider) -> None:
        """Look once, unless another manager does. Raises ProviderError, StoreError."""
        cloud = provider.cloud
        if Feature.PURGE not in cloud.features or cloud.fault or not self._shared.data_epoch:
            return
        life = self._interval * 3
        now = await self._store.leases.claim_purge(cloud.name, self._identity.name, life=life)
        if now is None:
            self._memory.pop(cloud.name, None)
            return
        places = await cloud.unreferenced(provider.pools)
        records = await self._store.views.classify(sorted({vm.name for place in places for vm in place.vms}))
        rules = PurgeRules(
            self._identity.installation, cloud.create_grace, provider.allowed, self._shared.pools
        )
        memory = self._memory.get(cloud.name, PurgeMemory())
        plan, self._memory[cloud.name] = plan_purge(rules, places, records=records, now=now, memory=memory)
        self._report(cloud.name, plan)
        if not self._is_dry_run and self._clock.was_steady:
            await self._carry_out(cloud, plan)

    async def _carry_out(self, cloud: ProviderClient, plan: PurgePlan) -> None:
        for place, vm in plan.orphans:
            await self._adopt(cloud, place, vm)
        for place in plan.removals:
            await cloud.remove_place(place)
            log.warning(EventName.PLACE_REMOVED, provider=cloud.name, place=place.name)

    async def _adopt(self, cloud: ProviderClient, place: Place, vm: ProviderVm) -> None:
        if vm.tag is None:
            return
        # Its pool is then held like any other that has left the configuration, and is looked at there.
        await self._store.views.remember_place(vm.tag.pool, json.dumps(dict(place.options), sort_keys=True))
        outcome = await self._store.retirement.adopt_orphan(
            Orphan(
                vm.name,
                pool=vm.tag.pool,
                provider=cloud.name,
                domain="",
                provider_id=vm.provider_id,
                attempt=vm.tag.attempt,
                generation=vm.tag.generation,
            ),
            bound=orphan_bound(self._shared.provider_vms(cloud.name)),
        )
        if outcome is Outcome.OK:
            self._metrics.vms.failed(vm.tag.pool, "orphan")
            log.warning(
                EventName.VM_ADOPTED,
                vm=vm.name,
                pool=vm.tag.pool,
                provider_id=vm.provider_id,
                reason=f"an orphan at {place.name}, which no pool uses",
            )

    def _report(self, provider: str, plan: PurgePlan) -> None:
        """Log what is unused when it changes."""
        self._metrics.providers.unused_places(provider, len(plan.unused))
        seen = {place.name: len(place.vms) for place in plan.unused}
        before = self._told.get(provider, {})
        self._told[provider] = seen
        for name, vms in seen.items():
            if before.get(name) != vms:
                log.warning(
                    EventName.PLACE_UNUSED, provider=provider, place=name, vms=vms, dry_run=self._is_dry_run
                )
