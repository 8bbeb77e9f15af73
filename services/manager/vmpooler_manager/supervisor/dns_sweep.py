"""Looks for DNS records of ours whose VM is gone, and opens plug-ins that could not be opened."""

import asyncio
from collections.abc import Callable
from datetime import timedelta

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.dns.records import OrphanOutcome
from vmpooler_common.store.store import Store
from vmpooler_manager.dns.contract import OwnedRecords
from vmpooler_manager.dns.errors import DnsError
from vmpooler_manager.lifecycle.lifecycle import LifecycleProviders
from vmpooler_manager.metrics import ManagerMetrics
from vmpooler_manager.planning.limits import orphan_bound
from vmpooler_manager.planning.orphan_records import SweepPlan, SweepRules, plan_sweep
from vmpooler_manager.providers.contract import CloneRef
from vmpooler_manager.providers.errors import CloneFailed, ProviderError
from vmpooler_manager.runtime.dns_client import DnsClient
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.shared_state import SharedState

OPEN_AGAIN_SECONDS = 30.0
APART = timedelta(seconds=30)
"""From a look that found records without a VM until the one that may remove them, at most."""
MOST_NAMED = 20
"""Names that one line of the log holds."""

log = structlog.get_logger()


class DnsSweep:
    """Looks at every domain whose records are ours; of several managers the same one, as long as it lives."""

    def __init__(
        self,
        store: Store,
        providers: LifecycleProviders,
        *,
        identity: ManagerIdentity,
        is_sole: bool,
        shared: SharedState,
        reports: tuple[ManagerMetrics, Callable[[], None]],
    ) -> None:
        """`is_sole`: no other installation has this one's name; `reports`: metrics, and what pokes pools."""
        self._store = store
        self._providers = providers
        self._identity = identity
        self._is_sole = is_sole
        self._shared = shared
        self._metrics, self._poke_all = reports
        self._plans: dict[str, SweepPlan] = {}
        self._told: dict[str, tuple[str, ...]] = {}
        self._outages = {
            name: Outage("looking for orphaned DNS records", dns=name) for name in providers.dns_clients
        }

    async def run(self) -> None:
        """Go on until cancelled."""
        async with asyncio.TaskGroup() as group:
            for client in self._providers.dns_clients.values():
                group.create_task(self._watch(client))

    async def _watch(self, client: DnsClient) -> None:
        await self._open(client)
        interval = client.orphan_check_interval
        while client.keeps_records and interval:
            found = self._plans.get(client.name)
            pause = min(interval, APART) if found and found.seen else interval
            await asyncio.sleep(pause.total_seconds())
            try:
                await self.look(client)
            except (DnsError, StoreError) as error:
                self._outages[client.name].began(str(error))
            else:
                self._outages[client.name].ended()

    async def _open(self, client: DnsClient) -> None:
        """Open a plug-in, and try until it is open; its pools make no VMs until then."""
        if client.has_plugin and await client.open():
            return
        again = f"it is tried again every {OPEN_AGAIN_SECONDS:g} s" if client.has_plugin else "then restart"
        remedy = f"correct dns_configs.{client.name}, or install its plug-in; {again}"
        log.error(EventName.DNS_UNUSABLE, dns=client.name, reason=client.fault, remedy=remedy)
        while client.has_plugin:
            await asyncio.sleep(OPEN_AGAIN_SECONDS)
            if await client.open():
                log.warning(EventName.DNS_READY, dns=client.name)
                self._poke_all()
                return
        await asyncio.Event().wait()

    async def look(self, client: DnsClient) -> None:
        """Look once, unless another manager does. Raises DnsError, StoreError."""
        if not self._shared.data_epoch:
            return
        life = client.orphan_check_interval * 3
        sweep = await self._store.dns_records.claim_sweep(client.name, self._identity.name, life=life)
        if sweep is None or not sweep.generation:
            self._plans.pop(client.name, None)
            return
        owned = await client.owned()
        records = await self._store.views.classify(sorted({one.owner.vm for one in owned}))
        rules = SweepRules(
            self._identity.installation,
            sweep.generation,
            is_sole=self._is_sole,
            apart=min(client.orphan_check_interval, APART) / 2,
        )
        before = self._plans.get(client.name, SweepPlan())
        plan = plan_sweep(rules, owned, records, sweep.now, seen=before.seen)
        self._plans[client.name] = plan
        removed = [one.name for one in plan.suspects if await self._remove(client, one, plan)]
        self._report(client.name, plan, removed)

    async def _remove(self, client: DnsClient, records: OwnedRecords, plan: SweepPlan) -> bool:
        """Remove records whose VM isn't at its provider, within the limit."""
        owner = records.owner
        cloud = self._providers.clouds.get(owner.provider)
        if cloud is None:
            return False
        clone = CloneRef(self._identity.installation, owner.vm, owner.attempt)
        try:
            if await cloud.find(self._providers.clone_spec_of(owner.pool), clone) is not None:
                return False
        except CloneFailed:
            pass  # there is none
        except ProviderError:
            return False  # unknown isn't absent: the next look asks again
        outcome = await self._store.dns_records.count_orphan(
            client.name, owner.vm, owner.attempt, bound=orphan_bound(plan.ours)
        )
        if outcome is not OrphanOutcome.OK:
            return False
        await client.remove(records.name, owner)
        return True

    def _report(self, dns: str, plan: SweepPlan, removed: list[str]) -> None:
        self._metrics.dns.swept(
            dns, orphans=len(plan.suspects), removed=len(removed), foreign=len(plan.foreign)
        )
        names = tuple(one.name for one in plan.suspects)
        if removed or (names and names != self._told.get(dns)):
            log.warning(
                EventName.DNS_ORPHANS,
                dns=dns,
                names=list(names[:MOST_NAMED]),
                count=len(names),
                removed=removed[:MOST_NAMED],
                reason="no VM is known for them; what stays has one at its provider, or is beyond the limit",
            )
        self._told[dns] = names
        if plan.foreign and plan.foreign != self._told.get(f"foreign {dns}"):
            log.warning(
                EventName.DNS_FOREIGN_RECORDS,
                dns=dns,
                names=list(plan.foreign[:MOST_NAMED]),
                count=len(plan.foreign),
                remedy="remove those whose VMs are gone, or set config.installation to a name of your own",
            )
        self._told[f"foreign {dns}"] = plan.foreign
