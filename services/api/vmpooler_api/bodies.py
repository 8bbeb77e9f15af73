"""Reading a request without trusting its length, its type or its contents; seeing its client leave."""

import json
from typing import Any

from starlette.requests import Request

from vmpooler_api.refusals import ClientLeft

LARGEST_BODY = 10_240
"""Bytes of a request for VMs."""


class Numeral(str):
    """A number in JSON, as it was written: 1e400 or 5,000 digits do no harm."""

    __slots__ = ()


async def read_body(request: Request, most: int) -> bytes:
    """Give the body; of one that is longer than `most` bytes only so much that its excess shows.

    Raises ClientLeft when the connection ends before the body does.
    """
    body = bytearray()
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientLeft("while sending its request")
        body += message.get("body", b"")
        if not message.get("more_body") or len(body) > most:
            return bytes(body[: most + 1])


def parse_json(body: bytes) -> Any:
    """Parse a body; numbers are Numerals. Raises UnicodeDecodeError, JSONDecodeError, RecursionError."""
    return json.loads(body.decode(), parse_int=Numeral, parse_float=Numeral, parse_constant=Numeral)


def has_left(request: Request) -> bool:
    """Tell whether the client has closed the connection. The body must have been read.

    Looks only at what is known already: the wait for the next message is begun and given up at once,
    so that the event loop has nothing to cancel and no turn is lost; that is a quarter of a checkout's cost.
    """
    waiting = request.receive().__await__()
    try:
        next(waiting)
    except StopIteration as known:
        return bool(known.value["type"] == "http.disconnect")
    waiting.close()
    return False
