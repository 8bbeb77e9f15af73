"""Asks VMs whether they can be used: whether a port accepts connections."""

import asyncio
from contextlib import suppress

AT_ONCE = 200
"""Connections that one manager tries at the same time; further checks wait for them."""


class PortProbe:
    """Tries ports of any VMs, so many at a time."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)

    async def accepts(self, ip: str, port: int, *, seconds: float) -> bool:
        """Whether the port accepts a connection within so many seconds; nothing is sent."""
        async with self._free:
            try:
                async with asyncio.timeout(seconds):
                    _, writer = await asyncio.open_connection(ip, port)
            except (OSError, TimeoutError):
                return False
            writer.close()
            with suppress(OSError):  # it was reached, however it takes the farewell
                await writer.wait_closed()
            return True
