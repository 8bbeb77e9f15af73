"""The dummy provider under the conformance suite: in memory, in a file, and slow."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.providers.dummies import dummy
from vmpooler_manager.providers.contract import CloneSpec
from vmpooler_manager.providers.testing import (
    ProviderConformance,
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


class TestDummyInMemory(ProviderConformance, TaskConformance, SharedPlaceConformance):
    @pytest.fixture
    async def subject(self) -> AsyncIterator[Subject]:
        async with dummy() as provider:
            yield Subject(
                provider=provider,
                pool=POOL,
                elsewhere=ELSEWHERE,
                neighbour=NEIGHBOUR,
                disks=provider.disks,
            )


class TestDummyWithFile(ProviderConformance, TaskConformance, SharedPlaceConformance, SharedCloudConformance):
    @pytest.fixture
    async def subject(self, tmp_path: Path) -> AsyncIterator[Subject]:
        filename = str(tmp_path / "cloud.db")
        async with dummy(filename=filename) as provider, dummy(filename=filename) as second:
            yield Subject(
                provider=provider,
                pool=POOL,
                elsewhere=ELSEWHERE,
                neighbour=NEIGHBOUR,
                second=second,
                disks=second.disks,
            )


class TestSlowDummyWithFile(
    ProviderConformance, TaskConformance, SharedPlaceConformance, SharedCloudConformance
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
            "seed": 1,
        }
        async with dummy(**slow) as provider, dummy(**slow) as second:
            yield Subject(
                provider=provider,
                pool=POOL,
                elsewhere=ELSEWHERE,
                neighbour=NEIGHBOUR,
                second=second,
                disks=second.disks,
            )
