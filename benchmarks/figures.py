"""What was measured, beside what vmpooler 3.9.1 needs and what is to be reached."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

HEADINGS = ("", "median", "least-most", "target", "3.9.1", "")


@dataclass(frozen=True, slots=True)
class Figure:
    """One quantity, measured once or several times."""

    what: str
    unit: str
    """Empty for a ratio."""
    values: tuple[float, ...]
    target: float | None = None
    """The median is to be at most this; None: for information."""
    legacy: str = ""
    """What vmpooler 3.9.1 needs on the same kind of machine, in the same unit."""

    @property
    def is_reached(self) -> bool | None:
        """Whether the median is within the target; None without one."""
        return None if self.target is None else median(self.values) <= self.target


def as_table(figures: Sequence[Figure]) -> str:
    """Give the figures as aligned text, a line each."""
    rows = [HEADINGS, *(_row(figure) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return "\n".join(_aligned(row, widths) for row in rows)


def as_data(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """Give the figures as data for JSON."""
    return [asdict(figure) | {"median": median(figure.values)} for figure in figures]


def _row(figure: Figure) -> tuple[str, ...]:
    least, most = min(figure.values), max(figure.values)
    verdict = {True: "reached", False: "MISSED", None: ""}[figure.is_reached]
    return (
        figure.what,
        f"{_number(median(figure.values))} {figure.unit}".rstrip(),
        f"{_number(least)}-{_number(most)}" if len(figure.values) > 1 else "",
        "" if figure.target is None else f"{figure.target:g}",
        figure.legacy,
        verdict,
    )


def _number(value: float) -> str:
    """Three digits that count."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others, last = [
        text.ljust(width) if column in {0, len(row) - 1} else text.rjust(width)
        for column, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join([first, *others, last]).rstrip()
