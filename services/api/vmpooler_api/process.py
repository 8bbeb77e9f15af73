"""The process: from settings to a served application, and to an exit code."""

import asyncio
import socket
from collections.abc import Callable

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from vmpooler_api.app import create_app
from vmpooler_api.authentication.base import DirectoryMisconfigured
from vmpooler_api.authentication.factory import choose_directory
from vmpooler_api.metrics import ApiMetrics
from vmpooler_common.config import Configuration, ListenAddress, Settings
from vmpooler_common.metrics.backends.from_settings import report_as_configured
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.model.events import EventName
from vmpooler_common.store.from_settings import store_options
from vmpooler_common.store.store import Store
from vmpooler_common.web.connections import ConnectionLimits, Connections
from vmpooler_common.web.protocol import protocol_within
from vmpooler_common.web.server import Server, begin_logging

log = structlog.get_logger(__name__)

_SECONDS_TO_FINISH = 7
"""For requests that are being served when the process is to end; with the rest it must stay below ten."""


class ApiServer(Server):
    """Calls `before_shutdown` before it waits for the requests that are being served."""

    def __init__(
        self, config: uvicorn.Config, *, listen: ListenAddress, before_shutdown: Callable[[], None]
    ) -> None:
        super().__init__(config, listen=listen)
        self._before_shutdown = before_shutdown

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop accepting, then let what is being served end."""
        self._before_shutdown()
        await super().shutdown(sockets)


def run(configuration: Configuration) -> int:
    """Serve until a signal comes; give the exit code: 0, or 1 when the service can't work."""
    if not begin_logging(configuration):
        return 1
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_serve(configuration.settings))
        except SystemExit:  # the server can't listen, and has said why
            return 1


def server_config(app: FastAPI, *, connections: Connections) -> uvicorn.Config:
    """Say how the application is served over HTTP."""
    return uvicorn.Config(
        app,
        http=protocol_within(connections),  # type: ignore[arg-type]  # it is only called
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # whom to believe is a setting of ours
        timeout_graceful_shutdown=_SECONDS_TO_FINISH,
    )


async def _serve(settings: Settings) -> int:
    try:
        directory = choose_directory(settings)
    except DirectoryMisconfigured as error:
        log.critical(
            EventName.SERVICE_ENDED, message="the directory of users can't be used", reason=str(error)
        )
        return 1
    reporting = report_as_configured(settings)
    metrics = ApiMetrics(reporting.backend, names=settings.names)
    store = Store.connect(
        store_options(settings),
        metrics=metrics.redis,
        connections=ConnectionMetrics(reporting.backend, type="redis_connection_pool", owner="api"),
    )
    failures: list[str] = []

    def stop(reason: str) -> None:
        log.critical(EventName.SERVICE_ENDED, reason=reason)
        failures.append(reason)
        server.should_exit = True

    api = create_app(
        settings, store, metrics=metrics, registry=reporting.registry, directory=directory, stop=stop
    )
    api.app.openapi()  # made now, as it would keep the others waiting later
    connections = Connections(
        ConnectionLimits.of(settings),
        metrics.http_connections,
        always_served=frozenset({settings.prometheus.prometheus_endpoint.rstrip("/")}),
    )
    server = ApiServer(
        server_config(api.app, connections=connections),
        listen=settings.listen,
        before_shutdown=api.stop_waiting,
    )
    async with reporting.running():
        await server.serve()
    return 1 if failures else 0
