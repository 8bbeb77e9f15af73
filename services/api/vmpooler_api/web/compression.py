"""What every answer gets on its way out: common headers, and compression where it pays."""

import asyncio
import gzip
import re
import zlib

from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMMON_HEADERS = {"X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
_RAW_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in COMMON_HEADERS.items())
_GZIP = re.compile(rb"(?:^|,)\s*(?:gzip|x-gzip|\*)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?(?:,|$)", re.IGNORECASE)
_WORTH_IT = 500
"""Bytes from which an answer is compressed."""
_LEVEL = 5
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
"""Has zlib write the head and the end of gzip."""
_LARGE = 200_000
"""Bytes from which it is done beside the event loop, which it would hold up for milliseconds."""


class AnswerHeaders:
    """Adds the common headers; compresses answers for clients that accept gzip, piece by piece."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif accepts_gzip(scope):
            await self._app(scope, receive, _Compressing(send))
        else:

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], *_RAW_HEADERS]
                await send(message)

            await self._app(scope, receive, send_with_headers)


def accepts_gzip(scope: Scope) -> bool:
    """Tell whether a request's client reads gzip."""
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            accepted = _GZIP.search(value)
            if accepted is not None:
                return accepted[1] is None or accepted[1].strip(b"0.") != b""
    return False


async def _compressed(body: bytes) -> bytes:
    if len(body) < _LARGE:
        return gzip.compress(body, _LEVEL, mtime=0)
    return await asyncio.to_thread(gzip.compress, body, _LEVEL, mtime=0)


class _Stream:
    """Compresses an answer whose end isn't known yet."""

    def __init__(self) -> None:
        self._state = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP_WINDOW)

    async def compressed(self, piece: bytes, *, is_last: bool) -> bytes:
        """Give what can be sent after this piece; it may be nothing."""
        if len(piece) < _LARGE:
            compressed = self._state.compress(piece)
        else:
            compressed = await asyncio.to_thread(self._state.compress, piece)
        return compressed + self._state.flush() if is_last else compressed


class _Compressing:
    """Holds the start of an answer back until the size of its body is known."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._stream: _Stream | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            await self._begin(start, message)
        elif self._stream is None:
            await self._send(message)
        else:
            is_last = not message.get("more_body")
            body = await self._stream.compressed(message.get("body", b""), is_last=is_last)
            if body or is_last:
                await self._send({**message, "body": body})

    async def _begin(self, start: Message, message: Message) -> None:
        """Send the head, and the first piece, which may be all."""
        headers = [*start["headers"], *_RAW_HEADERS]
        body, has_more = message.get("body", b""), message.get("more_body", False)
        if any(name == b"content-encoding" for name, _ in headers) or start["status"] in (206, 304):
            worth_it = False
        else:
            worth_it = has_more or len(body) >= _WORTH_IT
        if worth_it:
            headers = [header for header in headers if header[0] != b"content-length"]
            headers.append((b"content-encoding", b"gzip"))
            if has_more:
                self._stream = _Stream()
                body = await self._stream.compressed(body, is_last=False)
            else:
                body = await _compressed(body)
                headers.append((b"content-length", b"%d" % len(body)))
        await self._send({**start, "headers": headers})
        await self._send({**message, "body": body})
