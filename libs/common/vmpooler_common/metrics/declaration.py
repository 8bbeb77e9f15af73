"""What a metric is, as data: its name, meaning and labels, without any backend.

Names carry no prefix; the backend puts the configured one in front. Everything is checked when the
declaration is made, so that a mistake shows at import in any test and never while a request runs.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*\Z")
RESERVED_LABELS = frozenset({"le", "quantile", "vmpooler_instance"})
PLACE = re.compile(r"\{([^{}]*)\}")
"""A label's place in a dotted name."""
SECONDS = "_seconds"
UNKNOWN = "unknown"
"""Label value that stands for every value outside a closed set."""
OTHER = "other"
"""Label value that stands for every value of an open label for which there is no room."""


class MetricKind(StrEnum):
    """How a metric's numbers are to be read."""

    COUNTER = "counter"
    """A running total; what is recorded is added to it."""
    GAUGE = "gauge"
    """A level; what is recorded replaces it."""
    HISTOGRAM = "histogram"
    """A distribution; what is recorded is one observation."""


@dataclass(frozen=True, slots=True)
class Label:
    """One dimension of a metric. Raises ValueError for a name that can't be one, or two kinds of sets."""

    name: str
    values: tuple[str, ...] | None = None
    """The closed set, where the code knows it; None: bounded by the configuration (pools, providers)."""
    is_open: bool = False
    """Whether values are what clients send. An `Instrument` then bounds the number of series."""

    def __post_init__(self) -> None:
        if not NAME.match(self.name) or self.name in RESERVED_LABELS:
            raise ValueError(f"{self.name!r} can't be the name of a label")
        if self.is_open and self.values is not None:
            raise ValueError(f"the values of {self.name} can't be both fixed and open")


@dataclass(frozen=True, slots=True)
class Declaration:
    """One metric. Made with `counter`, `gauge` or `histogram`.

    Raises ValueError for names against Prometheus' practice and for buckets that don't grow.
    """

    kind: MetricKind
    name: str
    help: str
    labels: tuple[Label, ...]
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, growing; the one for everything above is implied."""
    carries_instance: bool = True
    """Whether the series also say which installation they come from (`vmpooler_instance`)."""
    dotted: str = ""
    """Name for statsd and Graphite, with each label in braces: `checkout.{result}.{pool}`.

    Empty: the name without its unit or `_total`, then the labels, joined by dots.
    """

    def __post_init__(self) -> None:
        if not NAME.match(self.name):
            raise ValueError(f"{self.name!r} can't be the name of a metric")
        if (self.kind is MetricKind.COUNTER) != self.name.endswith("_total"):
            raise ValueError(f"{self.name}: counters, and only they, end in _total")
        if (self.kind is MetricKind.HISTOGRAM) != bool(self.buckets):
            raise ValueError(f"{self.name}: histograms, and only they, have buckets")
        if any(lower >= upper for lower, upper in zip(self.buckets, self.buckets[1:], strict=False)):
            raise ValueError(f"{self.name}: buckets must grow")
        if len(self.label_names) != len(set(self.label_names)):
            raise ValueError(f"{self.name}: a label appears twice")
        if not self.help.strip():
            raise ValueError(f"{self.name}: what does it mean?")
        if not self.dotted:
            object.__setattr__(self, "dotted", self._own_dotted())
        if sorted(PLACE.findall(self.dotted)) != sorted(self.label_names):
            raise ValueError(f"{self.name}: the dotted name holds each label once")

    @property
    def label_names(self) -> tuple[str, ...]:
        """Names of the labels in the order in which values are given."""
        return tuple(label.name for label in self.labels)

    @property
    def is_in_seconds(self) -> bool:
        """Whether what is recorded are durations, in seconds."""
        return self.name.endswith(SECONDS)

    def _own_dotted(self) -> str:
        stem = self.name.removesuffix("_total").removesuffix(SECONDS)
        return ".".join((stem, *(f"{{{name}}}" for name in self.label_names)))


def counter(
    name: str,
    meaning: str,
    *,
    labels: tuple[Label, ...] = (),
    instance: bool = True,
    dotted: str = "",
) -> Declaration:
    """Declare a running total; its name ends in `_total`."""
    return Declaration(MetricKind.COUNTER, name, meaning, labels, carries_instance=instance, dotted=dotted)


def gauge(name: str, meaning: str, *, labels: tuple[Label, ...] = (), dotted: str = "") -> Declaration:
    """Declare a level."""
    return Declaration(MetricKind.GAUGE, name, meaning, labels, dotted=dotted)


def histogram(
    name: str,
    meaning: str,
    *,
    buckets: tuple[float, ...],
    labels: tuple[Label, ...] = (),
    instance: bool = True,
    dotted: str = "",
) -> Declaration:
    """Declare a distribution; `buckets` are upper bounds in the unit that ends the name."""
    return Declaration(MetricKind.HISTOGRAM, name, meaning, labels, buckets, instance, dotted)
