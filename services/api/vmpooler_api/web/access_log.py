"""One line in the log for each request: what was asked, how it ended, how long it took, and by whom."""

from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_common.metrics.route_template import route_template
from vmpooler_common.model.events import EventName

log = structlog.get_logger(__name__)


class AccessLog:
    """Logs requests by their route's template: paths and queries hold host names and more.

    An answer that never began is logged as the 500 that the server then sends.
    """

    def __init__(self, app: ASGIApp, *, addresses: ClientAddresses) -> None:
        self._app = app
        self._addresses = addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and log it when it has ended; whatever is raised goes on being raised."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Both are replaced in the same scope when the request goes into a mounted application.
        application, root_path = scope.get("app"), scope.get("root_path", "")
        status, sent = 500, 0

        async def noting_the_answer(message: Message) -> None:
            nonlocal status, sent
            if message["type"] == "http.response.start":
                status = message["status"]
            elif message["type"] == "http.response.body" and scope["method"] != "HEAD":
                sent += len(message.get("body", b""))
            await send(message)

        began = perf_counter()
        try:
            await self._app(scope, receive, noting_the_answer)
        finally:
            log.info(
                EventName.HTTP_REQUEST,
                method=scope["method"],
                route=route_template(scope, getattr(application, "routes", ()), root_path=root_path),
                status=status,
                milliseconds=round((perf_counter() - began) * 1000, 1),
                client=self._addresses.address_of(scope),
                bytes=sent,
            )
