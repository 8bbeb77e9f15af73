"""A small HTTP server in a graph server's place: it answers as a test says, and notes what it is asked."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl, urlsplit


class GraphServerDouble:
    """Answers every request with `status` and `body`, in pieces of any size; never, while it `is_silent`."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str]]] = []
        """Path and parameters of each request."""
        self.status = 200
        self.body = b"[]"
        self.is_silent = False
        self.port = 0
        self._writers: set[asyncio.StreamWriter] = set()

    def draws(self, **series: Sequence[float | None]) -> None:
        """Answer with these points; a target is a name whose dots are written as two underscores."""
        answer = [
            {
                "target": name.replace("__", "."),
                "datapoints": [[value, 1_700_000_000 + 10 * at] for at, value in enumerate(points)],
            }
            for name, points in series.items()
        ]
        self.body = json.dumps(answer).encode()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self._writers.add(writer)
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            target = urlsplit(head.split()[1].decode())
            self.asked.append((target.path, dict(parse_qsl(target.query))))
            if self.is_silent:
                await reader.read()
                return
            lengths = f"Content-Length: {len(self.body)}\r\nConnection: close\r\n\r\n"
            writer.write(f"HTTP/1.1 {self.status} Told\r\n{lengths}".encode() + self.body)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client has left
        finally:
            self._writers.discard(writer)
            writer.close()

    def leave(self) -> None:
        """Break every connection."""
        for writer in list(self._writers):
            writer.transport.abort()


@asynccontextmanager
async def graph_server() -> AsyncIterator[GraphServerDouble]:
    """Yield a server that listens."""
    double = GraphServerDouble()
    server = await asyncio.start_server(double.answer, "127.0.0.1", 0)
    double.port = server.sockets[0].getsockname()[1]
    try:
        yield double
    finally:
        server.close()
        double.leave()
        await server.wait_closed()
