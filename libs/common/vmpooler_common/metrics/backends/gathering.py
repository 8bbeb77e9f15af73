"""Gathers numbers by name, for a backend that sends them from time to time.

What is held grows with the number of series and not with the number of events, whatever becomes of
the receiver: counts are added up, levels replace each other, and only so many durations are kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock

from vmpooler_common.metrics.backends.base import Series
from vmpooler_common.metrics.backends.dotted_name import dotted_name
from vmpooler_common.metrics.declaration import Declaration, MetricKind

MOST_OBSERVATIONS = 10_000
"""Observations that are kept until they are taken; more are only counted."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """What was recorded since it was last taken, by dotted name."""

    counts: Mapping[str, float]
    levels: Mapping[str, float]
    """All that were ever recorded and not dropped: a level holds until another one is recorded."""
    observations: Mapping[str, list[float]]
    """Durations are in seconds, others in their own unit."""
    in_seconds: frozenset[str]
    """Names among the observations that are durations."""
    lost: int
    """Observations for which there was no room."""

    @property
    def observation_count(self) -> int:
        """How many observations there are."""
        return sum(map(len, self.observations.values()))


class Gathering:
    """A backend whose numbers are taken by whoever sends them. `prefix` starts every name."""

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        # Drivers may record from threads of their own.
        self._lock = Lock()
        self._counts: dict[str, float] = {}
        self._levels: dict[str, float] = {}
        self._observations: dict[str, list[float]] = {}
        self._in_seconds: set[str] = set()
        self._room = MOST_OBSERVATIONS
        self._lost = 0

    def declare(self, declaration: Declaration) -> None:
        """Take any declaration."""

    def series(self, declaration: Declaration, values: tuple[str, ...]) -> Series:
        """Give the recorder of one series."""
        name = dotted_name(declaration, values, prefix=self._prefix)
        match declaration.kind:
            case MetricKind.COUNTER:
                return lambda amount: self._count(name, amount)
            case MetricKind.GAUGE:
                return lambda amount: self._set(name, amount)
            case MetricKind.HISTOGRAM:
                if declaration.is_in_seconds:
                    self._in_seconds.add(name)
                return lambda amount: self._observe(name, amount)

    def drop(self, declaration: Declaration, values: tuple[str, ...]) -> None:
        """Forget the level of a series."""
        with self._lock:
            self._levels.pop(dotted_name(declaration, values, prefix=self._prefix), None)

    def take(self) -> Gathered:
        """Give what was recorded since the last time."""
        with self._lock:
            gathered = Gathered(
                self._counts,
                dict(self._levels),
                self._observations,
                frozenset(self._in_seconds.intersection(self._observations)),
                self._lost,
            )
            self._counts, self._observations = {}, {}
            self._room, self._lost = MOST_OBSERVATIONS, 0
        return gathered

    def put_back(self, counts: Mapping[str, float]) -> None:
        """Add counts again that could not be sent, so that they go with the next ones."""
        for name, count in counts.items():
            self._count(name, count)

    def _count(self, name: str, amount: float) -> None:
        # Where nothing happened there is nothing to send; counters are made with a zero.
        if amount:
            with self._lock:
                self._counts[name] = self._counts.get(name, 0) + amount

    def _set(self, name: str, amount: float) -> None:
        with self._lock:
            self._levels[name] = amount

    def _observe(self, name: str, amount: float) -> None:
        with self._lock:
            if not self._room:
                self._lost += 1
                return
            self._room -= 1
            self._observations.setdefault(name, []).append(amount)
