"""Pools and clouds as the manager's parts share them, for tests without a store."""

import asyncio
from collections import Counter
from datetime import timedelta
from random import Random

from tests.support.stores import Tally
from tests.unit.manager.views import POOL, pool_spec
from vmpooler_manager.metrics.providers import ProviderMetrics
from vmpooler_manager.providers.contract import CloneSpec, Provider
from vmpooler_manager.runtime.backoff import Delays, RetryPolicy
from vmpooler_manager.runtime.pool import Pool
from vmpooler_manager.runtime.provider_client import ProviderClient

DELAYS = Delays(timedelta(seconds=5), timedelta(seconds=60), 2.0)
CLONE_SPEC = CloneSpec(POOL, template="templates/debian")


def make_cloud(
    provider: Provider | None = None,
    *,
    fault: str = "",
    timeout: timedelta = timedelta(seconds=30),
    parallel_destroys: int = 10,
    tally: Tally | None = None,
) -> ProviderClient:
    """Make the manager's side of a provider called `cloud`."""
    return ProviderClient(
        "cloud",
        provider,
        fault=fault,
        timeout=timeout,
        parallel_destroys=parallel_destroys,
        metrics=ProviderMetrics(tally or Tally()),
    )


def make_pool(name: str = POOL) -> Pool:
    """Make a pool at a cloud that nobody calls."""
    retries = RetryPolicy(DELAYS, Random(1))
    return Pool(pool_spec(name=name), clone_spec=CLONE_SPEC, domain="", cloud=make_cloud(), retries=retries)


async def is_poked(pool: Pool) -> bool:
    """Say whether a pass was asked for since the last one began: then the pool doesn't sleep."""
    try:
        async with asyncio.timeout(0):
            await pool.sleep(60)
    except TimeoutError:
        return False
    return True


def calls_of(tally: Tally) -> Counter[tuple[str, str]]:
    """Count the provider's calls by operation and result."""
    counted: Counter[tuple[str, str]] = Counter()
    for (name, *labels), count in tally.sums.items():
        if name == "provider_calls_total":
            counted[labels[1], labels[2]] += count
    return +counted
