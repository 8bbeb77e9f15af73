"""A manager is killed while it drains pools: what it leaves, another one finishes."""

import asyncio

import pytest

from tests.support.installation import Installation
from tests.support.redis_server import RedisServer
from tests.system.conftest import Install
from vmpooler_common.model.overrides import Property
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.pools.overrides import Permission, PoolChange
from vmpooler_common.store.store import Store

pytestmark = pytest.mark.timeout(240)

POOLS = {f"pool-{number}": 8 for number in range(4)}
NEW = "templates/new"


async def _set_template(store: Store) -> None:
    changes = [PoolChange(pool, f"templates/{pool}", NEW) for pool in POOLS]
    await store.overrides.override(
        Property.TEMPLATE, changes, permission=Permission(), operation=new_operation()
    )


async def _has_begun(installation: Installation) -> None:
    """Return when some of the old VMs are on their way out."""
    while not any(  # noqa: ASYNC110 - nothing tells of it but the data
        record.get("reason") == "drained" for record in (await installation.dataset()).records.values()
    ):
        await asyncio.sleep(0.01)


async def test_all_pools_are_full_of_new_vms_though_a_manager_died_in_a_drain(
    install: Install, redis_server: RedisServer
) -> None:
    installation = install(redis_server, pools=POOLS)
    for _ in range(2):
        await installation.start_manager(destroyvm_max_time=0.5)
    await installation.is_shared_by(2)
    await installation.settles("before the drain")
    taken = await installation.take("pool-0", 2)
    await _set_template(installation.store)
    async with asyncio.timeout(60):
        await _has_begun(installation)
    installation.managers[0].service.kill()
    await installation.settles("a drain whose manager died")
    old = {row["name"] for row in installation.table.vms() if row["template"] != NEW}
    assert old == set(taken)
