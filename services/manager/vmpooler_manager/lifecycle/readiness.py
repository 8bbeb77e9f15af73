"""Asks VMs whether they can be used: whether a port accepts connections."""

import asyncio
import socket

AT_ONCE = 200
"""Connections that one manager tries at the same time; further checks wait for them."""


class PortProbe:
    """Tries ports of any VMs, so many at a time."""

    def __init__(self) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)

    async def accepts(self, ip: str, port: int, *, seconds: float) -> bool:
        """Whether the port accepts a connection within so many seconds; nothing is sent."""
        family = socket.AF_INET6 if ":" in ip else socket.AF_INET
        async with self._free:
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setblocking(False)
                try:
                    async with asyncio.timeout(seconds):
                        await asyncio.get_running_loop().sock_connect(probe, (ip, port))
                except (OSError, TimeoutError):
                    return False
            return True
