"""Refuses changes that another site's page makes in a visitor's browser, where no token would tell.

Without authentication whoever reaches the API may change everything, and a browser reaches it for every page
that its user visits. Browsers say where a request comes from; scripts and other clients say nothing.
"""

from collections.abc import Collection, Mapping
from typing import Any

from starlette.types import ASGIApp, Receive, Scope, Send

from vmpooler_api.web.refusal_log import RefusalLog
from vmpooler_common.web.json import JsonAnswer

_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_TELLING = frozenset({b"origin", b"sec-fetch-site", b"host"})
_FOREIGN_PAGE = "a page of another site may not change anything here"
FOREIGN: Mapping[str, Any] = {
    "403": {
        "description": "A page of another site asks, or the API is asked under an unknown name.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"ok": {"type": "boolean"}, "message": {"type": "string"}},
                    "required": ["ok", "message"],
                    "additionalProperties": False,
                    "example": {"ok": False, "message": _FOREIGN_PAGE},
                }
            }
        },
    }
}
"""The refusal in the OpenAPI document."""


class OriginGuard:
    """Passes requests on that only read, and changes that aren't a foreign page's.

    `hosts` are the names that the API is reached under, in lower case: with any of them, a change has to come
    to one of these, or a page could have its own name resolved to this address. `checks_pages` is False
    where tokens protect.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str],
        checks_pages: bool,
        refusals: RefusalLog,
    ) -> None:
        self._app = app
        self._hosts = frozenset(hosts)
        self._checks_pages = checks_pages
        self._refusals = refusals

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if scope["type"] == "http" and scope["method"] not in _READING:
            told = {name: value for name, value in scope["headers"] if name in _TELLING}
            complaint = self._complaint(told)
            if complaint:
                self._refusals.refused_early(scope, 403, reason=complaint)
                await JsonAnswer({"ok": False, "message": complaint}, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _complaint(self, told: dict[bytes, bytes]) -> str:
        host = told.get(b"host", b"").decode("latin-1").lower()
        if self._hosts and _without_port(host) not in self._hosts:
            return "this name of the service isn't among config.hosts"
        if not self._checks_pages:
            return ""
        site = told.get(b"sec-fetch-site", b"").lower()
        if site in (b"same-origin", b"none"):
            return ""
        if site == b"cross-site":
            return _FOREIGN_PAGE
        origin = told.get(b"origin")
        if origin is None:
            return ""
        asking = origin.decode("latin-1").lower().partition("://")[2]
        return "" if asking and (asking == host or _without_port(asking) in self._hosts) else _FOREIGN_PAGE


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]
