"""Each fault that the dummy cloud can be told to have."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.providers.cloud_file import CloudFile
from tests.providers.dummies import POOL, dummy, dummy_settings
from tests.providers.exchange import ReadMetric, until
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.providers.contract import CloneRef, ProviderVm, VmStatus
from vmpooler_manager.providers.dummy.faults import Delay, Fault, Faults
from vmpooler_manager.providers.dummy.provider import DummyProvider
from vmpooler_manager.providers.errors import Throttled, TransientError
from vmpooler_manager.providers.testing.subject import new_tag, new_task, ref

SNAPSHOT = new_task()


async def create(provider: DummyProvider) -> ProviderVm:
    return await provider.create(POOL, new_tag(POOL))


class TestCreating:
    async def test_a_create_that_fails_makes_nothing(self) -> None:
        async with dummy(createvm_fail_percent=100) as provider:
            with pytest.raises(TransientError, match="createvm_fail_percent"):
                await create(provider)
            assert (await provider.list_vms(POOL)).vms == ()

    async def test_a_create_that_leaves_an_orphan_fails_although_the_vm_is_there(self) -> None:
        tag = new_tag(POOL)
        async with dummy(createvm_orphan_percent=100) as provider:
            with pytest.raises(TransientError, match="createvm_orphan_percent"):
                await provider.create(POOL, tag)
            found = await provider.find(POOL, tag.clone)
            assert found is not None
            assert found.tag == tag


class TestReadiness:
    async def test_a_check_that_fails_keeps_the_vm_from_being_ready(self) -> None:
        async with dummy(vmready_fail_percent=100) as provider:
            vm = await create(provider)
            for _ in range(3):
                with pytest.raises(TransientError, match="vmready_fail_percent"):
                    await provider.inspect(POOL, ref(vm))
            [listed] = (await provider.list_vms(POOL)).vms
            assert [vm.status, listed.status] == [VmStatus.RUNNING] * 2

    async def test_a_vm_that_was_once_ready_stays_ready(self) -> None:
        async with dummy(vmready_fail_percent=80, seed=2) as provider:
            vm = await create(provider)
            outcomes = [await self._outcome(provider, vm) for _ in range(40)]
            first = outcomes.index(VmStatus.RUNNING)
            assert outcomes == [None] * first + [VmStatus.RUNNING] * (40 - first)
            assert first > 0

    async def test_every_client_knows_that_a_vm_was_once_ready(self, tmp_path: Path) -> None:
        filename = tmp_path / "cloud.db"
        async with (
            dummy(filename=filename, vmready_fail_percent=0.000001) as lucky,
            dummy(filename=filename, vmready_fail_percent=100) as unlucky,
        ):
            vm = await create(lucky)
            await lucky.inspect(POOL, ref(vm))
            assert (await unlucky.inspect(POOL, ref(vm))).status is VmStatus.RUNNING

    @staticmethod
    async def _outcome(provider: DummyProvider, vm: ProviderVm) -> VmStatus | None:
        try:
            return (await provider.inspect(POOL, ref(vm))).status
        except TransientError:
            return None


class TestPower:
    async def test_a_vm_found_switched_off_stays_off(self, tmp_path: Path) -> None:
        filename = tmp_path / "cloud.db"
        async with dummy(filename=filename, getvm_poweroff_percent=100) as provider:
            vm = await create(provider)
            assert (await provider.inspect(POOL, ref(vm))).status is VmStatus.OFF
        async with dummy(filename=filename) as healthy:
            seen = await healthy.inspect(POOL, ref(vm))
            assert (seen.status, seen.ip) == (VmStatus.OFF, None)


class TestListing:
    async def test_a_listing_that_fails_says_so(self) -> None:
        async with dummy(listvms_fail_percent=100) as provider:
            with pytest.raises(TransientError, match="listvms_fail_percent"):
                await provider.list_vms(POOL)

    async def test_a_partial_listing_misses_some_and_says_nothing(self) -> None:
        async with dummy(listvms_partial_percent=100, seed=1) as provider:
            made = {(await create(provider)).provider_id for _ in range(10)}
            listings = [{vm.provider_id for vm in (await provider.list_vms(POOL)).vms} for _ in range(20)]
            assert all(listed < made for listed in listings)
            assert len({frozenset(listed) for listed in listings}) > 1

    async def test_looking_for_one_vm_stays_truthful_when_listings_are_partial(self) -> None:
        async with dummy(listvms_partial_percent=100) as provider:
            made = [await create(provider) for _ in range(5)]
            for vm in made:
                assert (await provider.inspect(POOL, ref(vm))).provider_id == vm.provider_id
                found = await provider.find(POOL, CloneRef("any", vm.name, ref(vm).attempt))
                assert found is not None

    async def test_a_partial_listing_of_nothing_is_empty(self) -> None:
        async with dummy(listvms_partial_percent=100) as provider:
            assert (await provider.list_vms(POOL)).vms == ()


class TestDestroying:
    async def test_a_destroy_that_fails_leaves_the_vm_switched_off(self) -> None:
        async with dummy(destroyvm_fail_percent=100) as provider:
            vm = await create(provider)
            with pytest.raises(TransientError, match="destroyvm_fail_percent"):
                await provider.destroy(POOL, ref(vm))
            assert (await provider.inspect(POOL, ref(vm))).status is VmStatus.OFF


TASKS = ["add_disk", "snapshot", "revert"]
EVERY_CALL = ["create", "find", "inspect", "list_vms", "annotate", *TASKS, "destroy"]


async def call(provider: DummyProvider, name: str, vm: ProviderVm) -> None:
    """Make the call of that name, about `vm`."""
    calls: dict[str, Callable[[], Awaitable[Any]]] = {
        "create": lambda: provider.create(POOL, new_tag(POOL)),
        "find": lambda: provider.find(POOL, CloneRef("any", vm.name, ref(vm).attempt)),
        "inspect": lambda: provider.inspect(POOL, ref(vm)),
        "list_vms": lambda: provider.list_vms(POOL),
        "annotate": lambda: provider.annotate(POOL, ref(vm), new_tag(POOL)),
        "add_disk": lambda: provider.add_disk(POOL, ref(vm), task=new_task(), size=1),
        "snapshot": lambda: provider.snapshot(POOL, ref(vm), name=new_task()),
        "revert": lambda: provider.revert(POOL, ref(vm), task=new_task(), snapshot=SNAPSHOT),
        "destroy": lambda: provider.destroy(POOL, ref(vm)),
    }
    await calls[name]()


class TestTasks:
    @pytest.mark.parametrize(
        ("name", "fault"),
        [
            ("add_disk", "createdisk_fail_percent"),
            ("snapshot", "createsnapshot_fail_percent"),
            ("revert", "revertsnapshot_fail_percent"),
        ],
    )
    async def test_a_task_that_fails_does_nothing(self, tmp_path: Path, name: str, fault: str) -> None:
        filename = tmp_path / "cloud.db"
        settings: dict[str, Any] = {"filename": filename, fault: 100}
        async with dummy(filename=filename) as calm, dummy(**settings) as failing:
            vm = await create(calm)
            await calm.snapshot(POOL, ref(vm), name=SNAPSHOT)
            with pytest.raises(TransientError, match=fault):
                await call(failing, name, vm)
            assert CloudFile(filename).tasks(vm.provider_id) == [("snapshot", SNAPSHOT)]

    @pytest.mark.parametrize("name", TASKS)
    async def test_a_task_whose_answer_is_lost_was_done(self, tmp_path: Path, name: str) -> None:
        filename = tmp_path / "cloud.db"
        async with (
            dummy(filename=filename) as calm,
            dummy(filename=filename, task_lostanswer_percent=100) as losing,
        ):
            vm = await create(calm)
            await calm.snapshot(POOL, ref(vm), name=SNAPSHOT)
            with pytest.raises(TransientError, match="task_lostanswer_percent"):
                await call(losing, name, vm)
            kinds = [kind for kind, _ in CloudFile(filename).tasks(vm.provider_id)]
            assert kinds == ["snapshot", name.removeprefix("add_")]

    async def test_what_was_done_to_a_vm_goes_with_it(self, tmp_path: Path) -> None:
        filename = tmp_path / "cloud.db"
        async with dummy(filename=filename) as provider:
            vm = await create(provider)
            await call(provider, "add_disk", vm)
            await provider.destroy(POOL, ref(vm))
            assert CloudFile(filename).tasks(vm.provider_id) == []


class TestAnyCall:
    @pytest.mark.parametrize("name", EVERY_CALL)
    async def test_a_throttled_call_asks_for_a_pause_and_does_nothing(
        self, tmp_path: Path, name: str
    ) -> None:
        filename = tmp_path / "cloud.db"
        async with dummy(filename=filename) as calm, dummy(filename=filename, throttle_percent=100) as busy:
            vm = await create(calm)
            before = CloudFile(filename).vms()
            with pytest.raises(Throttled) as caught:
                await call(busy, name, vm)
            assert caught.value.retry_after.total_seconds() == 1
            assert CloudFile(filename).vms() == before

    @pytest.mark.parametrize("name", EVERY_CALL)
    async def test_a_hanging_call_keeps_its_connection_until_it_is_cancelled(
        self, tmp_path: Path, name: str, measured: ConnectionMetrics, metric: ReadMetric
    ) -> None:
        filename = tmp_path / "cloud.db"
        async with (
            dummy(filename=filename) as calm,
            dummy(measured, filename=filename, hang_percent=100, connection_pool_timeout=0.05) as stuck,
        ):
            vm = await create(calm)
            hanging = asyncio.create_task(call(stuck, name, vm))
            await until(lambda: metric("in_use") == 1)
            with pytest.raises(TransientError, match=r"'dummy' \(size 1\)"):
                await call(stuck, "list_vms", vm)
            hanging.cancel()
            with pytest.raises(asyncio.CancelledError):
                await hanging
            assert metric("in_use") == 0


def decisions(seed: int | str | None, percent: float = 50) -> list[bool]:
    faults = Faults(dummy_settings({"seed": seed, "createvm_fail_percent": percent}))
    return [faults.strikes(Fault.CREATE_FAILS) for _ in range(200)]


class TestChance:
    def test_the_same_seed_decides_the_same(self) -> None:
        assert decisions(7) == decisions(7)

    def test_other_seeds_decide_otherwise(self) -> None:
        assert len({tuple(decisions(seed)) for seed in (7, 8, 9)}) == 3

    def test_without_a_seed_no_two_providers_decide_the_same(self) -> None:
        assert decisions(None) != decisions(None)

    def test_a_decision_does_not_depend_on_decisions_of_another_kind(self) -> None:
        settings = dummy_settings(
            {"seed": 7, "createvm_fail_percent": 50, "throttle_percent": 50, "createvm_max_time": 9},
        )
        faults = Faults(settings)
        mixed = []
        for number in range(200):
            for _ in range(number % 3):
                faults.strikes(Fault.THROTTLED)
                faults.seconds(Delay.CLONE)
            mixed.append(faults.strikes(Fault.CREATE_FAILS))
        assert mixed == decisions(7)

    def test_faults_of_different_kinds_strike_at_different_times(self) -> None:
        faults = Faults(dummy_settings({"seed": 7, "createvm_fail_percent": 50, "throttle_percent": 50}))
        assert [faults.strikes(Fault.THROTTLED) for _ in range(200)] != decisions(7)

    def test_nought_percent_is_never(self) -> None:
        assert not any(decisions(7, percent=0))

    def test_a_hundred_percent_is_always(self) -> None:
        assert all(decisions(7, percent=100))

    def test_percentages_are_about_kept(self) -> None:
        assert 20 < sum(decisions(7, percent=20)) < 60

    def test_durations_lie_between_nought_and_the_longest(self) -> None:
        faults = Faults(dummy_settings({"seed": 7, "createvm_max_time": 8}))
        durations = [faults.seconds(Delay.CLONE) for _ in range(200)]
        assert all(0 <= duration <= 8 for duration in durations)
        assert min(durations) < 1
        assert max(durations) > 7
