"""Puts the manager together from the settings: the list of constructors is the architecture."""

import asyncio
import os
import secrets
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random

from vmpooler_common.config import PoolSettings, ProviderSettings, Settings
from vmpooler_common.config.sections.general import GeneralSection
from vmpooler_common.metrics.backends.from_settings import Reporting, report_as_configured
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.store.core.reconnect import pauses
from vmpooler_common.store.from_settings import store_options
from vmpooler_common.store.store import Store
from vmpooler_manager.inbox.consumer import Consumer
from vmpooler_manager.inbox.requests import RequestAcceptor
from vmpooler_manager.inbox.tasks import TaskWorker
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.lifecycle.create import VmCreator
from vmpooler_manager.lifecycle.destroy import VmDestroyer
from vmpooler_manager.lifecycle.inspect import VmInspector
from vmpooler_manager.lifecycle.names import NameGenerator
from vmpooler_manager.metrics import ManagerMetrics
from vmpooler_manager.planning.planner import PoolSpec
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.providers.errors import PermanentError
from vmpooler_manager.providers.registry import load
from vmpooler_manager.reconcile.executor import Executor
from vmpooler_manager.reconcile.loop import PoolLoop
from vmpooler_manager.reconcile.reconciler import Reconciler, World
from vmpooler_manager.runtime.backoff import Backoff, Delays
from vmpooler_manager.runtime.clock import ClockGuard
from vmpooler_manager.runtime.jobs import Jobs
from vmpooler_manager.runtime.liveness import Liveness
from vmpooler_manager.runtime.pool import CLONE_TARGET, Pool
from vmpooler_manager.runtime.provider_client import ProviderClient
from vmpooler_manager.supervisor.supervisor import LEASE, Supervisor


@dataclass(frozen=True, slots=True)
class Manager:
    """The parts that the process starts, serves and stops."""

    name: str
    store: Store
    clouds: Mapping[str, ProviderClient]
    supervisor: Supervisor
    liveness: Liveness
    metrics: ManagerMetrics
    reporting: Reporting


def assemble(settings: Settings) -> Manager:
    """Make everything; nothing is connected or started yet."""
    general = settings.general
    reporting = report_as_configured(settings)
    backend = reporting.backend
    metrics = ManagerMetrics(backend, counts_use=general.usage_stats)
    options = store_options(settings)
    # Three connections of this process follow the events and the two inboxes, and aren't in the pool.
    link = replace(options.link, size=max(1, options.link.size - 3))
    store = Store.connect(
        replace(options, link=link),
        metrics=metrics.redis,
        connections=ConnectionMetrics(backend, "redis_connection_pool", "manager"),
    )
    clouds = {
        name: _cloud(
            provider,
            connections=ConnectionMetrics(backend, "provider_connection_pool", name),
            parallel_destroys=general.task_limit,
            metrics=metrics,
        )
        for name, provider in settings.providers.items()
    }
    orders = {pool.name: _order(pool) for pool in settings.pools}

    def order_of(pool: str) -> CloneSpec:
        return orders.get(pool) or CloneSpec(pool, template="")

    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    random = Random(secrets.randbits(64))  # noqa: S311 - jitter, no secret
    delays = Delays(
        general.check_loop_delay_min, general.check_loop_delay_max, general.check_loop_delay_decay
    )
    longest = max([delays.longest, *(pool.check_loop_delay_max for pool in settings.pools)])
    liveness = Liveness(longest, asyncio.get_running_loop().time)
    world, jobs, task_jobs, slots, clock = World(), Jobs(), Jobs(), SlotQueue(), ClockGuard()
    looking = VmInspector(store, installation=settings.installation, clouds=clouds, metrics=metrics.vms)
    executor = Executor(
        store,
        manager=name,
        lease=LEASE,
        names=NameGenerator(general.prefix),
        jobs=jobs,
        cloning=VmCreator(
            store,
            manager=name,
            installation=settings.installation,
            lease=LEASE,
            slots=slots,
            max_retries=general.max_vm_retries,
            metrics=metrics.vms,
            requests=metrics.requests,
        ),
        destroying=VmDestroyer(
            store,
            manager=name,
            clouds=clouds,
            order_of=order_of,
            delays=delays,
            random=random,
            metrics=metrics.vms,
        ),
        looking=looking,
        slots=slots,
        metrics=metrics.vms,
        requests=metrics.requests,
    )
    configured = {pool.name: pool for pool in settings.pools}
    listed: dict[str, dict[str, int]] = {}

    def make_loop(pool_name: str, provider: str) -> PoolLoop:
        wanted = configured.get(pool_name)
        spec = _spec(wanted, settings) if wanted else _remnant(pool_name, provider, settings)
        pool_delays = _delays(wanted) if wanted else delays
        pool = Pool(
            spec,
            order=order_of(pool_name),
            domain=wanted.domain if wanted else "",
            cloud=clouds.get(spec.provider) or _missing(spec.provider, metrics),
            delays=pool_delays,
            random=random,
        )
        reconciler = Reconciler(
            pool,
            store,
            world=world,
            listed=listed,
            executor=executor,
            looking=looking,
            jobs=jobs,
            clock=clock,
            installation=settings.installation,
            check_time=general.vm_checktime,
            metrics=(metrics.pools, metrics.providers, metrics.loops, metrics.requests),
        )
        return PoolLoop(
            reconciler,
            backoff=Backoff(pool_delays, random),
            liveness=liveness,
            pool_metrics=metrics.pools,
            loop_metrics=metrics.loops,
        )

    def pauses_anew() -> Iterator[float]:
        return pauses(settings.redis.reconnect_attempts)

    intake = RequestAcceptor(
        store, ttl=general.ondemand_request_ttl, metrics=metrics.requests, inboxes=metrics.inboxes
    )
    task_worker = TaskWorker(
        store,
        manager=name,
        lease=LEASE,
        clouds=clouds,
        order_of=order_of,
        delays=delays,
        random=random,
        at_once=general.task_limit,
        clock=clock,
        jobs=task_jobs,
        metrics=metrics.tasks,
        inboxes=metrics.inboxes,
    )
    supervisor = Supervisor(
        store,
        manager=name,
        pools=tuple(configured),
        make_loop=make_loop,
        world=world,
        jobs=jobs,
        task_worker=task_worker,
        task_jobs=task_jobs,
        slots=slots,
        liveness=liveness,
        clock=clock,
        intake=intake,
        consumers=(
            Consumer(
                store.request_inbox,
                inbox="on-demand",
                manager=name,
                take=intake.take,
                pauses=pauses_anew,
            ),
            Consumer(
                store.task_inbox,
                inbox="task",
                manager=name,
                take=task_worker.take,
                pauses=pauses_anew,
            ),
        ),
        pauses=pauses_anew,
        wait_replicas=settings.redis.wait_replicas,
        metrics=metrics,
    )
    return Manager(name, store, clouds, supervisor, liveness, metrics, reporting)


