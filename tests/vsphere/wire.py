"""A way to vCenter that can be cut, whatever is encrypted on it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Self

from tests.support.proxy import ROUNDS_TO_ACCEPT


class Wire:
    """Forwards connections to a port of this machine; `cut` resets them and refuses others until `mend`."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.port = 0
        self._is_cut = False
        self._requests = 0
        self._has_passed = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._ways: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        """Every accepted connection, from the first moment on: nothing is left of it at the end."""

    def cut(self) -> None:
        """Reset all connections, and each new one."""
        self._is_cut = True
        for way, writer in self._ways.items():
            writer.transport.abort()  # its task may not have begun
            way.cancel()

    def mend(self) -> None:
        """Let everything pass again."""
        self._is_cut = False

    async def passed(self, requests: int) -> None:
        """Return when so many more requests have passed, TLS greetings among them."""
        wanted = self._requests + requests
        while self._requests < wanted:
            self._has_passed.clear()
            await self._has_passed.wait()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for _ in range(ROUNDS_TO_ACCEPT):
            await asyncio.sleep(0)
        self.cut()
        await asyncio.gather(*self._ways, return_exceptions=True)

    def _count(self) -> None:
        self._requests += 1
        self._has_passed.set()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        way = asyncio.create_task(self._serve(reader, writer))
        self._ways[way] = writer
        way.add_done_callback(self._ways.pop)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError):
                if not self._is_cut:
                    async with _connected(self.target) as (back, forth):
                        await _first(_carry(reader, forth, self._count), _carry(back, writer))
        finally:
            writer.transport.abort()


@asynccontextmanager
async def _connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _carry(
    source: asyncio.StreamReader, target: asyncio.StreamWriter, count: Callable[[], None] | None = None
) -> None:
    with suppress(OSError):
        while chunk := await source.read(65536):
            if count is not None:
                count()
            target.write(chunk)
            await target.drain()


async def _first(*ways: Coroutine[None, None, None]) -> None:
    tasks = [asyncio.create_task(way) for way in ways]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
