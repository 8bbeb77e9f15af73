"""Waiting for something that happens by itself, as long as it takes and no longer."""

import asyncio
from collections.abc import Awaitable, Callable

_LONGEST_SECONDS = 20.0
_PAUSE_SECONDS = 0.02


async def until(question: Callable[[], Awaitable[bool]]) -> None:
    """Return when the answer is yes; TimeoutError when it never is."""
    async with asyncio.timeout(_LONGEST_SECONDS):
        while True:
            if await question():
                return
            await asyncio.sleep(_PAUSE_SECONDS)
