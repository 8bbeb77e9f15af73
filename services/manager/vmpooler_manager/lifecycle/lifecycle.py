"""The work on single VMs, put together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.lifecycle.create import VmCreator
from vmpooler_manager.lifecycle.destroy import VmDestroyer
from vmpooler_manager.lifecycle.failures import CloneFailures
from vmpooler_manager.lifecycle.follow import VmFollower
from vmpooler_manager.lifecycle.free_names import FreeNames
from vmpooler_manager.lifecycle.inspect import VmInspector
from vmpooler_manager.lifecycle.migrate import VmMigrator
from vmpooler_manager.lifecycle.names import NameGenerator
from vmpooler_manager.lifecycle.ownership import VmOwnership
from vmpooler_manager.lifecycle.readiness import PortProbe
from vmpooler_manager.lifecycle.records import VmRecords
from vmpooler_manager.lifecycle.retire import VmRetirer
from vmpooler_manager.metrics import ManagerMetrics
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.runtime.backoff import RetryPolicy
from vmpooler_manager.runtime.dns_client import DnsClient
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.provider_client import ProviderClient


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The work on single VMs, by what is done to them."""

    names: FreeNames
    slots: SlotQueue
    creator: VmCreator
    failures: CloneFailures
    inspector: VmInspector
    ownership: VmOwnership
    migrator: VmMigrator
    records: VmRecords
    retirer: VmRetirer
    destroyer: VmDestroyer


@dataclass(frozen=True, slots=True)
class LifecycleProviders:
    """Where the VMs of any pool are, and how often a provider is asked again."""

    clouds: Mapping[str, ProviderClient]
    clone_spec_of: Callable[[str], CloneSpec]
    """From the name of a pool."""
    retries: RetryPolicy
    dns_clients: Mapping[str, DnsClient]
    """By the names of their entries."""


def build_lifecycle(
    store: Store,
    *,
    identity: ManagerIdentity,
    names: NameGenerator,
    slots: SlotQueue,
    providers: LifecycleProviders,
    max_retries: int,
    metrics: ManagerMetrics,
) -> Lifecycle:
    """Make all of it. `max_retries` failed attempts on one VM of a request fail the request."""
    retirer = VmRetirer(store, slots=slots, max_retries=max_retries, metrics=metrics.vms)
    failures = CloneFailures(store, retirer=retirer, requests=metrics.requests)
    records = VmRecords(store, identity=identity, clients=providers.dns_clients, retirer=retirer)
    follower = VmFollower(
        store,
        slots=slots,
        probe=PortProbe(),
        failures=failures,
        records=records,
        metrics=(metrics.vms, metrics.requests),
    )
    return Lifecycle(
        names=FreeNames(names, metrics=metrics.dns),
        records=records,
        slots=slots,
        creator=VmCreator(store, identity=identity, follower=follower, failures=failures, retirer=retirer),
        failures=failures,
        inspector=VmInspector(store, retirer=retirer),
        ownership=VmOwnership(store, installation=identity.installation, clouds=providers.clouds),
        migrator=VmMigrator(store, clouds=providers.clouds, metrics=metrics.vms),
        retirer=retirer,
        destroyer=VmDestroyer(
            store,
            identity=identity,
            clouds=providers.clouds,
            clone_spec_of=providers.clone_spec_of,
            retries=providers.retries,
            metrics=metrics.vms,
        ),
    )
