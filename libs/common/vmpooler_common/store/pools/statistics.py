"""Statistics of days, which are UTC days by Redis's clock: clones, boots, and the tags of VMs."""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from vmpooler_common.store.core.connection import Command, RedisConnection, Reply, check
from vmpooler_common.store.core.errors import RangeInvalid
from vmpooler_common.store.core.keys import Keys

MOST_DAYS = 366
"""In one reading, so that its cost is bounded."""
PART = 14
"""Days that are read at once."""
_REVERSED = "Date range is invalid, 'to' cannot come before 'from'."
_DAY = timedelta(days=1)
_EPOCH = date(1970, 1, 1)


class Statistic(StrEnum):
    """What is counted by day."""

    BOOT = "boot"
    CLONE = "clone"
    TAG = "tag"


class PoolDurations(NamedTuple):
    """Durations of one pool in milliseconds. A tuple, for a year of many pools holds 100,000s of them."""

    times: int
    total: int
    least: int
    most: int

    def with_others(self, other: "PoolDurations") -> "PoolDurations":
        """Put two sets of durations together."""
        return PoolDurations(
            self.times + other.times,
            self.total + other.total,
            min(self.least, other.least),
            max(self.most, other.most),
        )


@dataclass(frozen=True, slots=True)
class DayStatistics:
    """One day as it is stored; it is understood only when it is asked, since a year of days takes long."""

    date: date
    stored: Mapping[Statistic, Sequence[str]]
    """Fields and values of what was read, flat."""

    def durations(self, statistic: Statistic) -> dict[str, PoolDurations]:
        """Give clones or boots by pool; an empty mapping when there were none."""
        return durations_by_pool(self.stored[statistic])

    def tags(self) -> dict[str, dict[str, int]]:
        """Count the VMs by tag and value. A VM counts once for each tag, with its last value of the day."""
        flat = self.stored[Statistic.TAG]
        counts: dict[str, dict[str, int]] = {}
        for field, value in zip(flat[::2], flat[1::2], strict=True):
            of_tag = counts.setdefault(field.partition(":")[2], {})
            of_tag[value] = of_tag.get(value, 0) + 1
        return counts


def durations_by_pool(flat: Sequence[str]) -> dict[str, PoolDurations]:
    """Read the fields and values of one day, flat. Pools' names may hold colons."""
    stored = dict(zip(flat[::2], flat[1::2], strict=True))
    return {
        (pool := field[:-2]): PoolDurations(
            int(count), int(stored[pool + ":sum"]), int(stored[pool + ":min"]), int(stored[pool + ":max"])
        )
        for field, count in stored.items()
        if field.endswith(":n")
    }


def _utc_day() -> date:
    return datetime.now(UTC).date()


class Statistics:
    """Reads only. `clock` says which day this process thinks it is."""

    def __init__(
        self, connection: RedisConnection, keys: Keys, *, clock: Callable[[], date] = _utc_day
    ) -> None:
        self._connection = connection
        self._keys = keys
        self._clock = clock

    async def read(
        self, statistics: Sequence[Statistic], *, start: date | None, end: date | None
    ) -> AsyncGenerator[list[DayStatistics]]:
        """Give the days from `start` to `end`, both included, in order; None stands for today.

        They come in parts of at most `PART` days, each one round trip, so that neither Redis nor this process
        handles a year at once. `end` may lie in the future. Raises RangeInvalid, before the first part, and
        StoreUnavailable. The first part needs no second trip as long as this process's clock is less than a
        day wrong: which day it is comes with the answer, and a day around what it seems to be is asked for.
        """
        if start and end and end < start:
            raise RangeInvalid(_REVERSED)
        guess = self._clock()
        expected = _days(start or guess - _DAY, end or guess + _DAY)
        first = expected[: PART + 2] if len(expected) <= MOST_DAYS + 2 else []
        today, stored = await self._fetch(statistics, first)
        days = _judged(start or today, end or today, today=today)
        while days:
            part, days = days[:PART], days[PART:]
            if missing := [day for day in part if day not in stored]:
                stored |= (await self._fetch(statistics, missing))[1]
            yield [DayStatistics(day, stored.pop(day)) for day in part]

    async def _fetch(
        self, statistics: Sequence[Statistic], days: Sequence[date]
    ) -> tuple[date, dict[date, Mapping[Statistic, Sequence[str]]]]:
        """Read days; say which one it is, too."""
        commands: list[Command] = [("TIME",)]
        commands += [("HGETALL", self._key(statistic, day)) for day in days for statistic in statistics]
        time, *replies = [check(reply) for reply in await self._connection.call(*commands)]
        width = len(statistics)
        stored: dict[date, Mapping[Statistic, Sequence[Reply]]] = {
            day: dict(zip(statistics, replies[at * width : (at + 1) * width], strict=True))
            for at, day in enumerate(days)
        }
        return datetime.fromtimestamp(int(time[0]), UTC).date(), stored

    def _key(self, statistic: Statistic, day: date) -> str:
        return self._keys("stats", statistic, str((day - _EPOCH).days))


def _judged(start: date, end: date, *, today: date) -> list[date]:
    if end < start:
        raise RangeInvalid(_REVERSED)
    if start > today:
        raise RangeInvalid("Date range is invalid, 'from' must be in the past.")
    if (end - start).days >= MOST_DAYS:
        raise RangeInvalid(f"Date range is invalid, it cannot be longer than {MOST_DAYS} days.")
    return _days(start, end)


def _days(start: date, end: date) -> list[date]:
    """List at most so many days that more are known to be too many."""
    count = min((end - start).days + 1, MOST_DAYS + 3)
    return [start + number * _DAY for number in range(count)]
