"""DNS records of VMs: written before a VM is ready, changed with its address, removed when it is gone.

That a VM has records, or may have, is in the store before they are written. Killed at any point, a manager
leaves enough for any other one to go on.
"""

from collections.abc import Mapping
from enum import Enum

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.pool import DnsVm
from vmpooler_common.model.vm import VmState
from vmpooler_common.outages import Outage
from vmpooler_common.store.store import Store
from vmpooler_manager.dns.contract import RecordOwner
from vmpooler_manager.dns.errors import DnsError, DnsMisconfigured, NameTaken
from vmpooler_manager.lifecycle.retire import VmRetirer
from vmpooler_manager.planning.inspection import after_taken_name
from vmpooler_manager.providers.contract import VmRef
from vmpooler_manager.runtime.dns_client import DnsClient
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.pool import Pool

log = structlog.get_logger()


class Publication(Enum):
    """What became of the records of a VM that has booted."""

    DONE = "done"
    WAITING = "waiting"
    """They could not be written; it is to be tried again."""
    OVER = "over"
    """The VM was given up."""


class VmRecords:
    """Records of VMs of any pool."""

    def __init__(
        self,
        store: Store,
        *,
        identity: ManagerIdentity,
        clients: Mapping[str, DnsClient],
        retirer: VmRetirer,
    ) -> None:
        self._store = store
        self._installation = identity.installation
        self._clients = clients
        self._retirer = retirer
        self._outages: dict[str, Outage] = {}
        self._stuck: dict[str, set[str]] = {}
        """Entry -> VMs whose records could not be settled, for reasons of their own."""

    async def publish(self, pool: Pool, vm: VmRef, ip: str) -> Publication:
        """Write the records of a VM that has booted, where they are ours to write."""
        if pool.dns is None or not pool.keeps_records:
            return Publication.DONE
        begun = await self._store.dns_records.begin(vm.name, vm.attempt, dns=pool.dns.name)
        if begun is None:
            return Publication.OVER
        owner = RecordOwner(
            self._installation, begun.generation, begun.provider, pool.name, vm.name, vm.attempt
        )
        try:
            await pool.dns.publish(f"{vm.name}.{begun.domain}".lower(), [ip], owner)
        except NameTaken as error:
            log.warning(EventName.VM_NAME_TAKEN, pool=pool.name, vms=[vm.name], reason=str(error))
            await self._retirer.retire(pool.name, after_taken_name(vm.name, str(error)))
            pool.poke()
            return Publication.OVER
        except DnsError as error:
            pool.obstacles[vm.name] = f"it has no DNS records yet: {error}"
            pool.poke()  # a pass tells
            return Publication.WAITING
        return Publication.DONE

    async def settle(self, pool: Pool, vm: DnsVm, *, generation: str) -> None:
        """Have the records of a VM lead to the address that it has now, or remove them if it is gone."""
        host = f"{vm.name}.{vm.domain}".lower()
        owner = RecordOwner(self._installation, generation, vm.provider, pool.name, vm.name, vm.attempt)
        is_gone = vm.state == VmState.GONE
        client: DnsClient | None = None
        try:
            client = self._client_of(vm, host)
            if client.keeps_records and is_gone:
                await client.remove(host, owner)
            elif client.keeps_records:
                await client.publish(host, [vm.ip], owner)
        except DnsError as error:
            if client is None or isinstance(error, NameTaken):
                self._stuck.setdefault(vm.dns, set()).add(vm.name)
                self._outage(vm.dns).began(str(error))
                delay = pool.retries.longest
            else:
                delay = client.retry_delay
            await self._store.dns_records.defer(pool.name, vm.name, delay=delay)
            pool.poke()
            return
        stuck = self._stuck.get(vm.dns, set())
        stuck.discard(vm.name)
        if not stuck:
            self._outage(vm.dns).ended()
        records = self._store.dns_records
        if is_gone and await records.removed(pool.name, vm.name, vm.attempt):
            log.debug(EventName.VM_RECORDS_REMOVED, vm=vm.name, pool=pool.name, dns=vm.dns)
        elif not is_gone and await records.published(pool.name, vm.name, vm.attempt, ip=vm.ip):
            log.info(EventName.VM_RECORDS_CHANGED, vm=vm.name, pool=pool.name, dns=vm.dns, ip=vm.ip)
        pool.poke()

    def _client_of(self, vm: DnsVm, host: str) -> DnsClient:
        """Give the client that keeps these records: its entry may have another name by now."""
        found = self._clients.get(vm.dns) or next(
            (client for client in self._clients.values() if client.domain == vm.domain), None
        )
        if found is None:
            raise DnsMisconfigured(
                f"dns_configs has no entry {vm.dns!r} any more, which keeps the records of {host}: "
                "put it back, with the class dynamic-dns if they are to stay"
            )
        return found

    def _outage(self, dns: str) -> Outage:
        return self._outages.setdefault(dns, Outage("DNS records of single VMs", dns=dns))
