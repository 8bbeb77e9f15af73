"""Many users, a bad cloud, changed minds: every request ends right, and no VM is lost or shared."""

import asyncio
from collections.abc import Mapping
from random import Random
from statistics import median

import pytest

from tests.store.dataset import Dataset
from tests.support.installation import Installation
from tests.support.ondemand_users import OndemandUsers
from tests.support.redis_server import RedisServer
from tests.system.conftest import Install

SEED = 30
POOLS = {"left": 0, "middle": 0, "right": 0, "warm": 4}
USERS = 20
AT_ONCE = 3
"""Requests that each user has open."""
MOST_VMS = 5
CLONES_AT_ONCE = 40
BAD_CLOUD = {
    "createvm_max_time": 0.2,
    "vmready_max_time": 0.2,
    "destroyvm_max_time": 0.1,
    "createvm_fail_percent": 30,
    "createvm_orphan_percent": 10,
    "seed": SEED,
}
WHOLE_WITHIN = 60.0


async def at_work(install: Install, redis: RedisServer) -> tuple[Installation, list[str]]:
    """Give an installation with a bad cloud, and its users' tokens."""
    installation = install(
        redis,
        pools=POOLS,
        config={
            "check_loop_delay_min": 0.1,
            "check_loop_delay_max": 2,
            "ondemand_clone_limit": CLONES_AT_ONCE,
            "ondemand_request_ttl": 10,
        },
        provider=BAD_CLOUD,
    )
    await asyncio.gather(
        *(installation.start_manager() for _ in range(2)),
        installation.start_api(VMPOOLER_DEBUG="true", AUTH_PROVIDER="dummy"),
    )
    tokens = [f"token-{number}" for number in range(USERS)]
    for token in tokens:
        await installation.make_token(token, user=f"user of {token}")
    return installation, tokens


def waits(dataset: Dataset, asked: Mapping[str, Mapping[str, int]]) -> dict[int, list[float]]:
    """Give the seconds from wanted to ready: number of VMs → of each request that is ready."""
    found: dict[int, list[float]] = {}
    for request, pools in asked.items():
        record = dataset.entries[f"request:{request}"].value
        if record["status"] == "ready":
            seconds = (int(record["ended"]) - int(record["created"])) / 1000
            found.setdefault(sum(pools.values()), []).append(seconds)
    return found


@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("requests", "delete_percent"),
    [(500, 0), (200, 40)],
    ids=["all-are-waited-for", "many-are-deleted"],
)
async def test_every_request_ends_with_all_that_it_asked_for_or_a_reason_and_nothing_leaks(
    install: Install, redis_server: RedisServer, requests: int, delete_percent: float
) -> None:
    installation, tokens = await at_work(install, redis_server)
    installation.ledger.may_fail = True
    users = OndemandUsers(installation.apis[0], installation.ledger, pools=list(POOLS), random=Random(SEED))
    await users.work(
        tokens, requests=requests, at_once=AT_ONCE, most_vms=MOST_VMS, delete_percent=delete_percent
    )
    by_count = waits(await installation.dataset(), installation.ledger.asked)
    print(  # shown when the test fails, and with -s
        f"{users.ready} ready, {len(users.reasons)} failed, {users.deleted} deleted;",
        {count: f"{len(by_count[count])} in {median(by_count[count]):.2f} s" for count in sorted(by_count)},
    )
    await installation.settles("the storm is over", within=WHOLE_WITHIN)
    assert users.ready + len(users.reasons) + users.deleted == requests
    assert all(users.reasons)
    assert users.ready > requests / 4
