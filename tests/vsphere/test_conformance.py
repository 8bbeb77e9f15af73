"""The vSphere driver under the conformance suite, against the simulator."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from tests.vsphere.simulated import Simulator, driver, in_thread, pool
from vmpooler_common.config.sections.vsphere import VsphereProvider as VsphereSettings
from vmpooler_manager.providers.contract import VmRef
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

POOL = pool()
ELSEWHERE = pool("windows-11")
NEIGHBOUR = pool("debian-13", folder=POOL.options["folder"])
UNPREPARABLE = pool("solaris-11", template="templates/solaris-11")


class TestVsphere(
    ProviderConformance,
    SharedPlaceConformance,
    SharedCloudConformance,
    TaskConformance,
    PreparationConformance,
    MigrationConformance,
    PurgeConformance,
    LateFailureConformance,
):
    @pytest.fixture
    async def subject(self, vcenter: Simulator) -> AsyncIterator[Subject]:
        async def disks(vm: VmRef) -> list[int]:
            return list(await in_thread(vcenter.added_disks, vm))

        async with AsyncExitStack() as stack:
            provider = await stack.enter_async_context(driver(vcenter))
            second = await stack.enter_async_context(driver(vcenter))
            await asyncio.gather(*(provider.prepare(one) for one in (POOL, ELSEWHERE)))

            async def fail_next_clone() -> str:
                return stack.enter_context(vcenter.full_datastore())

            yield Subject(
                provider=provider,
                pool=POOL,
                elsewhere=ELSEWHERE,
                neighbour=NEIGHBOUR,
                second=second,
                settings=VsphereSettings,
                fail_next_clone=fail_next_clone,
                unpreparable=UNPREPARABLE,
                disks=disks,
            )
