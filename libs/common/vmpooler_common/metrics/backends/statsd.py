"""Sends what was gathered to statsd: lines of its protocol in UDP datagrams."""

import asyncio
import socket
from collections.abc import Iterator

from vmpooler_common.metrics.backends.gathering import Gathered

_LARGEST_DATAGRAM = 1400
"""Bytes that pass through an Ethernet in one piece, headers of IPv6 and tunnels included."""
_SECONDS_FOR_REFUSAL = 0.05
"""So long after sending, a host without a listener has said so, if it does."""


class Statsd:
    """One receiver. It is looked up anew after each failure, since its address may have changed."""

    NAME = "statsd"

    def __init__(self, server: str, port: int) -> None:
        self._server = server
        self._port = port
        self._socket: socket.socket | None = None

    async def send(self, gathered: Gathered) -> None:
        """Send everything. Raises OSError when the receiver is known not to be there.

        That it is not known doesn't say that it was received: that is how UDP is.
        """
        if self._socket is None:
            self._socket = await self._connected()
        try:
            for datagram in _datagrams(lines(gathered)):
                await asyncio.get_running_loop().sock_sendall(self._socket, datagram)
            await asyncio.sleep(_SECONDS_FOR_REFUSAL)
            _raise_refusal(self._socket)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _connected(self) -> socket.socket:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(self._server, self._port, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        sender = socket.socket(family, kind, protocol)
        sender.setblocking(False)
        try:
            # Connected, so that a host's answer that nobody listens reaches this socket.
            sender.connect(address)
        except OSError:
            sender.close()
            raise
        return sender


def _raise_refusal(sender: socket.socket) -> None:
    if failure := sender.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise OSError(failure, "nobody listens")


def lines(gathered: Gathered) -> Iterator[str]:
    """Write the lines of the protocol; durations are in milliseconds, as it wants them."""
    for name, count in gathered.counts.items():
        yield f"{name}:{count:.15g}|c"
    for name, level in gathered.levels.items():
        if level < 0:  # a sign makes it a change of the level, so it is brought to nothing before
            yield f"{name}:0|g"
        yield f"{name}:{level:.15g}|g"
    for name, observations in gathered.observations.items():
        factor = 1000 if name in gathered.in_seconds else 1
        for observation in observations:
            yield f"{name}:{observation * factor:.15g}|ms"


def _datagrams(lines: Iterator[str]) -> Iterator[bytes]:
    """Put as many lines into each datagram as fit, in their order."""
    datagram = b""
    for line in lines:
        encoded = line.encode()
        if datagram and len(datagram) + 1 + len(encoded) > _LARGEST_DATAGRAM:
            yield datagram
            datagram = b""
        datagram = datagram + b"\n" + encoded if datagram else encoded
    if datagram:
        yield datagram
