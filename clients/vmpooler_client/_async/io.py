"""What differs between asyncio and threads: waiting, and being stopped while an order is under way."""

import asyncio
from typing import Protocol

import httpx

from vmpooler_client.calls import Answer, Call
from vmpooler_client.connection import http_options
from vmpooler_client.service import Service


class Sender(Protocol):
    """What sends calls."""

    async def send(self, call: Call) -> Answer:
        """Send one and return its answer."""


def open_http(service: Service) -> httpx.AsyncClient:
    """Open connections to a service."""
    return httpx.AsyncClient(**http_options(service))


async def sleep(seconds: float) -> None:
    """Wait."""
    await asyncio.sleep(seconds)


class Flight:
    """A call that goes on when its caller is cancelled, so that what it does is known."""

    def __init__(self, sender: Sender, call: Call) -> None:
        self._task = asyncio.ensure_future(sender.send(call))

    async def answer(self) -> Answer:
        """Return the answer, or raise what `send` raises."""
        return await asyncio.shield(self._task)

    async def outcome(self, grace: float) -> Answer | None:
        """Give it so many more seconds, then cut the connection; None: what it did isn't known."""
        await asyncio.wait([self._task], timeout=grace)
        if not self._task.done():
            self._task.cancel()
            await asyncio.wait([self._task])
        if self._task.cancelled() or self._task.exception() is not None:
            return None
        return self._task.result()
