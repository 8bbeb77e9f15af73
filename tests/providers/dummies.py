"""A dummy provider for the length of a block, and its settings alone."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.providers.dummy.provider import DummyProvider
from vmpooler_manager.providers.dummy.settings import DummySettings
from vmpooler_manager.providers.settings import read_settings
from vmpooler_manager.providers.testing import unmeasured

POOL = CloneSpec(name="debian-12", template="templates/debian-12")


@asynccontextmanager
async def dummy(metrics: ConnectionMetrics | None = None, **settings: Any) -> AsyncIterator[DummyProvider]:
    """Open a dummy provider with these settings for the length of the block."""
    written = {key: str(value) if isinstance(value, Path) else value for key, value in settings.items()}
    provider = DummyProvider("dummy", written, metrics or unmeasured())
    await provider.open()
    try:
        yield provider
    finally:
        await provider.close()


def dummy_settings(configured: Mapping[str, Any]) -> DummySettings:
    """Read the settings of a dummy provider."""
    return read_settings(DummySettings, "dummy", configured)
