"""A provider as the manager uses it: deadlines, pauses, limits and measures around every call."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.faulty_provider import FaultyProvider, Mood, Moods
from tests.support.stores import Tally
from tests.unit.manager.pools import CLONE_SPEC, calls_of, make_cloud
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.metrics.providers import CallResult
from vmpooler_manager.providers.contract import CloneSpec, OwnershipTag, VmListing, VmRef
from vmpooler_manager.providers.errors import (
    NotFound,
    PermanentError,
    ProviderError,
    Throttled,
    TransientError,
)
from vmpooler_manager.runtime.provider_client import ProviderClient

TAG = OwnershipTag("lab", "generation-1", "debian", "agile-stoat", "attempt-1")
NOBODY = VmRef("agile-stoat", "attempt-1", "no-such-id")


@pytest.fixture
def moods(tmp_path: Path) -> Moods:
    return Moods(tmp_path / "moods.json")


@pytest.fixture
def tally() -> Tally:
    return Tally()


@asynccontextmanager
async def cloud_of(moods: Moods, tally: Tally, **options: Any) -> AsyncIterator[ProviderClient]:
    measures = ConnectionMetrics(Tally(), "provider_connection_pool", "cloud")
    make = options.pop("driver", FaultyProvider)
    driver = make("cloud", {"moods": str(moods.path), **options.pop("settings", {})}, measures)
    cloud = make_cloud(driver, tally=tally, **options)
    assert await cloud.open()
    try:
        yield cloud
    finally:
        await cloud.close()


async def test_every_call_reaches_the_driver_and_is_counted(moods: Moods, tally: Tally) -> None:
    async with cloud_of(moods, tally) as cloud:
        made = await cloud.create(CLONE_SPEC, TAG)
        ref = VmRef(made.name, TAG.attempt, made.provider_id)
        assert await cloud.find(CLONE_SPEC, TAG.clone) is not None
        assert (await cloud.inspect(CLONE_SPEC, ref)).provider_id == made.provider_id
        assert len(await cloud.list_vms(CLONE_SPEC)) == 1
        await cloud.annotate(CLONE_SPEC, ref, TAG)
        await cloud.add_disk(CLONE_SPEC, ref, task="disk", size=8)
        await cloud.snapshot(CLONE_SPEC, ref, name="snapshot")
        await cloud.revert(CLONE_SPEC, ref, task="back", snapshot="snapshot")
        await cloud.prepare(CLONE_SPEC)
        await cloud.migrate(CLONE_SPEC, ref)
        [place] = await cloud.unreferenced([])
        await cloud.remove_place(place)
        await cloud.destroy(CLONE_SPEC, ref)
        assert await cloud.list_vms(CLONE_SPEC) == ()
    calls = calls_of(tally)
    assert calls.pop(("list_vms", "ok")) == 2
    of_a_vm = ("inspect", "annotate", "add_disk", "snapshot", "revert", "migrate", "destroy")
    of_places = ("prepare", "unreferenced", "remove_place")
    assert calls == {(call, "ok"): 1 for call in ("create", "find", *of_a_vm, *of_places)}


class Stale(FaultyProvider):
    """A driver that answers with what it knew a minute ago."""

    async def list_vms(self, pool: CloneSpec) -> VmListing:
        listing = await super().list_vms(pool)
        return replace(listing, as_of=listing.as_of - 60)


class Plain(FaultyProvider):
    """A driver without features."""

    features = frozenset()


async def test_a_listing_from_before_the_call_is_an_error(moods: Moods, tally: Tally) -> None:
    async with cloud_of(moods, tally, driver=Stale) as cloud:
        with pytest.raises(TransientError, match="older than the question"):
            await cloud.list_vms(CLONE_SPEC)
    assert calls_of(tally) == {("list_vms", "transient"): 1}


async def test_what_the_driver_does_not_declare_is_refused_with_words_for_the_user(
    moods: Moods, tally: Tally
) -> None:
    async with cloud_of(moods, tally, driver=Plain) as cloud:
        await cloud.prepare(CLONE_SPEC)  # nothing to do
        with pytest.raises(PermanentError, match="can't add disks"):
            await cloud.add_disk(CLONE_SPEC, NOBODY, task="disk", size=8)
        with pytest.raises(PermanentError, match="can't take snapshots"):
            await cloud.revert(CLONE_SPEC, NOBODY, task="back", snapshot="snapshot")
        with pytest.raises(PermanentError, match="can't move"):
            await cloud.migrate(CLONE_SPEC, NOBODY)
        with pytest.raises(PermanentError, match="places"):
            await cloud.unreferenced([])


@pytest.mark.parametrize(
    ("mood", "error", "result"),
    [
        ("fail", TransientError, "transient"),
        ("refuse", PermanentError, "permanent"),
        ("throttle", Throttled, "throttled"),
    ],
)
async def test_an_error_is_counted_by_its_kind_and_passed_on(
    moods: Moods, tally: Tally, mood: Mood, error: type[ProviderError], result: CallResult
) -> None:
    async with cloud_of(moods, tally) as cloud:
        moods.set(list_vms=mood)
        with pytest.raises(error):
            await cloud.list_vms(CLONE_SPEC)
    assert calls_of(tally) == {("list_vms", result): 1}


async def test_a_vm_that_is_not_there_is_counted_as_that(moods: Moods, tally: Tally) -> None:
    async with cloud_of(moods, tally) as cloud:
        with pytest.raises(NotFound):
            await cloud.inspect(CLONE_SPEC, NOBODY)
    assert calls_of(tally) == {("inspect", "not_found"): 1}


async def test_a_call_that_never_answers_ends_at_its_deadline(moods: Moods, tally: Tally) -> None:
    async with cloud_of(moods, tally, timeout=timedelta(seconds=0.05)) as cloud:
        moods.set(list_vms="hang")
        with pytest.raises(TransientError, match="operation_timeout"):
            await cloud.list_vms(CLONE_SPEC)
    assert calls_of(tally) == {("list_vms", "timeout"): 1}


async def test_a_call_that_hung_leaves_its_connection_to_others(moods: Moods, tally: Tally) -> None:
    settings = {"connection_pool_size": 1, "hang_percent": 0}
    async with cloud_of(moods, tally, timeout=timedelta(seconds=0.05), settings=settings) as cloud:
        moods.set(list_vms="hang")
        with pytest.raises(TransientError):
            await cloud.list_vms(CLONE_SPEC)
        moods.set()
        assert await cloud.list_vms(CLONE_SPEC) == ()


async def test_a_throttled_cloud_is_left_alone_for_as_long_as_it_asked(moods: Moods, tally: Tally) -> None:
    now = asyncio.get_running_loop().time
    async with cloud_of(moods, tally) as cloud:
        moods.set(list_vms="throttle")
        with pytest.raises(Throttled):
            await cloud.list_vms(CLONE_SPEC)
        moods.set()
        throttled_until = cloud.throttled_until
        assert throttled_until > now()
        await cloud.find(CLONE_SPEC, TAG.clone)
        assert now() >= throttled_until


async def test_only_so_many_vms_are_destroyed_at_a_time(moods: Moods, tally: Tally) -> None:
    settings = {"connection_pool_size": 5}
    async with cloud_of(moods, tally, parallel_destroys=2, settings=settings) as cloud:
        moods.set(destroy="hang")
        stuck = [asyncio.create_task(cloud.destroy(CLONE_SPEC, NOBODY)) for _ in range(2)]
        await asyncio.sleep(0)
        moods.set()
        third = asyncio.create_task(cloud.destroy(CLONE_SPEC, NOBODY))
        await cloud.list_vms(CLONE_SPEC)  # other calls go on, and time enough for the third
        assert not third.done()
        stuck[0].cancel()
        await third
        stuck[1].cancel()
        await asyncio.gather(*stuck, return_exceptions=True)


async def test_without_a_driver_every_call_says_why() -> None:
    cloud = make_cloud(None, fault="driver not installed: vsphere")
    assert not cloud.has_driver
    assert not await cloud.open()
    with pytest.raises(PermanentError, match="driver not installed"):
        await cloud.list_vms(CLONE_SPEC)


async def test_a_driver_that_cannot_be_opened_says_why_until_it_can(moods: Moods, tally: Tally) -> None:
    measures = ConnectionMetrics(Tally(), "provider_connection_pool", "cloud")
    cloud = make_cloud(FaultyProvider("cloud", {"moods": str(moods.path)}, measures), tally=tally)
    moods.set(open="refuse")
    assert not await cloud.open()
    assert cloud.fault == "told to refuse open"
    moods.set()
    assert await cloud.open()
    assert cloud.fault == ""
    await cloud.close()


async def test_a_driver_that_hangs_while_it_opens_is_given_up(moods: Moods, tally: Tally) -> None:
    measures = ConnectionMetrics(Tally(), "provider_connection_pool", "cloud")
    driver = FaultyProvider("cloud", {"moods": str(moods.path)}, measures)
    moods.set(open="hang")
    cloud = make_cloud(driver, timeout=timedelta(seconds=0.05), tally=tally)
    assert not await cloud.open()
    assert "took longer than 0.05 s" in cloud.fault
