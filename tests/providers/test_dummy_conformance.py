"""The dummy provider under the conformance suite: in memory, in a file, and slow."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.providers.dummies import dummy
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.providers.dummy.settings import DummySettings
from vmpooler_manager.providers.testing import (
    LateFailureConformance,
    MigrationConformance,
    PreparationConformance,
    ProviderConformance,
    PurgeConformance,
    SharedCloudConformance,
    SharedPlaceConformance,
    Subject,
    TaskConformance,
)

POOL = CloneSpec(name="debian-12", template="templates/debian-12", options={"folder": "Pooled VMs/linux"})
NEIGHBOUR = CloneSpec(
    name="debian-13", template="templates/debian-13", options={"folder": "Pooled VMs/linux"}
)
ELSEWHERE = CloneSpec(name="windows-11", template="templates/windows-11")


UNPREPARABLE = CloneSpec(name="solaris-11", template="templates/solaris-11")
TEMPLATES = [POOL.template, NEIGHBOUR.template, ELSEWHERE.template]


class FeatureConformance(TaskConformance, PreparationConformance, MigrationConformance, PurgeConformance):
    """Everything that clouds may be able to do."""


class TestDummyInMemory(ProviderConformance, FeatureConformance, SharedPlaceConformance):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Subject]:
        async with dummy(templates=TEMPLATES) as provider:
            yield Subject(
                provider=provider,
                pool=POOL,
                elsewhere=ELSEWHERE,
                neighbour=NEIGHBOUR,
                settings=DummySettings,
                unpreparable=UNPREPARABLE,
                disks=provider.disks,
            )


class TestDummyWithFile(
    ProviderConformance, FeatureConformance, SharedPlaceConformance, SharedCloudConformance
):
    @pytest.fixture
    async def subject(self, tmp_path: Path) -> AsyncIterator[Subject]:
        filename = str(tmp_path / "cloud.db")
        async with (
            dummy(filename=filename, templates=TEMPLATES) as provider,
            dummy(filename=filename, templates=TEMPLATES) as second,
        ):
            yield Subject(
                provider=provider,
                pool=POOL,
                elsewhere=ELSEWHERE,
                neighbour=NEIGHBOUR,
                settings=DummySettings,
                unpreparable=UNPREPARABLE,
                second=second,
                disks=second.disks,
            )


class TestSlowDummyWithFile(
    ProviderConformance, FeatureConformance, SharedPlaceConformance, SharedCloudConformance
):
    @pytest.fixture
    async def subject(self, tmp_path: Path) -> AsyncIterator[Subject]:
        slow: dict[str, Any] = {
            "filename": str(tmp_path / "cloud.db"),
            "connection_pool_size": 3,
            "createvm_max_time": 0.1,
            "vmready_max_time": 0.1,
            "destroyvm_max_shutdown_time": 0.05,
            "destroyvm_max_time": 0.05,
            "createdisk_max_time": 0.05,
            "createsnapshot_max_time": 0.05,
            "revertsnapshot_max_time": 0.05,
            "migratevm_max_time": 0.05,
            "migratevm_couldmove_percent": 100,
            "templates": TEMPLATES,
            "seed": 1,
        }
        async with dummy(**slow) as provider, dummy(**slow) as second:
            yield Subject(
                provider=provider,
                pool=POOL,
                elsewhere=ELSEWHERE,
                neighbour=NEIGHBOUR,
                settings=DummySettings,
                unpreparable=UNPREPARABLE,
                second=second,
                disks=second.disks,
            )


class TestDummyThatFailsLate(LateFailureConformance):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Subject]:
        async with dummy(createvm_latefail_percent=100, createvm_max_time=0.1) as provider:

            async def fail_next_clone() -> str:
                return "createvm_latefail_percent"

            yield Subject(provider, POOL, ELSEWHERE, fail_next_clone=fail_next_clone)
