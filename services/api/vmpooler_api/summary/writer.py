"""The use case of a summary: from a range of days to the text of the answer."""

import asyncio
import re
from collections import deque
from collections.abc import Iterable
from datetime import date

from vmpooler_api.summary.report import Content, Total
from vmpooler_api.web.errors import Unacceptable
from vmpooler_common.store.pools.statistics import DayStatistics, Statistic, Statistics
from vmpooler_common.web.json import json_text

_Pieces = list[bytes]
"""Of a text, to be joined."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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
    """Writes summaries, one after the other.

    A year of many pools is tens of megabytes. So they are written in pieces of a day, others are served in
    between, and no two are in memory at once.
    """

    def __init__(self, statistics: Statistics) -> None:
        self._statistics = statistics
        self._turn = asyncio.Lock()

    async def check(self, start: date | None, end: date | None) -> None:
        """Judge a range without reading it. Raises RangeInvalid, StoreUnavailable."""
        await self._statistics.read((), start=start, end=end)

    async def write(self, start: date | None, end: date | None) -> bytes:
        """Write everything of these days, both included. Raises RangeInvalid, StoreUnavailable."""
        async with self._turn:
            totals = {statistic: Total(statistic, only=None) for statistic in Statistic}
            daily = await self._daily(totals, start, end)
            return _object([daily, *(_member(name, total.content()) for name, total in totals.items())])

    async def write_one(
        self, statistic: Statistic, start: date | None, end: date | None, *, only: str | None
    ) -> bytes:
        """Write one statistic, or only one member or tag of it. Raises RangeInvalid, StoreUnavailable."""
        async with self._turn:
            total = Total(statistic, only=only)
            daily = await self._daily({statistic: total}, start, end)
            return _object([_member(statistic, total.content()), daily])

    async def _daily(self, totals: dict[Statistic, Total], start: date | None, end: date | None) -> _Pieces:
        days = deque(await self._statistics.read(tuple(totals), start=start, end=end))
        pieces = [b'  "daily": [\n']
        while days:
            # Each is forgotten in its turn, for that takes time, too.
            day = days.popleft()
            pieces += [b"    ", _indented(_element(day, totals), 2), b",\n"]
            await asyncio.sleep(0)
        return [*pieces[:-1], b"\n  ]"]


def _element(day: DayStatistics, totals: dict[Statistic, Total]) -> Content:
    return {"date": day.date.isoformat()} | {name: total.add(day) for name, total in totals.items()}


def _member(name: str, content: Content) -> _Pieces:
    return [f'  "{name}": '.encode(), _indented(content, 1)]


def _indented(content: Content, depth: int) -> bytes:
    # No text in JSON holds a line end as such, so each one here is of the layout.
    return json_text(content).replace(b"\n", b"\n" + b"  " * depth)


def _object(members: Iterable[_Pieces]) -> bytes:
    pieces = [b"{\n"]
    for member in members:
        pieces += [*member, b",\n"]
    # Joined once: copies of so much text would be felt.
    return b"".join([*pieces[:-1], b"\n}"])
