"""Requests as clients spell them: a slash too many changes nothing, and HEAD is GET without a body."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SLASHES = re.compile("/{2,}")


class Normalisation:
    """Shows the routes one spelling of each request; what was sent stays what is counted and answered."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.endswith("/") or "//" in path:
                path = scope["path"] = _SLASHES.sub("/", path).rstrip("/") or "/"
            if path.endswith("\n"):
                # Patterns of paths that end in `$` pass over it: a way around whatever else goes by the path.
                scope["path"] = f"{path[:-1]}%0A"
            if scope["method"] == "HEAD":
                await self._answer_head(scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _answer_head(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_as_head(message: Message) -> None:
            scope["method"] = "HEAD"  # by this the server knows that no body may follow
            await send(message)

        scope["method"] = "GET"
        try:
            await self._app(scope, receive, send_as_head)
        finally:
            scope["method"] = "HEAD"
