"""One metric in use: keeps its series at hand and sees to it that recording never raises."""

from collections.abc import Collection, Mapping
from itertools import product

import structlog

from vmpooler_common.metrics.backends.base import Backend, Series
from vmpooler_common.metrics.declaration import OTHER, UNKNOWN, Declaration, MetricKind
from vmpooler_common.model.events import EventName

log = structlog.get_logger(__name__)


MOST_OPEN_SERIES = 5000
"""Of one metric with open labels, in one process."""
_LONGEST_OPEN_VALUE = 100


class Instrument:
    """Records numbers for one declaration.

    `known` closes labels whose values only the configuration knows: label name -> values. A value
    outside a closed set is recorded as "unknown" and logged the first time. Of a metric with open
    labels the first series, `MOST_OPEN_SERIES` of them, are told apart; what comes later is "other".

    Making one raises ValueError when the backend can't take the declaration. Nothing else raises.
    """

    def __init__(
        self,
        backend: Backend,
        declaration: Declaration,
        *,
        known: Mapping[str, Collection[str]] | None = None,
    ) -> None:
        backend.declare(declaration)
        self._backend = backend
        self._declaration = declaration
        closed = known or {}
        self._closed = tuple(
            frozenset(closed[label.name])
            if label.name in closed
            else None
            if label.values is None
            else frozenset(label.values)
            for label in declaration.labels
        )
        self._has_open = any(label.is_open for label in declaration.labels)
        self._kept: dict[tuple[str, ...], Series] = {}
        self._complained: set[str] = set()
        self._start_at_zero()

    def record(self, amount: float, *values: str) -> None:
        """Add, set or observe `amount` (the declaration's kind says which) for these label values."""
        # Metrics must never break what they measure, and a backend may fail in any way (a socket, a
        # library's own checks): this is the one place that has to stop every error.
        try:
            recorder = self._kept.get(values) or self._series(values)
            recorder(amount)
        except Exception as error:
            self._complain("metric not recorded", "record", error=repr(error))

    def drop(self, *values: str) -> None:
        """Stop reporting the series with these label values, until it is recorded again."""
        self._kept.pop(values, None)
        try:
            self._backend.drop(self._declaration, values)
        except Exception as error:  # for the reason given in `record`
            self._complain("metric not dropped", "drop", error=repr(error))

    def _series(self, values: tuple[str, ...]) -> Series:
        if len(values) != len(self._closed):
            raise ValueError(f"{len(values)} label values for {self._declaration.label_names}")
        allowed = tuple(map(self._allowed, self._declaration.label_names, values, self._closed))
        if self._has_open:
            allowed = self._with_room(allowed)
        # Kept under the allowed values only, so that this doesn't grow with what strangers send.
        recorder = self._kept.get(allowed)
        if recorder is None:
            recorder = self._kept[allowed] = self._backend.series(self._declaration, allowed)
        return recorder

    def _allowed(self, label: str, value: str, closed: frozenset[str] | None) -> str:
        if closed is None or value in closed or value == UNKNOWN:
            return value
        self._complain("metric label outside its set", f"label {label}", label=label, value=value)
        return UNKNOWN

    def _with_room(self, values: tuple[str, ...]) -> tuple[str, ...]:
        labels = self._declaration.labels
        shortened = tuple(
            value[:_LONGEST_OPEN_VALUE] if label.is_open else value
            for label, value in zip(labels, values, strict=True)
        )
        if shortened in self._kept or len(self._kept) < MOST_OPEN_SERIES:
            return shortened
        self._complain("metric has too many series; more are counted as other", "room")
        return tuple(OTHER if label.is_open else value for label, value in zip(labels, values, strict=True))

    def _start_at_zero(self) -> None:
        # A counter that first appears with 1 hides its first event from rate() and increase().
        if self._declaration.kind is MetricKind.COUNTER:
            closed = [label.values for label in self._declaration.labels if label.values is not None]
            if len(closed) == len(self._declaration.labels):
                for values in product(*closed):
                    self.record(0, *values)

    def _complain(self, message: str, occasion: str, **facts: str) -> None:
        if occasion not in self._complained:
            self._complained.add(occasion)
            log.warning(EventName.METRIC_FAILED, message=message, metric=self._declaration.name, **facts)
