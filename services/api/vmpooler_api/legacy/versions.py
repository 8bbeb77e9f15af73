"""Serves `/api/v1`, `/api/v2`, and some paths without a version, by the routes of v3, whichever those are."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlencode

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vmpooler_api.legacy.answers import Answer, Revision
from vmpooler_common.metrics.route_template import NOTED, UNMATCHED, route_template
from vmpooler_common.web.json import JsonAnswer

CURRENT = "/api/v3"
V1, V2 = "/api/v1", "/api/v2"
DEPRECATED_SINCE = datetime(2023, 3, 28, tzinfo=UTC)
"""When vmpooler 3.0.0 ended them. They aren't going to be removed, so there is no Sunset header."""

_PREFIXES = (V1, V2)
UNVERSIONED = ("vm", "token", "status", "summary")
"""What the oldest clients ask for without any prefix; it is v1."""
_LENGTH = len(V1)
_SUCCESSFUL = (200, 201)


class LegacyVersions:
    """Lets the application see the request for v3; tells the client that it asks for something deprecated.

    The limiter goes inside, so that its refusals are told so, too; log and metrics, which note what was asked
    for, go outside. `revision_for` gives what v1 says otherwise to a method and the path behind the prefix,
    or None.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        revision_for: Callable[[str, str], Revision | None],
        serves_unversioned: bool,
    ) -> None:
        self._app = app
        self._revision_for = revision_for
        self._unversioned = UNVERSIONED if serves_unversioned else ()

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass the request on. No coroutine of its own: that would cost every request of v3 a little."""
        if scope["type"] == "http" and not scope["path"].startswith(CURRENT):
            prefix = self._prefix_of(scope["path"])
            if prefix is not None:
                return self._serve(prefix, scope, receive, send)
        return self._app(scope, receive, send)

    def _prefix_of(self, path: str) -> str | None:
        """Give what stands before the part that all versions have; None when it is no legacy path."""
        prefix, end = path[:_LENGTH], path[_LENGTH : _LENGTH + 1]
        if prefix in _PREFIXES and end in ("", "/"):
            return prefix
        return "" if path[1:].partition("/")[0] in self._unversioned else None

    async def _serve(self, prefix: str, scope: Scope, receive: Receive, send: Send) -> None:
        rest = scope["path"].removeprefix(prefix)
        revision = None if prefix == V2 else self._revision_for(scope["method"], rest)
        application, root_path = scope["app"], scope.get("root_path", "")
        told = _telling(scope["raw_path"], send)
        scope["path"] = CURRENT + rest
        if b"format" in scope["query_string"]:
            scope["query_string"] = _without_format(scope["query_string"])
        try:
            await self._app(scope, receive, told if revision is None else _Revising(revision, told))
        finally:
            template = route_template(scope, application.routes, root_path=root_path)
            if template != UNMATCHED:
                scope[NOTED] = prefix + template.removeprefix(CURRENT)


def _without_format(query: bytes) -> bytes:
    """Leave out a parameter that is new in v3."""
    given = parse_qsl(query, keep_blank_values=True)
    return urlencode([(name, value) for name, value in given if name != b"format"]).encode()


class _Revising:
    """Holds an answer back until it is whole, and sends it as v1 would say it."""

    def __init__(self, revision: Revision, send: Send) -> None:
        self._revision = revision
        self._send = send
        self._start: Message | None = None
        self._body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in _SUCCESSFUL:
            self._start = message
            return
        if self._start is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        answer: Answer = json.loads(bytes(self._body))
        body = JsonAnswer(self._revision(answer)).body
        headers = [header for header in self._start["headers"] if header[0] != b"content-length"]
        headers.append((b"content-length", b"%d" % len(body)))
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def _telling(raw_path: bytes, send: Send) -> Send:
    """Add the headers of something deprecated (RFC 9745); the link is relative: a proxy may add a prefix."""
    documentation = "../" * (raw_path.count(b"/") - 1) + "docs"
    raw = [
        (b"deprecation", b"@%d" % DEPRECATED_SINCE.timestamp()),
        (b"link", f'<{documentation}>; rel="deprecation"; type="text/html"'.encode()),
    ]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *raw]}
        await send(message)

    return send_with_headers
