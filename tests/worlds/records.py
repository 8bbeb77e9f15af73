"""The store of the small world: the real one, on a real server whose clock the world sets.

What users and operators do goes through the store's verbs; what a crash of Redis does is done to the data.
"""

import asyncio
from collections.abc import Coroutine
from datetime import datetime, timedelta
from itertools import count
from typing import Any, TypeVar

from redis.asyncio import Redis

from tests.store.dataset import Dataset, ask, read_dataset
from tests.support.stores import make_store
from tests.worlds.clocked_server import START, ClockedServer
from tests.worlds.record import NEVER, PROVIDER, Record, SafetyCount
from vmpooler_common.model.allowance import Client
from vmpooler_common.model.overrides import Property
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.access.tokens import LoginAttempt
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.core.errors import NoneReady
from vmpooler_common.store.core.times import from_ms, to_ms
from vmpooler_common.store.pools.overrides import Permission, PoolChange
from vmpooler_common.store.store import Store
from vmpooler_common.store.vms.changes import Access, VmChange

T = TypeVar("T")

PREFIX = "{world}"
USER, TOKEN = "ann", "token-of-ann"
"""A lost grant is reinstated as one with a token, so that its return needs one of the same user."""
ON_DEMAND_LIFETIME = timedelta(hours=2)
LONG = timedelta(days=3650)
"""For deadlines that are no part of the world."""
SETS = ("pending", "ready", "suspect", "stale", "running", "untagged", "completed", "destroying")


