"""A TCP proxy in front of a Redis server that breaks connections at a chosen moment.

It understands just enough of the protocol to know where requests end and when they are answered, so that a
cut falls exactly before the server has seen a request, or after it has carried it out.
"""

import asyncio
import inspect
import socket
import struct
from contextlib import suppress
from types import TracebackType
from typing import Self

import hiredis

from tests.support.faults import Callback, Fault, Moment, Predicate
from tests.support.ports import free_port

CHUNK_BYTES = 256 * 1024
_INCOMPLETE = object()

ROUNDS_TO_ACCEPT = 10
"""Rounds of the event loop, more than enough for a connection that was just accepted to be handed over."""


class Proxy:
    """Forwards connections to a port of this machine until it is told otherwise.

    `latency` is a delay in seconds that every request gets before it is forwarded; a test may set it at any
    time.
    """

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self.latency = 0.0
        self.flowing = asyncio.Event()
        self.flowing.set()
        self._target_port = target_port
        self._listener: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        """Every accepted client, from the first moment on: `down` leaves none behind."""
        self._faults: list[Fault] = []

    @property
    def url(self) -> str:
        """The address to give to a client in place of the server's."""
        return f"redis://127.0.0.1:{self.port}/0"

    async def up(self) -> None:
        """Accept connections and let everything pass."""
        self.flowing.set()
        if self._listener is None:
            self._listener = await asyncio.start_server(
                self._accept, "127.0.0.1", self.port, limit=CHUNK_BYTES
            )

    async def down(self) -> None:
        """Reset all connections and refuse new ones."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
            for _ in range(ROUNDS_TO_ACCEPT):
                await asyncio.sleep(0)
        ending = dict(self._serving)
        for task, writer in ending.items():
            _reset(writer)
            task.cancel()
        if ending:
            await asyncio.wait(ending)

    def black_hole(self) -> None:
        """Keep connections open, accept new ones and let no byte pass; `up` delivers what was held."""
        self.flowing.clear()

    def cut(
        self, predicate: Predicate, moment: Moment, *, times: int = 1, callback: Callback | None = None
    ) -> Fault:
        """Reset the connection of the next `times` matching requests, after calling `callback`.

        Cut BEFORE, a request never reaches the server.
        """
        return self._arrange(Fault(predicate, moment, times, cuts=True, callback=callback))

    def on_match(self, predicate: Predicate, moment: Moment, *, callback: Callback, times: int = 1) -> Fault:
        """Call `callback` at the moment and then go on; a callback that awaits holds the connection."""
        return self._arrange(Fault(predicate, moment, times, cuts=False, callback=callback))

    def struck(self, request: bytes, moment: Moment) -> Fault | None:
        """Return the fault that strikes this request at this moment, if one does."""
        return next((f for f in self._faults if f.moment is moment and f.strikes(request)), None)

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.down()

    def _arrange(self, fault: Fault) -> Fault:
        self._faults.append(fault)
        return fault

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._listener is None:  # the proxy went down meanwhile
            _reset(writer)
            return
        task = asyncio.create_task(self._serve(reader, writer))
        self._serving[task] = writer
        task.add_done_callback(self._serving.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):  # the server is gone
                server = await asyncio.open_connection("127.0.0.1", self._target_port, limit=CHUNK_BYTES)
                try:
                    await _Connection(self, (reader, writer), server).run()
                finally:
                    _reset(server[1])
        finally:
            _reset(writer)


class _Connection:
    """One client's connection and the one to the server behind it."""

    def __init__(
        self,
        proxy: Proxy,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        server: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        self._proxy = proxy
        self._client_reader, self._client_writer = client
        self._server_reader, self._server_writer = server
        self._asked = 0
        self._answered = 0
        self._awaiting: tuple[int, Fault] | None = None
        """This fault strikes the answer with this number."""

    async def run(self) -> None:
        """Carry bytes both ways until one side ends or a fault cuts."""
        ways = [asyncio.create_task(self._carry_requests()), asyncio.create_task(self._carry_replies())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            ends = await asyncio.gather(*ways, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception) and not isinstance(end, OSError):
                raise end

    async def _carry_requests(self) -> None:
        request = b""
        while chunk := await self._client_reader.read(CHUNK_BYTES):
            request += chunk
            commands = _count_commands(request)
            if commands is None:
                continue  # the rest of the last command is still under way
            await self._proxy.flowing.wait()
            await asyncio.sleep(self._proxy.latency)
            if await self._is_cut(self._proxy.struck(request, Moment.BEFORE)):
                return
            self._asked += commands
            fault = self._proxy.struck(request, Moment.AFTER)
            if fault is not None:
                self._awaiting = (self._asked, fault)
            self._server_writer.write(request)
            await self._server_writer.drain()
            request = b""

    async def _carry_replies(self) -> None:
        parser = hiredis.Reader(notEnoughData=_INCOMPLETE)
        held = b""
        while chunk := await self._server_reader.read(CHUNK_BYTES):
            held += chunk
            parser.feed(chunk)
            while (reply := parser.gets(False)) is not _INCOMPLETE:
                self._answered += not isinstance(reply, hiredis.PushNotification)
            if self._awaiting is not None:
                number, fault = self._awaiting
                if self._answered < number:
                    continue  # of a struck pipeline the client sees no reply at all
                self._awaiting = None
                if await self._is_cut(fault):
                    return
            await self._proxy.flowing.wait()
            self._client_writer.write(held)
            await self._client_writer.drain()
            held = b""

    async def _is_cut(self, fault: Fault | None) -> bool:
        if fault is None:
            return False
        if fault.callback is not None:
            result = fault.callback()
            if inspect.isawaitable(result):
                await result
        return fault.cuts


def _count_commands(request: bytes) -> int | None:
    """Count the commands in what a client sent; None when the last one is not complete."""
    count = position = 0
    try:
        while position < len(request):
            items, position = _header(request, position)
            for _ in range(items):
                size, position = _header(request, position)
                position += size + len(b"\r\n")
            count += 1
    except EOFError:
        return None
    return count if position == len(request) else None


def _header(request: bytes, position: int) -> tuple[int, int]:
    """Return the header line's number and where the next line starts; EOFError when it isn't complete."""
    end = request.find(b"\r\n", position)
    if end < 0:
        raise EOFError
    return int(request[position + 1 : end]), end + len(b"\r\n")


def _reset(writer: asyncio.StreamWriter) -> None:
    if not writer.transport.is_closing():
        connection = writer.get_extra_info("socket")
        # Lingering for no time turns the close into a RST.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
