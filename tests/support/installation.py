"""A whole vmpooler of a test's own: managers behind proxies, APIs, a cloud in a file, one Redis."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from redis.asyncio import Redis

from tests.providers.cloud_file import CloudFile
from tests.store.dataset import Dataset, ask, read_dataset
from tests.support.audit import audit
from tests.support.crashing_orders import Orders
from tests.support.crashing_provider import DRIVER, install
from tests.support.documents import pooler_document
from tests.support.ledger import Ledger
from tests.support.proxy import Proxy
from tests.support.redis_server import RedisServer
from tests.support.request_audit import audit_requests, ready_requests
from tests.support.services import Service, ServiceName
from tests.support.stores import make_store
from tests.support.task_audit import audit_tasks
from vmpooler_common.model.vm import VmTask
from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.core.errors import NoneReady
from vmpooler_common.store.core.scripts import new_operation

SETTLED_WITHIN = 60.0
"""Seconds after which a test gives up. All is promised to be whole and full within 15 s, whatever died; a
dozen installations side by side on two busy cores may take longer, and speed isn't tested here."""
LOOK_EVERY = 0.2
LOG_LINES = 80
REQUEST_TTL = timedelta(minutes=5)
"""Far longer than a test: no on-demand request fails for want of time."""

BRISK = {
    "vm_checktime": 0.02,  # minutes: a listing every 1.2 s
    "check_loop_delay_min": 0.2,
}
"""Settings under which a test needn't wait long for what happens now and then."""


class NotSettledError(AssertionError):
    """Something is still wrong at the deadline; the message says what, and holds the services' logs."""


@dataclass(frozen=True, slots=True)
class ManagedProcess:
    """A manager, its own way to Redis, and its driver's orders."""

    service: Service
    proxy: Proxy
    orders: Orders


