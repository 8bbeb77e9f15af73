"""An HTTP server of a test's own: it answers what a test wants, hangs, hangs up, or asks a real one."""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

from tests.support.proxy import ROUNDS_TO_ACCEPT
from tests.support.services import Service


@dataclass(frozen=True, slots=True)
class Asked:
    """One request."""

    method: str
    path: str
    """With its query."""
    headers: dict[str, str]
    body: bytes
    raw: bytes = field(repr=False)

    @property
    def json(self) -> Any:
        """Give the body."""
        return json.loads(self.body)


class HangUp(Exception):  # noqa: N818 - it is no error here
    """Close the connection without an answer."""


Behaviour = Callable[[Asked], Awaitable[bytes]]
"""Gives the whole answer to a request, or raises HangUp."""


def reply(status: int, content: object = None, **headers: str) -> bytes:
    """Make an answer; text and bytes are sent as they are, anything else as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    head = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"HTTP/1.1 {status} Some-Reason"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in {**head, **headers}.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def hang(_: Asked) -> bytes:
    """Never answer."""
    await asyncio.Event().wait()
    return b""


def ask(service: Service) -> Behaviour:
    """Pass requests on to a service, each on a connection of its own."""

    async def passed_on(asked: Asked) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        try:
            head, _, body = asked.raw.partition(b"\r\n\r\n")
            writer.write(head + b"\r\nConnection: close\r\n\r\n" + body)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()

    return passed_on


class Gate:
    """Listens on a port of this machine while it is entered. A client that leaves ends what it asked for."""

    def __init__(self, behaviour: Behaviour, *, tls: ssl.SSLContext | None = None) -> None:
        self.behaviour = behaviour
        self.asked: list[Asked] = []
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._connections: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    @property
    def url(self) -> str:
        """Where it listens."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return f"http{'s' if self._tls else ''}://localhost:{port}"

    def count(self, method: str, begin: str = "") -> int:
        """Count the requests of a method whose path begins so."""
        return sum(1 for asked in self.asked if asked.method == method and asked.path.startswith(begin))

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for _ in range(ROUNDS_TO_ACCEPT):
            await asyncio.sleep(0)
        for task, writer in self._connections.items():
            writer.transport.abort()  # its task may not have begun
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._connections[task] = writer
        task.add_done_callback(self._connections.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await _read(reader)
            self.asked.append(asked)
            answering = asyncio.ensure_future(self.behaviour(asked))
            leaving = asyncio.ensure_future(reader.read(1))
            try:
                await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
                if answering.done():
                    writer.write(answering.result())
                    await writer.drain()
            finally:
                await _end(answering)
                await _end(leaving)
        except (HangUp, OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


async def _end(task: asyncio.Future[bytes]) -> None:
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled():
        task.exception()


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    method, path, _ = first.split(" ")
    kept = [
        line for line in head.rstrip(b"\r\n").split(b"\r\n") if not line.lower().startswith(b"connection:")
    ]
    return Asked(method, path, headers, body, b"\r\n".join(kept) + b"\r\n\r\n" + body)
