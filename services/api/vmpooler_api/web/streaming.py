"""Answers that are written while they are being sent, so that none is ever in memory as a whole."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from vmpooler_api.web.errors import Unacceptable
from vmpooler_api.web.request import has_left
from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import StoreError

log = structlog.get_logger(__name__)

LONGEST_SECONDS = 120.0
"""For a client to take a whole answer: who reads a little now and then keeps the place of others, too."""
MOST_AT_ONCE = 8_000_000
"""Bytes of an answer to HTTP/1.0, which knows no other way to tell an answer's end from a broken connection
than its length."""


class StreamedAnswer(Response):
    """Sends the pieces of an answer as they are made; the next one is made when the client has read enough.

    What the generator raises before its first piece is answered as ever. What goes wrong later breaks the
    answer off: the connection is closed before the answer's end, so that nobody takes it for whole.
    """

    def __init__(self, pieces: AsyncGenerator[bytes], *, media_type: str) -> None:
        super().__init__(media_type=media_type)
        self._pieces = pieces
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything, unless the client leaves or is too slow."""
        async with aclosing(self._pieces) as pieces:
            first = await anext(pieces)
            if scope["http_version"] == "1.0":
                whole = Response(await _joined(first, pieces), media_type=self.media_type)
                await whole(scope, receive, send)
                return
            try:
                async with asyncio.timeout(LONGEST_SECONDS):
                    await self._send(first, pieces, Request(scope, receive), send)
            except TimeoutError:
                log.warning(EventName.HTTP_ANSWER_CUT, reason=f"it wasn't read within {LONGEST_SECONDS:g} s")
            except StoreError as error:
                log.warning(EventName.HTTP_ANSWER_CUT, reason=str(error))

    async def _send(self, piece: bytes, pieces: AsyncGenerator[bytes], request: Request, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        async for following in pieces:
            if has_left(request):
                return
            await send({"type": "http.response.body", "body": following, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _joined(first: bytes, pieces: AsyncGenerator[bytes]) -> bytes:
    whole = bytearray(first)
    async for piece in pieces:
        whole += piece
        if len(whole) > MOST_AT_ONCE:
            raise Unacceptable(
                f"The answer has more than {MOST_AT_ONCE} bytes; ask with HTTP/1.1, or for less."
            )
    return bytes(whole)
