"""A prefix of all paths, where a proxy serves the API below one: `https://example.com/vmpooler/api/v3/vm`.

Some proxies take the prefix off before they pass a request on, others don't; both work.
"""

import re

from starlette.types import ASGIApp, Receive, Scope, Send

from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_common.config.sections.serving import PREFIX

_KEY = "vmpooler.prefix"
_HEADER = b"x-forwarded-prefix"
_PREFIX = re.compile(PREFIX)
_LONGEST = 200


def prefix_of(scope: Scope) -> str:
    """Give what stands before each path on the client's side; links begin with it. Mostly empty."""
    return str(scope.get(_KEY, ""))


class PathPrefix:
    """Takes the prefix off paths and notes it; what trusted proxies say goes before the configured one."""

    def __init__(self, app: ASGIApp, *, prefix: str, addresses: ClientAddresses) -> None:
        self._app = app
        self._prefix = prefix
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http":
            prefix = self._forwarded(scope) or self._prefix
            if prefix:
                scope[_KEY] = prefix
                path: str = scope["path"]
                if path == prefix or path.startswith(f"{prefix}/"):
                    scope["path"] = path[len(prefix) :] or "/"
                    scope["raw_path"] = scope["raw_path"].removeprefix(prefix.encode())
        await self._app(scope, receive, send)

    def _forwarded(self, scope: Scope) -> str:
        given = [value for name, value in scope["headers"] if name == _HEADER]
        if len(given) != 1 or len(given[0]) > _LONGEST or not self._addresses.is_proxy(scope):
            return ""
        prefix = given[0].decode("latin-1").rstrip("/")
        return prefix if _PREFIX.fullmatch(prefix) else ""
