"""What the API tells of days: figures of each day, and of all of them together."""

from collections.abc import Iterable, Mapping
from functools import reduce
from typing import Any

from vmpooler_common.store.pools.statistics import DayStatistics, PoolDurations, Statistic

Content = Mapping[str, Any]


class TotalDurations:
    """Adds days up. A day without entries counts as 0 in `count`, and isn't there in `duration`."""

    def __init__(self) -> None:
        self._pools: dict[str, PoolDurations] = {}
        self._counts: list[int] = []

    def add(self, day: Mapping[str, PoolDurations]) -> None:
        """Add a day."""
        self._counts.append(sum(one.times for one in day.values()))
        for pool, one in day.items():
            known = self._pools.get(pool)
            self._pools[pool] = one if known is None else known.with_others(one)

    def content(self) -> Content:
        """Give the figures of all days."""
        counts = self._counts or [0]
        durations = {pool: _of_pool_in_all(one) for pool, one in sorted(self._pools.items())}
        count = {
            "average": round(sum(counts) / len(counts), 1) if any(counts) else 0,
            "min": min(counts),
            "max": max(counts),
            "total": sum(counts),
            "pool": {pool: {"total": one.times} for pool, one in sorted(self._pools.items())},
        }
        return {"duration": {**_figures(self._pools.values()), "pool": durations}, "count": count}


class TotalTags:
    """Adds days up."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[str, int]] = {}

    def add(self, day: Mapping[str, Mapping[str, int]]) -> None:
        """Add a day."""
        for tag, values in day.items():
            known = self._counts.setdefault(tag, {})
            for value, count in values.items():
                known[value] = known.get(value, 0) + count

    def content(self) -> Content:
        """Give the counts of all days."""
        return _tags(self._counts)


class Total:
    """Adds up what is counted by day; `only` is the one member that is told, None for all."""

    def __init__(self, statistic: Statistic, *, only: str | None) -> None:
        self._statistic = statistic
        self._only = only
        self._durations = TotalDurations()
        self._tags = TotalTags()

    def add(self, day: DayStatistics) -> Content:
        """Add a day, and give its own figures."""
        if self._statistic is Statistic.TAG:
            tags = day.tags()
            self._tags.add(tags)
            return self._told(_tags(tags))
        durations = day.durations(self._statistic)
        self._durations.add(durations)
        return self._told(_day(durations))

    def content(self) -> Content:
        """Give the figures of all days."""
        total = self._tags if self._statistic is Statistic.TAG else self._durations
        return self._told(total.content())

    def _told(self, content: Content) -> Content:
        if self._only is None:
            return content
        return {name: value for name, value in content.items() if name == self._only}


def _day(durations: Mapping[str, PoolDurations]) -> Content:
    duration: dict[str, Any] = _figures(durations.values())
    count: dict[str, Any] = {"total": sum(one.times for one in durations.values())}
    if durations:
        in_order = sorted(durations.items())
        duration["pool"] = {pool: _of_pool_in_day(one) for pool, one in in_order}
        count["pool"] = {pool: {"total": one.times} for pool, one in in_order}
    return {"duration": duration, "count": count}


def _tags(counts: Mapping[str, Mapping[str, int]]) -> Content:
    # A value that is itself called total gives way to the number of all.
    return {
        tag: {**dict(sorted(values.items())), "total": sum(values.values())}
        for tag, values in sorted(counts.items())
    }


def _figures(durations: Iterable[PoolDurations]) -> dict[str, int | float]:
    pools = list(durations)
    if not pools:
        return {"average": 0, "min": 0, "max": 0, "total": 0}
    one = reduce(PoolDurations.with_others, pools)
    return {
        "average": round(one.total / one.times / 1000, 1),
        "min": one.least / 1000,
        "max": one.most / 1000,
        "total": one.total / 1000,
    }


def _of_pool_in_day(one: PoolDurations) -> Content:
    times, total, least, most = one
    return {
        "total": total / 1000,
        "average": round(total / times / 1000, 1),
        "min": least / 1000,
        "max": most / 1000,
    }


def _of_pool_in_all(one: PoolDurations) -> Content:
    times, total, least, most = one
    return {"total": total / 1000, "min": least / 1000, "max": most / 1000, "average": total / times / 1000}
