"""Waiting for what happens by itself: as long as it takes, and no longer than a deadline."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

DEADLINE = 60.0
LOOK_EVERY = 0.05


async def eventually(look: Callable[[], Awaitable[T]], *, within: float = DEADLINE) -> T:
    """Look again and again, and return the first result that is true.

    An AssertionError of `look` counts as not yet; the last one is raised after so many seconds, and a
    TimeoutError when there was none.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + within
    while True:
        failure: AssertionError | None = None
        try:
            if result := await look():
                return result
        except AssertionError as error:
            failure = error
        if loop.time() > deadline:
            raise failure or TimeoutError(f"not within {within:g} s")
        await asyncio.sleep(LOOK_EVERY)
