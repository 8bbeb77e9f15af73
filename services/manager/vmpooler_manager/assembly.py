"""Puts the manager together from the settings: the list of constructors is the architecture.

One builder for each folder, from the outside in: providers, lifecycle, inbox, reconcile, supervisor.
"""

import asyncio
import os
import secrets
import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from random import Random

from vmpooler_common.config import Settings
from vmpooler_common.metrics.backends.from_settings import Reporting, report_as_configured
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.store.core.reconnect import pauses
from vmpooler_common.store.from_settings import store_options
from vmpooler_common.store.store import Store
from vmpooler_manager.inbox.consumer import Consumer
from vmpooler_manager.inbox.requests import RequestAcceptor
from vmpooler_manager.inbox.tasks import TaskProviders, TaskWorker
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.lifecycle.lifecycle import Lifecycle, LifecycleProviders, build_lifecycle
from vmpooler_manager.lifecycle.names import NameGenerator
from vmpooler_manager.metrics import ManagerMetrics
from vmpooler_manager.pool_specs import (
    clone_spec,
    delays_of,
    longest_pause,
    pool_spec,
    purged_providers,
    spec_of_absent_pool,
)
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.reconcile.executor import Executor
from vmpooler_manager.reconcile.listings import PoolListings
from vmpooler_manager.reconcile.loop import PoolLoop
from vmpooler_manager.reconcile.observer import Observer
from vmpooler_manager.reconcile.reconciler import Reconciler
from vmpooler_manager.reconcile.reporting import Reporter
from vmpooler_manager.runtime.backoff import Backoff, RetryPolicy
from vmpooler_manager.runtime.clock import ClockGuard
from vmpooler_manager.runtime.dns_client import DnsClient, open_dns_clients
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.jobs import Jobs
from vmpooler_manager.runtime.liveness import Liveness
from vmpooler_manager.runtime.pool import Pool
from vmpooler_manager.runtime.provider_client import ProviderClient, open_clients, removed_provider
from vmpooler_manager.runtime.shared_state import SharedState
from vmpooler_manager.supervisor.dns_sweep import DnsSweep
from vmpooler_manager.supervisor.event_router import EventRouter
from vmpooler_manager.supervisor.heartbeat import HeartbeatLoop
from vmpooler_manager.supervisor.held_pools import HeldPools
from vmpooler_manager.supervisor.offers import Offers
from vmpooler_manager.supervisor.purge import PurgeLoop
from vmpooler_manager.supervisor.supervisor import LEASE, Inboxes, Supervisor


@dataclass(frozen=True, slots=True)
class Manager:
    """The parts that the process starts, serves and stops."""

    name: str
    store: Store
    clouds: Mapping[str, ProviderClient]
    dns_clients: Mapping[str, DnsClient]
    supervisor: Supervisor
    liveness: Liveness
    metrics: ManagerMetrics
    reporting: Reporting


@dataclass(frozen=True, slots=True)
class _Base:
    """What all builders use."""

    settings: Settings
    identity: ManagerIdentity
    store: Store
    metrics: ManagerMetrics
    clouds: Mapping[str, ProviderClient]
    dns_clients: Mapping[str, DnsClient]
    retries: RetryPolicy
    liveness: Liveness
    clock: ClockGuard
    shared: SharedState
    slots: SlotQueue
    jobs: Jobs
    task_jobs: Jobs
    clone_specs: Mapping[str, CloneSpec]

    def clone_spec_of(self, pool: str) -> CloneSpec:
        """Give what the VMs of a pool are made from, nothing for one that isn't configured any more."""
        return self.clone_specs.get(pool) or CloneSpec(pool, template="")

    @property
    def providers(self) -> LifecycleProviders:
        """What the work on VMs needs of clouds and name servers."""
        return LifecycleProviders(self.clouds, self.clone_spec_of, self.retries, self.dns_clients)

    def pauses(self) -> Iterator[float]:
        """Give the pauses between attempts to reach Redis."""
        return pauses(self.settings.redis.reconnect_attempts)


def assemble(settings: Settings) -> Manager:
    """Make everything; nothing is connected or started yet."""
    reporting = report_as_configured(settings)
    metrics = ManagerMetrics(reporting.backend, counts_use=settings.general.usage_stats)
    random = Random(secrets.randbits(64))  # noqa: S311 - jitter, no secret
    base = _Base(
        settings=settings,
        identity=ManagerIdentity(
            f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}", LEASE, settings.installation
        ),
        store=_build_store(settings, reporting, metrics),
        metrics=metrics,
        clouds=open_clients(settings, backend=reporting.backend, metrics=metrics.providers),
        dns_clients=open_dns_clients(settings, metrics=metrics.dns, random=random),
        retries=RetryPolicy(delays_of(settings.general), random),
        liveness=Liveness(longest_pause(settings), asyncio.get_running_loop().time),
        clock=ClockGuard(),
        shared=SharedState(),
        slots=SlotQueue(),
        jobs=Jobs(),
        task_jobs=Jobs(),
        clone_specs={pool.name: clone_spec(pool) for pool in settings.pools},
    )
    inboxes = _build_inboxes(base)
    make_loop = _build_reconcile(base, _build_lifecycle(base))
    supervisor = _build_supervisor(base, inboxes, make_loop)
    connected = base.store, base.clouds, base.dns_clients
    return Manager(base.identity.name, *connected, supervisor, base.liveness, metrics, reporting)


