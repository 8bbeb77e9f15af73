"""The conformance suite for drivers, a plug-in for pytest: see docs/providers.md.

A driver's tests switch it on by pytest's option `-p vmpooler_manager.providers.testing`, subclass the
classes below and give them one fixture, `subject`. Only tests import this folder: vmpooler runs without
pytest.
"""

import pytest

pytest.register_assert_rewrite(
    *(
        f"{__name__}.{module}"
        for module in ("conformance", "feature_conformance", "task_conformance", "subject")
    )
)

from vmpooler_common.metrics.backends.null import NullBackend  # noqa: E402 - asserts are rewritten at import
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics  # noqa: E402
from vmpooler_manager.providers.testing.conformance import (  # noqa: E402
    ProviderConformance,
    SharedCloudConformance,
    SharedPlaceConformance,
)
from vmpooler_manager.providers.testing.feature_conformance import (  # noqa: E402
    LateFailureConformance,
    MigrationConformance,
    PreparationConformance,
    PurgeConformance,
)
from vmpooler_manager.providers.testing.subject import Subject  # noqa: E402
from vmpooler_manager.providers.testing.task_conformance import TaskConformance  # noqa: E402

__all__ = [
    "LateFailureConformance",
    "MigrationConformance",
    "PreparationConformance",
    "ProviderConformance",
    "PurgeConformance",
    "SharedCloudConformance",
    "SharedPlaceConformance",
    "Subject",
    "TaskConformance",
    "unmeasured",
]


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to start where asynchronous tests would not be run."""
    if not config.pluginmanager.hasplugin("asyncio"):
        raise pytest.UsageError("the conformance suite for drivers needs pytest-asyncio")
    if str(config.getoption("asyncio_mode") or config.getini("asyncio_mode")) != "auto":
        raise pytest.UsageError('the conformance suite for drivers needs asyncio_mode = "auto"')


def unmeasured(provider: str = "provider") -> ConnectionMetrics:
    """Make the metrics that a driver is given, in a form that nobody reads."""
    return ConnectionMetrics(NullBackend(), "provider_connection_pool", provider)
