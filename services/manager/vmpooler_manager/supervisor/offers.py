"""What this manager offers to serve: its configured pools whose provider and DNS it can use."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping

from vmpooler_common.outages import Outage
from vmpooler_common.store.managers.leases import Offer
from vmpooler_manager.metrics.loops import LoopMetrics
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.providers.errors import ProviderError
from vmpooler_manager.runtime.dns_client import DnsClient
from vmpooler_manager.runtime.provider_client import ProviderClient
from vmpooler_manager.supervisor.held_pools import HeldPools

PROBE_SECONDS = 10.0
"""Between attempts at a provider that can't be used while other managers hold its pools."""


class Offers:
    """Watches the providers.

    `provider_of`: the configured pools -> the names of their providers; `dns_of`: those with a domain ->
    where their VMs' names are known.
    """

    def __init__(
        self,
        clouds: Mapping[str, ProviderClient],
        clone_specs: Mapping[str, CloneSpec],
        provider_of: Mapping[str, str],
        dns_of: Mapping[str, DnsClient],
        *,
        held: HeldPools,
        metrics: LoopMetrics,
    ) -> None:
        self._clouds = clouds
        self._clone_specs = clone_specs
        self._provider_of = provider_of
        self._dns_of = dns_of
        self._held = held
        self._metrics = metrics
        self._outages = {name: Outage("provider", provider=name) for name in clouds}
        self._pools_of: dict[str, list[str]] = defaultdict(list)
        for pool, provider in provider_of.items():
            self._pools_of[provider].append(pool)

    def make(self) -> Offer:
        """Say what can be served now."""
        usable = {name for name, cloud in self._clouds.items() if cloud.is_usable}
        for name, outage in self._outages.items():
            if name in usable:
                outage.ended()
            elif not outage.is_on:
                outage.began(self._clouds[name].fault or "its listings fail")
        pools = {
            pool: provider in usable and not self._dns_fault(pool)
            for pool, provider in self._provider_of.items()
        }
        self._metrics.servable(sum(pools.values()))
        return Offer(pools, usable, self._clouds.keys() - usable)

    def complaint(self) -> str:
        """Say that no pool can be served; empty when one can, or none is configured."""
        faults = [self._fault(pool, self._clouds[name]) for pool, name in self._provider_of.items()]
        if not faults or not all(faults):
            return ""
        return f"no pool can be served: {'; '.join(sorted(set(faults)))}"

    def _fault(self, pool: str, cloud: ProviderClient) -> str:
        """Say why this manager can't serve a pool; empty when it can."""
        if not cloud.is_usable:
            return f"{cloud.name}: {cloud.fault or 'its listings fail'}"
        return self._dns_fault(pool)

    def _dns_fault(self, pool: str) -> str:
        dns = self._dns_of.get(pool)
        return f"DNS {dns.name}: {dns.fault}" if dns and dns.fault else ""

    async def probe(self) -> None:
        """List a pool of each provider whose listings fail and of which no pool is held, until cancelled."""
        while True:
            await asyncio.sleep(PROBE_SECONDS)
            for name, cloud in self._clouds.items():
                pools = self._pools_of[name]
                if pools and not cloud.is_usable and not any(map(self._held.get, pools)):
                    await self._list(cloud, pools[0])

    async def _list(self, cloud: ProviderClient, pool: str) -> None:
        try:
            await cloud.list_vms(self._clone_specs[pool])
        except ProviderError:
            return  # it has noted that; the outage that is logged goes on
