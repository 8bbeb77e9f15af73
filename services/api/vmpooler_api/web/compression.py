"""What every answer gets on its way out: common headers, and compression where it pays."""

import asyncio
import gzip
import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

COMMON_HEADERS = {"X-Content-Type-Options": "nosniff", "Vary": "Accept-Encoding"}
_RAW_HEADERS = tuple((name.lower().encode(), value.encode()) for name, value in COMMON_HEADERS.items())
_GZIP = re.compile(rb"(?:^|,)\s*(?:gzip|x-gzip|\*)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?(?:,|$)", re.IGNORECASE)
_WORTH_IT = 500
"""Bytes from which an answer is compressed."""
_LEVEL = 5
_LARGE = 200_000
"""Bytes from which it is done beside the event loop, which it would hold up for milliseconds."""


class AnswerHeaders:
    """Adds the common headers; compresses answers of one piece for clients that accept gzip."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif _accepts_gzip(scope):
            await self._app(scope, receive, _Compressing(send))
        else:

            async def send_with_headers(message: Message) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message["headers"], *_RAW_HEADERS]
                await send(message)

            await self._app(scope, receive, send_with_headers)


def _accepts_gzip(scope: Scope) -> bool:
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


class _Compressing:
    """Holds the start of an answer back until the size of its body is known."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            headers = [*start["headers"], *_RAW_HEADERS]
            body = message.get("body", b"")
            names = {name for name, _ in headers}
            if (
                not message.get("more_body")
                and len(body) >= _WORTH_IT
                and b"content-encoding" not in names
                and start["status"] not in (206, 304)
            ):
                body = await _compressed(body)
                headers = [header for header in headers if header[0] != b"content-length"]
                headers += [(b"content-encoding", b"gzip"), (b"content-length", b"%d" % len(body))]
                message = {**message, "body": body}
            await self._send({**start, "headers": headers})
        await self._send(message)