class Installation:
    """Whoever makes one closes it, which kills every process that it started.

    Pools are given by name and size.
    """

    def __init__(
        self,
        directory: Path,
        redis: RedisServer,
        prefix: str,
        *,
        pools: Mapping[str, int],
        config: Mapping[str, Any] | None = None,
        provider: Mapping[str, Any] | None = None,
    ) -> None:
        """Describe it; nothing runs yet."""
        self.pools = dict(pools)
        self.prefix = prefix
        self.ledger = Ledger()
        self.table = CloudFile(directory / "cloud.sqlite3")
        self.managers: list[ManagedProcess] = []
        self.apis: list[Service] = []
        self.forgotten: set[str] = set()
        """Provider ids of VMs whose records the test has lost on purpose."""
        self._directory = directory
        self._redis = redis
        self._config = {**BRISK, **(config or {})}
        self._provider = dict(provider or {})
        self._module_path = install(directory / "plug-ins")
        self._client = Redis.from_url(redis.url, decode_responses=True, protocol=2)
        self.store = make_store(redis.url, prefix)

    @property
    def services(self) -> list[Service]:
        """Every process, managers first."""
        return [*(manager.service for manager in self.managers), *self.apis]

    async def start_manager(self, **provider: Any) -> ManagedProcess:
        """Start one more manager; keys of the provider beat those of the installation."""
        label = f"manager-{len(self.managers) + 1}"
        proxy = Proxy(self._redis.port)
        orders = Orders(self._directory / f"{label}.orders")
        document = pooler_document(
            redis_url=proxy.url,
            prefix=self.prefix,
            pools=self.pools,
            config=self._config,
            provider={
                "provider_class": DRIVER,
                "filename": str(self._directory / "cloud.sqlite3"),
                "orders": str(orders.path),
                "connection_pool_size": 4,
                **self._provider,
                **provider,
            },
        )
        manager = ManagedProcess(self._service("manager", label, document), proxy, orders)
        self.managers.append(manager)
        await proxy.up()
        await manager.service.start()
        return manager

    async def start_api(self, **environment: str) -> Service:
        """Start one more API, with its connections straight to Redis; variables are added to its own."""
        document = pooler_document(
            redis_url=self._redis.url, prefix=self.prefix, pools=self.pools, config=self._config
        )
        service = self._service("api", f"api-{len(self.apis) + 1}", document, environment)
        self.apis.append(service)
        await service.start()
        return service

    async def dataset(self) -> Dataset:
        """Read all that Redis holds of the installation."""
        return await read_dataset(self._client, self.prefix)

    async def complaints(self) -> list[str]:
        """Say what is not whole, full and at rest just now."""
        dataset = await self.dataset()
        for request, names in ready_requests(dataset).items():
            if request in self.ledger.asked and request not in self.ledger.deleted:
                self.ledger.tell(request, names)
        return [
            *self.ledger.wrongs,
            *audit_requests(
                dataset, self.ledger.asked, deleted=self.ledger.deleted, may_fail=self.ledger.may_fail
            ),
            *audit_tasks(dataset, self.table, self.ledger.tasks),
            *audit(
                dataset,
                self.table,
                pools=self.pools,
                held=self.ledger.held,
                unclear=self.ledger.unclear,
                forgotten=self.forgotten,
            ),
        ]

    async def settles(self, stage: str, *, within: float = SETTLED_WITHIN) -> None:
        """Return when nothing is wrong any more; raise NotSettledError after so many seconds."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while complaints := await self.complaints():
            if loop.time() > deadline or self.ledger.wrongs:
                listed = "\n".join(f"  - {complaint}" for complaint in complaints)
                raise NotSettledError(f"{stage}: after {within:g} s\n{listed}\n{self.logs()}")
            await asyncio.sleep(LOOK_EVERY)

    async def take(self, pool: str, count: int) -> list[str]:
        """Take VMs as an API does, without its process; none when there are too few."""
        wants = [LineItem(pool, count, [(pool, 1)])]
        try:
            checkout = await self.store.checkouts.check_out(wants, operation=new_operation(), lifetime=None)
        except NoneReady:
            return []
        names = [grant.vm for grant in checkout.grants]
        self.ledger.grant(names)
        return names

    async def take_all(self) -> None:
        """Take every VM that is ready."""
        dataset = await self.dataset()
        for pool in self.pools:
            if ready := dataset.members("ready", pool):
                await self.take(pool, len(ready))

    async def release(self, name: str) -> None:
        """Give a VM back as an API does."""
        self.ledger.returning(name)
        await self.store.checkouts.release(name, operation=new_operation())

    async def request_task(self, vm: str, task: VmTask) -> None:
        """Have something done to a running VM, as an API does."""
        self.ledger.tasks.setdefault(vm, []).append(task)
        await self.store.tasks.add(vm, task, token=None, needs_token=False, only_owner=True)

    async def ask(self, request: str, *pools: str, ttl: timedelta = REQUEST_TTL) -> None:
        """Open an on-demand request for a VM of each of these pools, as an API does, to be met in `ttl`."""
        self.ledger.ask(request, pools)
        await self.store.requests.open(
            request,
            [(pool, pool) for pool in pools],
            operation=new_operation(),
            token=None,
            lifetime=None,
            ttl=ttl,
        )

    async def delete(self, request: str) -> None:
        """Delete an on-demand request, as an API does."""
        self.ledger.delete(request)
        await self.store.requests.delete(request, operation=new_operation(), token=None, needs_token=False)

    async def make_token(self, token: str, user: str) -> None:
        """Make a user's token known."""
        key = f"{self.prefix}:token:{token_digest(token)}"
        await ask(self._client, "HSET", key, "user", user, "created", "1700000000000")

    async def meddle(self, command: str, stem: str, *arguments: str) -> None:
        """Run a command on one of the installation's keys, behind everybody's back."""
        await ask(self._client, *command.split(" "), f"{self.prefix}:{stem}", *arguments)

    async def make_orphan(self, pool: str) -> None:
        """Put a VM with our tag and without a record into the cloud."""
        name = f"orphan-of-{pool}"
        self.table.add_foreign_vm(name, place=pool, name=name)
        self.table.change(
            name,
            tag_installation="test",
            tag_generation=(await self.dataset()).entries["generation"].value,
            tag_pool=pool,
            tag_name=name,
            tag_attempt=uuid.uuid4().hex,
        )

    async def make_one_vanish(self, pool: str) -> None:
        """Remove a ready VM from the cloud behind everybody's back."""
        ready = (await self.dataset()).members("ready", pool)
        row = next(row for row in self.table.vms() if row["name"] in ready)
        self.table.remove(row["id"])

    async def lose_everything(self) -> None:
        """Delete all that Redis holds; what the cloud has belongs to nobody then."""
        self.ledger.held.clear()
        self.ledger.asked.clear()
        await self._client.flushall()
        self.forgotten = {row["id"] for row in self.table.vms()}

    async def forget_other_generations(self) -> None:
        """Expect nothing of VMs that were made for a data set that is lost."""
        generation = (await self.dataset()).entries["generation"].value
        rows = self.table.vms()
        self.forgotten = {row["id"] for row in rows if row["tag_generation"] != generation}

    def digest(self, script: str) -> str:
        """Give what a request that runs this script holds."""
        return self.store.scripts.digests[script]

    async def is_shared_by(self, managers: int) -> None:
        """Return when so many managers share all pools; raise NotSettledError when that doesn't come."""
        holders: dict[str, str] = {}
        try:
            async with asyncio.timeout(SETTLED_WITHIN):
                while len(holders) < len(self.pools) or len(set(holders.values())) != managers:
                    await asyncio.sleep(LOOK_EVERY)
                    dataset = await self.dataset()
                    leases = dataset.entries["leases"].value
                    holders = {pool: lease.split(" ", 1)[1] for pool, lease in leases.items()}
        except TimeoutError:
            raise NotSettledError(f"{managers} managers were to share the pools: {holders}") from None

    def logs(self) -> str:
        """Give the end of each service's log."""
        texts = []
        for service in self.services:
            lines = service.log.read_text(errors="replace").splitlines()
            texts += [f"--- {service.label}", *lines[-LOG_LINES:]]
        return "\n".join(texts)

    def kill_all(self) -> None:
        """End every process at once."""
        for service in self.services:
            service.kill()

    async def close(self) -> None:
        """Kill every process and give all connections back."""
        self.kill_all()
        for manager in self.managers:
            await manager.proxy.down()
        await self.store.connection.close()
        await self._client.aclose()

    def _service(
        self,
        name: ServiceName,
        label: str,
        document: Mapping[str, Any],
        environment: Mapping[str, str] | None = None,
    ) -> Service:
        return Service(
            name,
            directory=self._directory,
            document=document,
            environment={"PYTHONPATH": self._module_path, **(environment or {})},
            label=label,
        )
