"""A far end for connection pools, and a way to let other tasks come to a point."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count

from vmpooler_manager.providers.errors import TransientError

ReadMetric = Callable[[str], float | None]
"""Reads a sample of a pool's metrics by its name without the prefix; None when there is none."""


@dataclass
class Line:
    """A connection of the exchange."""

    number: int
    alive: bool = True
    ended: bool = False


@dataclass
class Exchange:
    """The far end: makes lines, counts them, may refuse."""

    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    made: list[Line] = field(default_factory=list)
    refuses: bool = False

    async def connect(self) -> Line:
        await asyncio.sleep(0)
        if self.refuses:
            raise TransientError("no line")
        line = Line(next(self.numbers))
        self.made.append(line)
        return line

    async def disconnect(self, line: Line) -> None:
        await asyncio.sleep(0)
        line.ended = True

    async def is_alive(self, line: Line) -> bool:
        await asyncio.sleep(0)
        return line.alive


async def until(condition: Callable[[], bool]) -> None:
    """Let the other tasks of this loop run until it is so."""
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110 - tasks of this loop are given their turns
            await asyncio.sleep(0)