def _build_store(settings: Settings, reporting: Reporting, metrics: ManagerMetrics) -> Store:
    options = store_options(settings)
    # Three connections of this process follow the events and the two inboxes, and aren't in the pool.
    redis = replace(options.redis, size=max(1, options.redis.size - 3))
    return Store.connect(
        replace(options, redis=redis),
        metrics=metrics.redis,
        connections=ConnectionMetrics(reporting.backend, "redis_connection_pool", "manager"),
    )


def _build_lifecycle(base: _Base) -> Lifecycle:
    return build_lifecycle(
        base.store,
        identity=base.identity,
        names=NameGenerator(base.settings.general.prefix),
        slots=base.slots,
        providers=base.providers,
        max_retries=base.settings.general.max_vm_retries,
        metrics=base.metrics,
    )


def _build_inboxes(base: _Base) -> Inboxes:
    requests = RequestAcceptor(
        base.store,
        ttl=base.settings.general.ondemand_request_ttl,
        metrics=base.metrics.requests,
        inboxes=base.metrics.inboxes,
    )
    tasks = TaskWorker(
        base.store,
        identity=base.identity,
        providers=TaskProviders(
            base.clouds,
            base.clone_spec_of,
            at_once=base.settings.general.task_limit,
            shared=base.shared,
        ),
        retries=base.retries,
        clock=base.clock,
        jobs=base.task_jobs,
        metrics=base.metrics,
    )
    name, store = base.identity.name, base.store
    consumers = (
        Consumer(
            store.request_inbox, inbox="on-demand", manager=name, take=requests.take, pauses=base.pauses
        ),
        Consumer(store.task_inbox, inbox="task", manager=name, take=tasks.take, pauses=base.pauses),
    )
    return Inboxes(requests, tasks, consumers, base.clock)


def _build_reconcile(base: _Base, lifecycle: Lifecycle) -> Callable[[str, str], PoolLoop]:
    settings, metrics = base.settings, base.metrics
    configured = {pool.name: pool for pool in settings.pools}
    executor = Executor(
        base.store, identity=base.identity, lifecycle=lifecycle, jobs=base.jobs, metrics=metrics
    )

    def make_loop(name: str, provider: str) -> PoolLoop:
        wanted = configured.get(name)
        spec = pool_spec(wanted, settings) if wanted else spec_of_absent_pool(name, provider, settings)
        retries = RetryPolicy(delays_of(wanted), base.retries.random) if wanted else base.retries
        pool = Pool(
            spec,
            clone_spec=base.clone_spec_of(name),
            domain=wanted.domain if wanted else "",
            cloud=base.clouds.get(spec.provider) or removed_provider(spec.provider, metrics.providers),
            retries=retries,
            dns=base.dns_clients.get(wanted.dns_entry) if wanted and wanted.dns_entry else None,
        )
        reporter = Reporter(pool, base.store, metrics=metrics)
        listings = PoolListings(
            pool,
            inspector=lifecycle.inspector,
            jobs=base.jobs,
            shared=base.shared,
            installation=base.identity.installation,
            check_time=settings.general.vm_checktime,
        )
        observer = Observer(
            pool,
            base.store,
            listings=listings,
            reporter=reporter,
            jobs=base.jobs,
            clock=base.clock,
            shared=base.shared,
        )
        return PoolLoop(
            Reconciler(pool, observer=observer, executor=executor, reporter=reporter),
            backoff=Backoff(retries),
            liveness=base.liveness,
            pool_metrics=metrics.pools,
            loop_metrics=metrics.loops,
        )

    return make_loop


def _build_supervisor(base: _Base, inboxes: Inboxes, make_loop: Callable[[str, str], PoolLoop]) -> Supervisor:
    held = HeldPools(
        make_loop,
        configured=tuple(pool.name for pool in base.settings.pools),
        slots=base.slots,
        metrics=base.metrics,
    )
    offers = Offers(
        base.clouds,
        base.clone_specs,
        {pool.name: pool.provider for pool in base.settings.pools},
        {pool.name: base.dns_clients[pool.dns_entry] for pool in base.settings.pools if pool.dns_entry},
        held=held,
        metrics=base.metrics.loops,
    )
    heartbeat = HeartbeatLoop(
        base.store,
        held,
        identity=base.identity,
        shared=base.shared,
        liveness=base.liveness,
        pauses=base.pauses,
        wait_replicas=base.settings.redis.wait_replicas,
    )
    events = EventRouter(
        base.store.events,
        held,
        slots=base.slots,
        shared=base.shared,
        beat=heartbeat.beat,
        pauses=base.pauses,
        metrics=base.metrics.loops,
    )
    purge = PurgeLoop(
        base.store,
        purged_providers(base.settings, base.clouds),
        identity=base.identity,
        shared=base.shared,
        clock=base.clock,
        every=(base.settings.upkeep.purge_interval, base.settings.upkeep.purge_dry_run),
        metrics=base.metrics,
    )
    dns_sweep = DnsSweep(
        base.store,
        base.providers,
        identity=base.identity,
        is_sole=bool(base.settings.general.installation),
        shared=base.shared,
        reports=(base.metrics, held.poke_all),
    )
    return Supervisor(
        base.store,
        held,
        heartbeat=heartbeat,
        offers=offers,
        loops=(events, purge, dns_sweep),
        inboxes=inboxes,
        jobs=(base.jobs, base.task_jobs),
    )
