"""A listing may fail, lack VMs or be empty, and all records may be lost: no VM dies of that."""

import asyncio

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.http import patient_client
from tests.support.installation import Installation
from tests.support.redis_server import RedisServer
from tests.support.services import Service
from tests.system.conftest import Install

LISTINGS = 6
"""So many a pool; three in a row must miss a VM before anything is concluded from that."""
POOLS = {"many": 6, "single": 1}
"""A partial listing of a single VM is an empty one."""


async def listings(manager: Service) -> float:
    """Read how often the manager has asked for a listing, whatever came of it."""
    async with patient_client() as client:
        text = (await client.get(f"{manager.base_url}/prometheus")).text
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "vmpooler_provider_calls_total" and sample.labels["operation"] == "list_vms"
    )


async def listed(manager: Service, times: int) -> None:
    """Return when the manager has asked for so many more listings of each pool."""
    wanted = await listings(manager) + times * len(POOLS)
    async with asyncio.timeout(60):
        while await listings(manager) < wanted:  # noqa: ASYNC110 - metrics give no events
            await asyncio.sleep(0.2)


async def full(install: Install, redis: RedisServer) -> Installation:
    """Make an installation with ready and running VMs and no manager."""
    installation = install(redis, pools=POOLS, config={"check_loop_delay_max": 1})
    manager = await installation.start_manager()
    await installation.settles("at first")
    await installation.take("many", 2)
    await installation.take("single", 1)
    await installation.settles("some taken")
    await manager.service.stop()
    return installation


@pytest.mark.parametrize("fault", ["listvms_fail_percent", "listvms_partial_percent"])
async def test_listings_that_fail_or_are_silently_incomplete_destroy_nothing(
    fault: str, install: Install, redis_server: RedisServer
) -> None:
    installation = await full(install, redis_server)
    before = {row["id"] for row in installation.table.vms()}
    manager = await installation.start_manager(**{fault: 100, "seed": 7})
    await listed(manager.service, LISTINGS)
    after = {row["id"]: row["powered_on"] for row in installation.table.vms()}
    assert before <= after.keys()
    assert all(after.values())
    await manager.service.stop()
    await installation.start_manager()
    await installation.settles("listings complete again")


async def test_the_loss_of_all_records_destroys_no_vm(
    install: Install, own_redis_server: RedisServer
) -> None:
    installation = await full(install, own_redis_server)
    running = installation.ledger.held
    lost = {row["id"] for row in installation.table.vms()}
    assert {row["name"] for row in installation.table.vms()} > running
    manager = await installation.start_manager()
    await installation.lose_everything()
    await installation.settles("all records lost")
    await listed(manager.service, LISTINGS)
    await installation.settles("all records lost, and looked at often")
    assert lost <= {row["id"] for row in installation.table.vms() if row["powered_on"]}
