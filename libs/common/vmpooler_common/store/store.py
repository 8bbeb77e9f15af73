"""The store as one object, put together once per process."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.catalogues.redis import RedisMetrics
from vmpooler_common.store.access.rates import Rates
from vmpooler_common.store.access.tokens import Tokens
from vmpooler_common.store.checkout.checkouts import Checkouts
from vmpooler_common.store.clones.clones import Clones
from vmpooler_common.store.core.connection import RedisConnection, RedisOptions
from vmpooler_common.store.core.events import Events
from vmpooler_common.store.core.inbox import Inbox
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.deployment import Deployment
from vmpooler_common.store.dns.records import DnsRecords
from vmpooler_common.store.managers.leases import Leases
from vmpooler_common.store.pools.overrides import PoolChanges
from vmpooler_common.store.pools.statistics import Statistics
from vmpooler_common.store.pools.views import Views
from vmpooler_common.store.requests.backlog import Backlog
from vmpooler_common.store.requests.positions import QueuePositions
from vmpooler_common.store.requests.requests import ReplicaWait, Requests
from vmpooler_common.store.retirement.retirement import Retirement
from vmpooler_common.store.tasks.leases import TaskLeases
from vmpooler_common.store.tasks.tasks import Tasks
from vmpooler_common.store.vms.changes import Changes
from vmpooler_common.store.vms.migrations import Migrations


@dataclass(frozen=True, slots=True)
class StoreOptions:
    """How the store behaves; `redis` says where Redis is."""

    redis: RedisOptions
    prefix: str = "{vmpooler}"
    installation: str = "vmpooler"
    """Name of the installation that the data must belong to."""
    data_ttl: timedelta = timedelta(hours=168)
    """How long the record of a gone VM is kept."""
    wait_replicas: int = 0
    wait_timeout: timedelta = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Store:
    """All verbs, by who uses them."""

    connection: RedisConnection
    scripts: Scripts
    deployment: Deployment
    checkouts: Checkouts
    changes: Changes
    migrations: Migrations
    dns_records: DnsRecords
    tokens: Tokens
    views: Views
    statistics: Statistics
    clones: Clones
    retirement: Retirement
    leases: Leases
    events: Events
    requests: Requests
    positions: QueuePositions
    backlog: Backlog
    request_inbox: Inbox
    tasks: Tasks
    task_leases: TaskLeases
    task_inbox: Inbox
    rates: Rates
    overrides: PoolChanges

    @classmethod
    def connect(cls, options: StoreOptions, *, metrics: RedisMetrics, connections: ConnectionMetrics) -> Self:
        """Put the store together; connections are made when they are needed."""
        connection = RedisConnection(options.redis, metrics=metrics, connections=connections)
        keys = Keys(options.prefix)
        scripts = Scripts(connection, keys)
        return cls(
            connection=connection,
            scripts=scripts,
            deployment=Deployment(connection, scripts, keys, installation=options.installation),
            checkouts=Checkouts(
                connection,
                scripts,
                keys,
                wait_replicas=options.wait_replicas,
                wait_timeout=options.wait_timeout,
            ),
            tokens=Tokens(connection, scripts, keys),
            changes=Changes(scripts),
            migrations=Migrations(scripts),
            dns_records=DnsRecords(scripts, data_ttl=options.data_ttl),
            views=Views(scripts, keys),
            statistics=Statistics(connection, keys),
            clones=Clones(scripts),
            retirement=Retirement(scripts, data_ttl=options.data_ttl),
            leases=Leases(scripts, installation=options.installation),
            events=Events(connection, keys),
            requests=Requests(
                connection,
                scripts,
                keys,
                data_ttl=options.data_ttl,
                wait=ReplicaWait(options.wait_replicas, options.wait_timeout),
            ),
            positions=QueuePositions(scripts),
            backlog=Backlog(scripts),
            request_inbox=Inbox(connection, scripts, keys, stem="requests"),
            tasks=Tasks(scripts),
            task_leases=TaskLeases(scripts),
            task_inbox=Inbox(connection, scripts, keys, stem="tasks"),
            rates=Rates(scripts),
            overrides=PoolChanges(scripts),
        )

    async def close(self) -> None:
        """Let calls end, then disconnect."""
        await self.connection.close()
