"""A vmpooler of a test's own: managers in the test's process, a cloud in a file, and users."""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from tests.manager.running_manager import RunningManager
from tests.providers.cloud_file import CloudFile
from tests.support.documents import pooler_document
from tests.support.eventually import DEADLINE, eventually
from tests.support.faulty_provider import DRIVER, Moods
from vmpooler_common.config import Settings, load
from vmpooler_common.model.allowance import Client
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.pools.counts import PoolCounts
from vmpooler_common.store.store import Store

SELDOM = 10
OFTEN = 0.005
"""Minutes between two listings: so seldom that only events and due times cause passes, or 0.3 s."""

Pools = Mapping[str, int | Mapping[str, Any]]


class Site:
    """One installation on one Redis. Its cloud and its data outlive its managers."""

    def __init__(self, directory: Path, store: Store, *, redis_url: str, prefix: str) -> None:
        self.store = store
        self.redis_url = redis_url
        self.prefix = prefix
        self.file = directory / "cloud.sqlite3"
        self.cloud = CloudFile(self.file)
        self.moods = Moods(directory / "moods.json")
        self.managers: list[RunningManager] = []
        self._provider = {
            "provider_class": DRIVER,
            "filename": str(self.file),
            "moods": str(self.moods.path),
            "connection_pool_size": 4,
        }

    def document(
        self,
        pools: Pools,
        *,
        provider: Mapping[str, Any] | None = None,
        listing: float = SELDOM,
        **config: Any,
    ) -> dict[str, Any]:
        """Give the configuration of a manager; `listing` is in minutes, the rest are keys of `config`."""
        return pooler_document(
            redis_url=self.redis_url,
            prefix=self.prefix,
            pools=pools,
            provider={**self._provider, **(provider or {})},
            config={"vm_checktime": listing, "check_loop_delay_min": 0.2, "pool_removal_grace": 0, **config},
        )

    async def start(self, pools: Pools, **options: Any) -> RunningManager:
        """Start a manager; takes the options of `document`."""
        return await self.start_with(self.document(pools, **options))

    async def start_with(self, document: Mapping[str, Any]) -> RunningManager:
        """Start a manager with this configuration."""
        manager = RunningManager(settings_of(document))
        self.managers.append(manager)
        await manager.start()
        return manager

    async def stop(self) -> None:
        """Stop all managers in order."""
        while self.managers:
            await self.managers.pop().stop()

    async def numbers(self, pool: str) -> PoolCounts:
        """Count the VMs of a pool."""
        return (await self.store.views.counts([pool])).pools[pool]

    async def ready(self, pool: str, count: int, *, within: float = DEADLINE) -> list[str]:
        """Wait until the pool has just so many ready VMs and none in the making; give their names."""

        async def inspect() -> bool:
            numbers = await self.numbers(pool)
            assert (numbers.ready, numbers.pending) == (count, 0)
            return True

        await eventually(inspect, within=within)
        return await self.members("ready", pool)

    async def settled(self, *, within: float = DEADLINE, **ready: int) -> None:
        """Wait until pools have so many ready VMs and nothing in the making or on its way out."""

        async def inspect() -> bool:
            for pool, count in ready.items():
                numbers = await self.numbers(pool)
                assert (numbers.ready, numbers.pending, numbers.leaving) == (count, 0, 0), pool
            return True

        await eventually(inspect, within=within)

    async def members(self, state: str, pool: str) -> list[str]:
        """List the names of a pool's VMs in a state, or among its suspects, oldest first."""
        (names,) = await self.store.connection.call(("ZRANGE", f"{self.prefix}:{state}:{pool}", 0, -1))
        return list(names)

    async def take(
        self,
        pool: str,
        count: int = 1,
        *,
        lifetime: timedelta | None = timedelta(hours=1),
        token: str | None = None,
    ) -> list[str]:
        """Hand VMs out to a user; give their names. Raises NoneReady."""
        checkout = await self.store.checkouts.check_out(
            [LineItem(pool, count, [(pool, 1)])],
            operation=new_operation(),
            lifetime=lifetime,
            token=token,
            client=Client(lifetime_with_token=lifetime),
        )
        return [grant.vm for grant in checkout.grants]

    async def release(self, *names: str) -> None:
        """Have a user return VMs."""
        for name in names:
            await self.store.checkouts.release(name, operation=new_operation())

    async def state(self, name: str) -> str:
        """Give the state in a VM's record; "unknown" without one."""
        record, _ = await self.store.checkouts.look_up(name)
        return "unknown" if record is None else record.state.value

    async def reason(self, name: str) -> str | None:
        """Give the reason in a VM's record."""
        record, _ = await self.store.checkouts.look_up(name)
        return None if record is None else record.reason

    async def becomes(self, name: str, state: str, *, within: float = DEADLINE) -> None:
        """Wait until a VM is in this state."""

        async def inspect() -> bool:
            assert await self.state(name) == state
            return True

        await eventually(inspect, within=within)

    def in_cloud(self) -> set[str]:
        """Give the names of all VMs that the cloud has."""
        return {row["name"] for row in self.cloud.vms()}

    def put_back(self, row: Mapping[str, Any]) -> None:
        """Have a VM appear in the cloud again as it was."""
        columns = ", ".join(row)
        values = ", ".join(f":{column}" for column in row)
        with closing(sqlite3.connect(self.file, timeout=10)) as database, database:
            database.execute(f"INSERT INTO vm ({columns}) VALUES ({values})", dict(row))  # noqa: S608

    def row(self, name: str) -> dict[str, Any]:
        """Give what the cloud knows of one VM."""
        [found] = [row for row in self.cloud.vms() if row["name"] == name]
        return found


def settings_of(document: Mapping[str, Any]) -> Settings:
    """Load a document as the manager does."""
    environ = {"VMPOOLER_CONFIG": yaml.safe_dump(dict(document), sort_keys=False)}
    return load(path=None, host=None, port=0, environ=environ, service="manager").settings
