"""Statistics of days, as the scripts count them and as they are read."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from redis.asyncio import Redis

from tests.store.dataset import ask
from tests.store.fleet import Fleet
from tests.support.past_days import note_durations, note_tags
from tests.support.stores import Tally
from vmpooler_common.store.core.errors import RangeInvalid
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.pools.statistics import PART, DayStatistics, Statistic, Statistics
from vmpooler_common.store.pools.views import Durations
from vmpooler_common.store.store import Store


async def today_of(fleet: Fleet) -> date:
    return datetime.fromtimestamp(await fleet.server_ms() / 1000, UTC).date()


async def read(
    statistics: Statistics, kinds: Sequence[Statistic], *, start: date | None, end: date | None
) -> list[DayStatistics]:
    """All days, whose parts must not be long."""
    parts = [part async for part in statistics.read(kinds, start=start, end=end)]
    assert all(len(part) <= PART for part in parts)
    return [day for part in parts for day in part]


def with_clock(store: Store, prefix: str, day: date) -> Statistics:
    """The same statistics, read by a process that thinks that it is this day."""
    return Statistics(store.connection, Keys(prefix), clock=lambda: day)


async def test_clones_and_boots_are_counted_by_pool(store: Store, fleet: Fleet) -> None:
    await fleet.ready("one", "a", "b")
    await fleet.ready("two", "c")
    await fleet.created("two", "d")
    (day,) = await read(store.statistics, tuple(Statistic), start=None, end=None)
    counted = [
        {pool: one.times for pool, one in day.durations(statistic).items()}
        for statistic in (Statistic.BOOT, Statistic.CLONE)
    ]
    assert counted == [{"one": 2, "two": 1}, {"one": 2, "two": 2}]
    assert all(0 <= one.least <= one.most <= one.total for one in day.durations(Statistic.BOOT).values())


async def test_today_is_added_up_over_all_pools(fleet: Fleet) -> None:
    await note_durations(fleet, "boot", "one", 2)
    await note_durations(fleet, "boot", "two", 4)
    await note_durations(fleet, "boot", "two", 60, days_ago=1)
    today = await fleet.store.views.today()
    assert (today.boots, today.clones) == (Durations(2, 6.0, 2.0, 4.0), Durations(0, 0.0, 0.0, 0.0))


async def test_counting_vms_reads_no_statistics(fleet: Fleet, redis_prefix: str, client: Redis) -> None:
    """With hundreds of pools a day's are thousands of fields, and probes ask every few seconds."""
    day = (await today_of(fleet) - date(1970, 1, 1)).days
    for kind in ("boot", "clone"):
        await ask(client, "SET", f"{redis_prefix}:stats:{kind}:{day}", "no hash: whoever reads it fails")
    assert (await fleet.store.views.counts(["one"])).pools["one"].ready == 0


async def test_a_vm_counts_for_each_of_its_tags(store: Store, fleet: Fleet) -> None:
    await note_tags(fleet, ("a", "team", "red"), ("b", "team", "red"), ("a", "url", "http://x:1/"))
    (day,) = await read(store.statistics, [Statistic.TAG], start=None, end=None)
    assert day.tags() == {"team": {"red": 2}, "url": {"http://x:1/": 1}}


async def test_each_day_has_its_own_figures(store: Store, fleet: Fleet) -> None:
    today = await today_of(fleet)
    for days_ago in range(3):
        await note_durations(fleet, "boot", "one", days_ago + 1, days_ago=days_ago)
    days = await read(store.statistics, [Statistic.BOOT], start=today - timedelta(days=2), end=None)
    figures = [(day.date, day.durations(Statistic.BOOT)["one"].total) for day in days]
    assert figures == [(today - timedelta(days=ago), 1000 * (ago + 1)) for ago in (2, 1, 0)]


@pytest.mark.parametrize(("wrong_by", "trips"), [(0, 1), (1, 1), (-1, 1), (2, 2), (-5000, 2)])
async def test_today_is_told_by_redis(
    store: Store, fleet: Fleet, redis_prefix: str, tally: Tally, wrong_by: int, trips: int
) -> None:
    today = await today_of(fleet)
    await note_durations(fleet, "boot", "one", 7)
    statistics = with_clock(store, redis_prefix, today + timedelta(days=wrong_by))
    before = tally.round_trips
    (day,) = await read(statistics, [Statistic.BOOT], start=None, end=None)
    assert (day.date, day.durations(Statistic.BOOT)["one"].total) == (today, 7000)
    assert tally.round_trips - before == trips


async def test_a_year_is_read_whole_by_a_process_whose_clock_is_wrong(
    store: Store, fleet: Fleet, redis_prefix: str, tally: Tally
) -> None:
    today = await today_of(fleet)
    start = today - timedelta(days=365)
    for days_ago in (0, 365):
        await note_durations(fleet, "boot", "one", 7, days_ago=days_ago)
    statistics, before = with_clock(store, redis_prefix, today + timedelta(days=40)), tally.round_trips
    days = await read(statistics, [Statistic.BOOT], start=start, end=None)
    assert tally.round_trips - before == 28  # the day, and a fortnight each
    assert (len(days), days[0].date, days[-1].date) == (366, start, today)
    assert days[0].durations(Statistic.BOOT) == days[-1].durations(Statistic.BOOT) != {}


async def test_a_range_is_judged_by_the_clock_of_redis(store: Store, fleet: Fleet, redis_prefix: str) -> None:
    tomorrow = await today_of(fleet) + timedelta(days=1)
    with pytest.raises(RangeInvalid, match="past"):
        await read(with_clock(store, redis_prefix, tomorrow), [], start=tomorrow, end=tomorrow)