class Records:
    """All of one data set, read when it is needed."""

    def __init__(self, server: ClockedServer) -> None:
        self._server = server
        self._runner = asyncio.Runner()
        self.store: Store = make_store(server.url, PREFIX, data_ttl=LONG)
        self._redis: Redis = Redis.from_url(server.url, decode_responses=True, protocol=2)
        self._data: Dataset | None = None
        self._by_name: dict[str, Record] | None = None
        self.safety = SafetyCount()
        self.begin_anew()

    def close(self) -> None:
        """End the connections."""
        self.run(self.store.close())
        self.run(self._redis.aclose())
        self._runner.close()

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Make a call, after which the data may be other than before."""
        self._data = self._by_name = None
        return self._runner.run(call)

    def operation(self) -> str:
        """Make an operation id."""
        return f"operation-{next(self._operations)}"

    def name(self) -> str:
        """Make a name for a VM."""
        return f"vm-{next(self._names):04}"

    def begin_anew(self) -> None:
        """Empty the server, set its clock to the start, and name a new data set.

        Names begin anew, too, so that the same world is the same in all that follows from their order.
        """
        self._operations, self._names = count(), count()
        self.now = START
        self.lose_everything()

    # Time

    @property
    def now(self) -> datetime:
        """Redis's time."""
        return self._server.now

    @now.setter
    def now(self, now: datetime) -> None:
        self._server.now = now
        self._data = self._by_name = None

    # What there is

    @property
    def data(self) -> Dataset:
        """Everything that Redis holds."""
        if self._data is None:
            self._data = self._runner.run(read_dataset(self._redis, PREFIX))
        return self._data

    @property
    def generation(self) -> str:
        """The name of the data set."""
        return str(self.data.entries["generation"].value)

    @property
    def by_name(self) -> dict[str, Record]:
        """Every record, by name: Redis lists keys in another order at each run."""
        if self._by_name is None:
            self._by_name = {name: self._record(name, of) for name, of in sorted(self.data.records.items())}
        return self._by_name

    def of(self, pool: str, state: VmState) -> list[Record]:
        """List the records of a pool in a state; suspects and stale VMs are ready, too."""
        return [vm for vm in self.by_name.values() if vm.pool == pool and vm.state is state]

    def alive(self, pool: str) -> int:
        """Count what fills a pool."""
        return len(self.data.members("pending", pool)) + len(self.data.members("ready", pool))

    def to_check_out(self, pool: str) -> int:
        """Count what is ready and not set aside."""
        return len(self.data.members("ready", pool))

    def backlog(self, pool: str) -> int:
        """Count the VMs that requests want of a pool and don't have."""
        return len(self.data.members("backlog", pool))

    @property
    def slots(self) -> list[str]:
        """Name the VMs whose clone slot hasn't lapsed."""
        return [vm for vm, until in self.data.members("slots").items() if until >= to_ms(self.now)]

    @property
    def slots_in_use(self) -> tuple[int, int]:
        """Count the slots for requests and for pools: of a pool's clones the first go to its backlog."""
        held = self.slots
        clones = {
            name.removeprefix("cloning:"): sum(vm in held for vm in entry.value)
            for name, entry in self.data.entries.items()
            if name.startswith("cloning:")
        }
        for_requests = sum(min(count, self.backlog(pool)) for pool, count in clones.items())
        return for_requests, sum(clones.values()) - for_requests

    def size_of(self, pool: str) -> int | None:
        """Give the size that an operator has set in place of the configured one."""
        entry = self.data.entries.get("size")
        size = entry.value.get(pool) if entry else None
        return None if size is None else int(size)

    @property
    def is_paused(self) -> bool:
        """Whether deletion is paused."""
        paused = self.data.entries.get("deletion_paused")
        return paused is not None and PROVIDER in paused.value

    @property
    def requests(self) -> list[str]:
        """Name the requests that aren't over, and those that have all their VMs."""
        return sorted(
            name.removeprefix("request:")
            for name, entry in self.data.entries.items()
            if name.startswith("request:") and entry.value["status"] in ("open", "ready")
        )

    # What users and operators do

    def check_out(self, pool: str, lifetime: timedelta | None) -> Record | None:
        """Have a user take a VM."""
        items = [LineItem(pool, 1, ((pool, 1),))]
        try:
            checkout = self.run(
                self.store.checkouts.check_out(items, operation=self.operation(), lifetime=lifetime)
            )
        except NoneReady:
            return None
        return self.by_name[checkout.grants[0].vm]

    def open(self, *pools: str) -> None:
        """Have a user ask for a VM of each of these pools; a manager accepts it at once."""
        request = f"request-{next(self._operations):06}"
        self.run(
            self.store.requests.open(
                request,
                [(pool, pool) for pool in pools],
                operation=self.operation(),
                token=None,
                lifetime=ON_DEMAND_LIFETIME,
                client=Client(lifetime_with_token=ON_DEMAND_LIFETIME),
                ttl=LONG,
            )
        )
        self.run(self.store.backlog.accept(request))

    def delete(self, request: str) -> list[str]:
        """Have the user end a request; give the ids of the VMs that it had."""
        returned = self.run(
            self.store.requests.delete(request, operation=self.operation(), token=None, needs_token=False)
        )
        return [vm.provider_id for vm in returned or ()]

    def release(self, vm: str) -> None:
        """Have the user return a VM."""
        self.run(self.store.checkouts.release(vm, operation=self.operation(), token=TOKEN))

    def extend(self, vm: str, lifetime: timedelta) -> Record:
        """Have the user set another lifetime, from the checkout on."""
        change = VmChange(lifetime=lifetime)
        self.run(self.store.changes.modify(vm, change, operation=self.operation(), access=Access.ANYBODY))
        return self.by_name[vm]

    def override(self, pool: str, configured: int, size: int | None) -> None:
        """Have an operator set a size in place of the configured one, or remove it."""
        change = PoolChange(pool, str(configured), "" if size is None else str(size))
        self.run(
            self.store.overrides.override(
                Property.SIZE, [change], permission=Permission(), operation=self.operation()
            )
        )

    def drain(self, pool: str) -> None:
        """Have an operator drain a pool."""
        self.run(self.store.overrides.drain([pool], permission=Permission(), operation=self.operation()))

    def resume_deletion(self) -> None:
        """Have an operator resume deletion."""
        if self.is_paused:
            self.safety.forget()
        self.run(self.store.overrides.resume_deletion(PROVIDER))

    # What a crash of Redis does

    def lose_everything(self) -> None:
        """Forget every key, as FLUSHALL does; a manager then names the new data set."""
        self.safety.forget()
        self.run(ask(self._redis, "FLUSHALL"))
        self.run(self.store.deployment.prepare())
        self.run(self.store.tokens.issue(TOKEN, USER, attempt=LoginAttempt(USER, "here"), ttl=None))

    def lose_record(self, vm: Record) -> None:
        """Forget one VM."""
        self.run(self._forget(vm))

    def lose_grant(self, vm: Record) -> None:
        """Forget that a VM was handed out: an older copy of the data has it ready."""
        self.run(self._unhand(vm))

    async def _forget(self, vm: Record) -> None:
        await ask(self._redis, "DEL", f"{PREFIX}:vm:{vm.name}")
        for stem in SETS:
            await ask(self._redis, "ZREM", f"{PREFIX}:{stem}:{vm.pool}", vm.name)
        for key in ("slots", f"cloning:{vm.pool}", "tasks_due"):
            await ask(self._redis, "ZREM", f"{PREFIX}:{key}", vm.name)

    async def _unhand(self, vm: Record) -> None:
        key, now = f"{PREFIX}:vm:{vm.name}", to_ms(self.now)
        await ask(self._redis, "HDEL", key, "ends", "user", "checkout", "request", "waited", "token")
        await ask(self._redis, "HSETNX", key, "ready", now)
        await ask(self._redis, "HSET", key, "state", "ready", "op", "forgotten")
        await ask(self._redis, "ZREM", f"{PREFIX}:running:{vm.pool}", vm.name)
        await ask(self._redis, "ZREM", f"{PREFIX}:untagged:{vm.pool}", vm.name)
        await ask(self._redis, "ZADD", f"{PREFIX}:ready:{vm.pool}", now, vm.name)

    def _record(self, name: str, of: dict[str, str]) -> Record:
        pool, state = of["pool"], VmState(of["state"])
        ends = self.data.members("running", pool).get(name, 0.0)
        leases = {
            VmState.PENDING: float(of.get("lease") or 0),
            VmState.COMPLETED: self.data.members("completed", pool).get(name, 0.0),
            VmState.DESTROYING: self.data.members("destroying", pool).get(name, 0.0),
        }
        return Record(
            name=name,
            pool=pool,
            provider=of["provider"],
            state=state,
            attempt=of.get("attempt", ""),
            provider_id=of.get("id", ""),
            reason=of.get("reason", ""),
            suspect=name in self.data.members("suspect", pool),
            stale=name in self.data.members("stale", pool),
            untagged=name in self.data.members("untagged", pool),
            ends=NEVER if ends == float("inf") else from_ms(str(int(ends))),
            lease=from_ms(str(int(leases.get(state, 0.0)))),
        )
