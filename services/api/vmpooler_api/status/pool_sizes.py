"""How large pools are to be, whoever says so."""

from vmpooler_common.config import PoolSettings
from vmpooler_common.store.pools.views import PoolCounts


def size_of(pool: PoolSettings, numbers: PoolCounts) -> int:
    """Give the size that counts: set through the API, else configured."""
    return pool.size if numbers.size is None else numbers.size
