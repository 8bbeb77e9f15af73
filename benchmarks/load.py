"""Clients of the API in a process of their own: `python -m benchmarks.load PORT CONNECTIONS COUNT WORK`.

Every connection is kept alive and sends its next request when the last one is answered. WORK is one of

    checkouts POOL [TOKEN]   COUNT checkouts, each followed by the return of its VM
    asking PATH              COUNT requests with GET

Ends with 0 when every answer was good, else with a message and 1.
"""

import asyncio
import json
import re
import sys
from collections.abc import Callable, Generator, Mapping
from typing import cast

import uvloop

VMS = "/api/v3/vm"

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"
_DONE = (b"HTTP/1.1 200 ", b"HTTP/1.1 201 ")

Conversation = Generator[bytes, bytes, None]
"""Yields requests and is sent the body of each answer."""


class Connection(asyncio.Protocol):
    """Holds one conversation over a connection; `done` tells its end."""

    def __init__(self, conversation: Conversation, done: asyncio.Future[None]) -> None:
        self._conversation = conversation
        self._done = done
        self._received = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        # uvloop's transports aren't subclasses of asyncio's.
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.write(next(self._conversation))

    def data_received(self, data: bytes) -> None:
        """Send the next request when the answer is whole."""
        self._received += data
        head_end = self._received.find(_END_OF_HEAD)
        length = _LENGTH.search(self._received, 0, head_end + 2) if head_end >= 0 else None
        body_start = head_end + len(_END_OF_HEAD)
        if length is None or len(self._received) < body_start + int(length[1]):
            return
        answer, self._received = self._received, b""
        if answer.startswith(_DONE):
            self._go_on(answer[body_start:])
        else:
            self._fail(RuntimeError(f"the API answered {answer.decode(errors='replace')}"))

    def connection_lost(self, exc: Exception | None) -> None:
        """Only the end of the conversation closes it in order."""
        self._fail(exc or ConnectionError("the API closed a connection"))

    def _go_on(self, body: bytes) -> None:
        assert self._transport is not None
        try:
            self._transport.write(self._conversation.send(body))
        except StopIteration:
            self._done.set_result(None)
            self._transport.close()

    def _fail(self, error: Exception) -> None:
        if not self._done.done():
            self._done.set_exception(error)


def checkouts(count: int, pool: str, token: str | None = None) -> Conversation:
    """Take a VM and give it back, so many times."""
    for _ in range(count):
        granted = json.loads((yield request_for("POST", f"{VMS}/{pool}", token=token)))
        yield request_for("DELETE", f"{VMS}/{granted[pool]['hostname']}", token=token)


def asking(count: int, path: str) -> Conversation:
    """Ask for the same, so many times."""
    request = request_for("GET", path)
    for _ in range(count):
        yield request


WORK: Mapping[str, Callable[..., Conversation]] = {"checkouts": checkouts, "asking": asking}


def request_for(method: str, path: str, body: bytes = b"", *, token: str | None = None) -> bytes:
    """Give a request as it is sent."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    if token is not None:
        head += f"X-AUTH-TOKEN: {token}\r\n"
    return head.encode() + b"\r\n" + body


async def run(port: int, conversations: list[Conversation]) -> None:
    """Hold all conversations at once; raises when one goes wrong."""
    loop = asyncio.get_running_loop()
    ends: list[asyncio.Future[None]] = []
    for conversation in conversations:
        done: asyncio.Future[None] = loop.create_future()
        ends.append(done)
        await loop.create_connection(lambda: Connection(conversation, done), "127.0.0.1", port)  # noqa: B023
    await asyncio.gather(*ends)


def main(arguments: list[str]) -> None:
    """Do what the module's description says."""
    port, connections, count = (int(text) for text in arguments[:3])
    work, *details = arguments[3:]
    shares = [count // connections + (number < count % connections) for number in range(connections)]
    uvloop.run(run(port, [WORK[work](share, *details) for share in shares if share]))


if __name__ == "__main__":
    main(sys.argv[1:])