def _cloud(
    provider: ProviderSettings,
    *,
    connections: ConnectionMetrics,
    parallel_destroys: int,
    metrics: ManagerMetrics,
) -> ProviderClient:
    """Load the driver; without one the cloud has a fault, and only its pools suffer."""
    fault = ""
    driver = None
    try:
        driver = load(provider.name, provider.provider_class, settings=provider.options, metrics=connections)
    except PermanentError as error:
        fault = str(error)
    return ProviderClient(
        provider.name,
        driver,
        fault=fault,
        timeout=provider.operation_timeout,
        parallel_destroys=parallel_destroys,
        metrics=metrics.providers,
    )


def _missing(name: str, metrics: ManagerMetrics) -> ProviderClient:
    return ProviderClient(
        name,
        None,
        fault=f"the provider {name!r} isn't configured any more",
        timeout=timedelta(seconds=1),
        parallel_destroys=1,
        metrics=metrics.providers,
    )


def _order(pool: PoolSettings) -> CloneSpec:
    options = dict(pool.options)
    if pool.clone_target is not None:
        options[CLONE_TARGET] = pool.clone_target
    return CloneSpec(pool.name, pool.template, options)


def _delays(of: PoolSettings | GeneralSection) -> Delays:
    return Delays(of.check_loop_delay_min, of.check_loop_delay_max, of.check_loop_delay_decay)


def _spec(pool: PoolSettings, settings: Settings) -> PoolSpec:
    return PoolSpec(
        name=pool.name,
        provider=pool.provider,
        size=pool.size,
        slot_limit=settings.general.task_limit,
        request_slot_limit=settings.general.ondemand_clone_limit,
        serves_from_ready=settings.general.ondemand_from_ready,
        ready_ttl=pool.ready_ttl,
        timeout=pool.timeout,
        paused=pool.paused,
    )


def _remnant(name: str, provider: str, settings: Settings) -> PoolSpec:
    """What is wanted of a pool that has left the configuration: nothing new, and an end for its VMs."""
    return PoolSpec(
        name=name,
        provider=provider,
        size=0,
        slot_limit=settings.general.task_limit,
        request_slot_limit=settings.general.ondemand_clone_limit,
        serves_from_ready=settings.general.ondemand_from_ready,
        ready_ttl=settings.general.ready_ttl,
        timeout=settings.general.timeout,
        configured=False,
    )
