"""Receivers of metrics: a UDP and a TCP listener of a test's own, that note the lines that they are sent."""

import asyncio

from tests.support.eventually import eventually


class Received:
    """Lines in the order in which they came."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def saw(self, line: str) -> None:
        """Return when such a line was received, with a time behind it or without."""

        async def look() -> bool:
            return any(seen == line or seen.startswith(f"{line} ") for seen in self.lines)

        await eventually(look)


class UdpListener(Received, asyncio.DatagramProtocol):
    """Receives datagrams, as statsd does; may be closed, and opened again on its port."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self.datagrams: list[bytes] = []
        self._transport: asyncio.DatagramTransport | None = None

    def datagram_received(self, data: bytes, addr: tuple[str | object, int]) -> None:
        """Note the lines of a datagram."""
        self.datagrams.append(data)
        self.lines += data.decode().split("\n")

    async def open(self) -> None:
        """Listen."""
        address = ("127.0.0.1", self.port)
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=address)

    async def close(self) -> None:
        """Don't listen any more."""
        if self._transport is not None:
            self._transport.close()
            self._transport = None
            await asyncio.sleep(0)


class TcpListener(Received):
    """Receives lines over connections, as Graphite does; may be closed, and opened again on its port."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self.port = port
        self.connections = 0
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._receive, "127.0.0.1", self.port)

    async def close(self) -> None:
        """Don't listen any more, and break every connection."""
        if self._server is not None:
            self._server.close()
            for writer in self._writers:
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def _receive(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        try:
            while line := await reader.readline():
                self.lines.append(line.decode().rstrip("\n"))
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()
