"""How both services read HTTP: as uvicorn does, but for clients that offer another protocol, or never end."""

from typing import Final

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD: Final = 65_536
"""Bytes of a request's line and headers; a little more passes when it comes in one piece."""
_REFUSAL = "Invalid HTTP request received."


class HttpProtocol(HttpToolsProtocol):
    """One connection.

    Some clients offer HTTP/2 with every request (`Upgrade: h2c`), as Java's does and `curl --http2`. The
    parser takes what follows such an offer for another protocol, the body included; uvicorn then serves the
    request without its body, and never reads a second one. Nothing here is ever upgraded, so the request is
    read once more without the offer.

    A head, or the trailers of a body, that never ends would be kept in memory for as long as it grows.
    """

    _unread = 0
    """Bytes since the last that led to something: the end of a request, or a part of a body."""

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

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header. White space behind its value is no part of it, though the parser leaves it there."""
        super().on_header(name, value.rstrip(b" \t"))

    def on_headers_complete(self) -> None:
        """Serve the request, unless it is to be read once more."""
        if not self._is_offer():
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Hand a part of the body on."""
        self._unread = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Let the request end."""
        self._unread = 0
        if not self._is_offer():
            super().on_message_complete()

    def _is_offer(self) -> bool:
        return bool(self.parser.should_upgrade()) and self.parser.get_method() != b"CONNECT"

    def _head_without_offer(self) -> bytes:
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        headers = b"".join(b"%b: %b\r\n" % header for header in self.headers if header[0] != b"upgrade")
        return b"%b %b HTTP/%b\r\n%b\r\n" % (method, self.url, version, headers)

    def _refuse(self) -> None:
        self.logger.warning(_REFUSAL)
        self.send_400_response(_REFUSAL)
