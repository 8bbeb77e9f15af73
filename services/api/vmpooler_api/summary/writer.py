"""The use case of a summary: from a range of days to the text of the answer."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import aclosing, asynccontextmanager
from datetime import date

from vmpooler_api.summary.report import Content, Total
from vmpooler_api.web.errors import TooManyAtOnce, Unacceptable
from vmpooler_common.store.pools.statistics import DayStatistics, Statistic, Statistics
from vmpooler_common.web.json import json_text

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
AT_ONCE = 4
"""Summaries that are written at the same time."""
_PATIENCE = 2.0
"""Seconds that others wait for one of them to end: most are short."""


def read_date(text: str | None) -> date | None:
    """Read a day that a client names; None stands for today. Raises Unacceptable."""
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:  # such as the 30th of February
        pass
    raise Unacceptable(f"Invalid date format '{text}', must match YYYY-MM-DD.")


class SummaryWriter:
    """Writes summaries in pieces of a day, a few summaries at a time.

    A year of many pools is tens of megabytes. So a piece is written only when the one before was read by the
    client, others are served in between, and days are read from the store in small parts.
    """

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._places = asyncio.Semaphore(AT_ONCE)

    async def check(self, start: date | None, end: date | None) -> None:
        """Judge a range without reading it. Raises RangeInvalid, StoreUnavailable."""
        async with aclosing(self._statistics.read((), start=start, end=end)) as parts:
            await anext(parts)

    async def write(self, start: date | None, end: date | None) -> AsyncGenerator[bytes]:
        """Write everything of these days, both included.

        Raises RangeInvalid and TooManyAtOnce before the first piece, StoreUnavailable at any time.
        """
        async with self._place():
            totals = {statistic: Total(statistic, only=None) for statistic in Statistic}
            opening = b"{\n"
            async for piece in self._daily(totals, start, end):
                yield opening + piece
                opening = b""
            for name, total in totals.items():
                yield b",\n" + _member(name, total.content())
            yield b"\n}"

    async def write_one(
        self, statistic: Statistic, start: date | None, end: date | None, *, only: str | None
    ) -> AsyncGenerator[bytes]:
        """Write one statistic, or only one member or tag of it. Raises the same.

        The sums come first, so the days are read twice.
        """
        async with self._place():
            total = Total(statistic, only=only)
            async for day in self._days([statistic], start, end):
                total.add(day)
            yield b"{\n" + _member(statistic, total.content()) + b",\n"
            async for piece in self._daily({statistic: Total(statistic, only=only)}, start, end):
                yield piece
            yield b"\n}"

    async def _daily(
        self, totals: dict[Statistic, Total], start: date | None, end: date | None
    ) -> AsyncGenerator[bytes]:
        separator = b'  "daily": [\n    '
        async for day in self._days(totals, start, end):
            yield separator + _indented(_element(day, totals), 2)
            separator = b",\n    "
        yield b"\n  ]"

    async def _days(
        self, statistics: Iterable[Statistic], start: date | None, end: date | None
    ) -> AsyncGenerator[DayStatistics]:
        async for days in self._statistics.read(tuple(statistics), start=start, end=end):
            while days:
                yield days.pop(0)
                await asyncio.sleep(0)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._places.acquire()
        except TimeoutError:
            raise TooManyAtOnce(f"{AT_ONCE} summaries are being written; try again") from None
        try:
            yield
        finally:
            self._places.release()


def _element(day: DayStatistics, totals: dict[Statistic, Total]) -> Content:
    return {"date": day.date.isoformat()} | {name: total.add(day) for name, total in totals.items()}


def _member(name: str, content: Content) -> bytes:
    return f'  "{name}": '.encode() + _indented(content, 1)


def _indented(content: Content, depth: int) -> bytes:
    # No text in JSON holds a line end as such, so each one here is of the layout.
    return json_text(content).replace(b"\n", b"\n" + b"  " * depth)
