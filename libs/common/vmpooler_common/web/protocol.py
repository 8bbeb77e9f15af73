"""How both services read HTTP: as uvicorn does, but for clients that offer another protocol, or never end."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import httptools
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from vmpooler_common.web.connections import Admission, Awaited, Connections, refuse
from vmpooler_common.web.json import json_text

LARGEST_HEAD: Final = 65_536
"""Bytes of a request's line and headers; a little more passes when it comes in one piece."""
_REFUSAL = "Invalid HTTP request received."
_LATE: Final = {Awaited.HEAD: "the request's headers", Awaited.BODY: "the request's body"}
_TOO_LATE = HTTPStatus.REQUEST_TIMEOUT


class HttpProtocol(HttpToolsProtocol):
    """One connection, which may keep the server waiting within the limits of `connections` only.

    Some clients offer HTTP/2 with every request (`Upgrade: h2c`), as Java's does and `curl --http2`. The
    parser takes what follows such an offer for another protocol, the body included; uvicorn then serves the
    request without its body, and never reads a second one. Nothing here is ever upgraded, so the request is
    read once more without the offer.

    A head, or the trailers of a body, that never ends would be kept in memory for as long as it grows.
    """

    _unread = 0
    """Bytes since the last that led to something: the end of a request, or a part of a body."""
    _reading: Awaited | None = Awaited.HEAD
    """What is being read; None between two requests, where uvicorn itself limits the time."""
    _messages = 0
    """Requests that have begun."""
    _is_stuck = False
    """Whether more was sent than the client, and the network, have taken."""
    _times_stuck = 0

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: Any = None,
        *,
        connections: Connections,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._watch = connections

    def connection_made(self, transport: Any) -> None:
        """Serve the connection, unless there are too many."""
        super().connection_made(transport)
        match self._watch.opened(self):
            case Admission.CLOSED:
                transport.abort()
            case Admission.REFUSED:
                self.app = self._refuse_most

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._watch.closed(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; close the connection when that can't lead to a request."""
        self._unset_keepalive_if_required()
        self._unread += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            if not self._is_offer():
                return  # a CONNECT, whose answer is under way; what follows isn't HTTP
            (end,) = offer.args
            again = self._head_without_offer() + data[end:]
            self.parser = httptools.HttpRequestParser(self)
            self.data_received(again)
            return
        except httptools.HttpParserError:
            self._refuse()
            return
        if self._unread > LARGEST_HEAD:
            self._refuse()

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._reading = Awaited.HEAD
        self._messages += 1
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header. White space behind its value is no part of it, though the parser leaves it there."""
        super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        """Serve the request, unless it is to be read once more."""
        if not self._is_offer():
            self._reading = Awaited.BODY
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Let the request end."""
        self._unread = 0
        if not self._is_offer():
            self._reading = None
            super().on_message_complete()

    def pause_writing(self) -> None:
        """Let nothing more be written until the client has read."""
        self._is_stuck = True
        self._times_stuck += 1
        super().pause_writing()

    def resume_writing(self) -> None:
        """Go on writing."""
        self._is_stuck = False
        super().resume_writing()

    def awaits(self) -> tuple[Awaited, int] | None:
        """Tell what the client owes, with a number that changes with each new debt; None: nothing."""
        if self._is_stuck or self.transport.is_closing():
            return Awaited.SEND, self._times_stuck
        if self.flow.read_paused:  # by us, for an earlier request is served
            return None
        if self._reading is not None:
            return self._reading, self._messages
        # Empty lines before a request end uvicorn's own time limit, and begin nothing.
        is_idle = self.cycle is None or self.cycle.response_complete
        return (Awaited.HEAD, self._messages) if is_idle and self.timeout_keep_alive_task is None else None

    def cut(self, awaited: Awaited) -> None:
        """Close the connection; say why where an answer can still be given."""
        is_answering = self.cycle is not None and self.cycle.response_started
        if awaited is Awaited.SEND or (is_answering and not self.cycle.response_complete):
            self.transport.abort()
            return
        if awaited is Awaited.HEAD and self.cycle is not None and not self.cycle.response_complete:
            self.transport.abort()  # an earlier request waits for its answer, which must come first
            return
        if self._unread or (awaited is Awaited.BODY and not is_answering):
            self._say_late(_LATE[awaited])
        self.transport.close()

    def _is_offer(self) -> bool:
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    def _head_without_offer(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = b"".join(b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade")
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, headers)

    def _refuse(self) -> None:
        self.logger.warning(_REFUSAL)
        self.send_400_response(_REFUSAL)

    def _say_late(self, what: str) -> None:
        body = json_text({"ok": False, "message": f"{what} didn't come in time"})
        head = (
            f"HTTP/1.1 {_TOO_LATE} {_TOO_LATE.phrase}\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)

    async def _refuse_most(self, scope: Scope, receive: Receive, send: Send) -> None:
        serve = self.config.loaded_app if self._watch.serves_always(scope) else refuse
        await serve(scope, receive, send)


def protocol_within(connections: Connections) -> Callable[..., HttpProtocol]:
    """Give what uvicorn takes for `http`: a maker of connections that are all counted together."""

    def make(**arguments: Any) -> HttpProtocol:
        return HttpProtocol(**arguments, connections=connections)

    return make
