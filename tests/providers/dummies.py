"""A dummy provider for the length of a block."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.providers.dummy import DummyProvider
from vmpooler_manager.providers.testing import unmeasured

POOL = CloneSpec(name="debian-12", template="templates/debian-12")


@asynccontextmanager
async def dummy(metrics: ConnectionMetrics | None = None, **settings: Any) -> AsyncIterator[DummyProvider]:
    """Open a dummy provider with these settings for the length of the block."""
    provider = DummyProvider("dummy", settings, metrics or unmeasured())
    await provider.open()
    try:
        yield provider
    finally:
        await provider.close()
