"""Reading the bodies of requests, and noticing that a client has left."""

import json
from typing import Any

from starlette.requests import Request

from vmpooler_api.web.errors import BadRequest, ClientLeft

LARGEST_BODY = 10_240
"""Bytes of a request for VMs, or for a change of one."""
_DEEPEST = 5
"""Levels of objects and lists in such a request."""


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


def parse_object(body: bytes) -> dict[str, Any]:
    """Parse a body that has to be a JSON object, as `parse_json` does. Raises BadRequest."""
    if len(body) > LARGEST_BODY:
        raise BadRequest("Request body too large")
    try:
        content = parse_json(body)
    except UnicodeDecodeError as error:
        raise BadRequest(f"Invalid JSON: byte {error.start} isn't UTF-8") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"Invalid JSON at line {error.lineno} column {error.colno}") from None
    except RecursionError:
        raise BadRequest("Request body too complex") from None
    if not isinstance(content, dict):
        raise BadRequest("Request body must be a JSON object")
    if _is_deeper(content, _DEEPEST):
        raise BadRequest("Request body too complex")
    return content


def _is_deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(item, levels - 1) for item in inner)


def as_text(value: Any) -> str:
    """Say a parsed value in a sentence: texts and numbers as they were written, nothing for null."""
    if value is None:
        return ""
    # What is told must be UTF-8, which not every text in JSON can become.
    return value.encode(errors="replace").decode() if isinstance(value, str) else _as_json(value)


def _as_json(value: Any) -> str:
    match value:
        case Numeral():
            return str(value)
        case dict():
            return (
                f"{{{', '.join(f'{json.dumps(name)}: {_as_json(inner)}' for name, inner in value.items())}}}"
            )
        case list():
            return f"[{', '.join(map(_as_json, value))}]"
    return json.dumps(value)


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


async def client_leaves(request: Request) -> None:
    """Return when the client has closed its connection; what it still sends is dropped."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
