"""The process: from settings to a served application, and to an exit code."""

import asyncio
import gc
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager

import structlog
import uvicorn
import uvloop
from prometheus_client import CollectorRegistry, ProcessCollector

from vmpooler_api.app import create_app
from vmpooler_api.authentication.choice import choose_directory
from vmpooler_api.authentication.contract import DirectoryMisconfigured
from vmpooler_api.metrics import ApiMetrics
from vmpooler_common import logs
from vmpooler_common.config import Configuration, Settings
from vmpooler_common.metrics.connections import ConnectionMetrics
from vmpooler_common.metrics.prometheus import PrometheusBackend
from vmpooler_common.store.store import Store
from vmpooler_common.store_options import store_options

log = structlog.get_logger(__name__)

_SECONDS_TO_FINISH = 7
"""For requests that are being served when the process is to end; with the rest it must stay below ten."""


class Server(uvicorn.Server):
    """uvicorn, ending without an error on SIGTERM and SIGINT, and sparing the garbage collector work."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then take what lives for ever out of the collector's sight: that halves its pauses."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop serving on a signal; the original raises the signal again afterwards."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)


def run(configuration: Configuration) -> int:
    """Serve until a signal comes; give the exit code: 0, or 1 when the service can't work."""
    settings = configuration.settings
    try:
        logs.configure(
            format="json" if settings.general.log_format == "json" else "text",
            level=settings.general.log_level,
            file=settings.general.logfile,
        )
    except logs.LogFileError as error:
        log.critical("can't log", reason=str(error))
        return 1
    for warning in configuration.warnings:
        log.warning("configuration", warning=str(warning))
    if configuration.not_in_effect:
        log.warning(
            "settings that aren't in effect yet",
            settings=", ".join(str(setting) for setting in configuration.not_in_effect),
        )
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            return runner.run(_serve(settings))
        except SystemExit:  # the server can't listen, and has said why
            return 1


async def _serve(settings: Settings) -> int:
    try:
        directory = choose_directory(settings)
    except DirectoryMisconfigured as error:
        log.critical("the directory of users can't be used", reason=str(error))
        return 1
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    backend = PrometheusBackend(
        registry, prefix=settings.prometheus.prometheus_prefix, instance=settings.prometheus.prefix
    )
    metrics = ApiMetrics(backend, names=settings.names)
    store = Store.connect(
        store_options(settings),
        metrics=metrics.redis,
        connections=ConnectionMetrics(backend, type="redis_connection_pool", owner="api"),
    )
    failures: list[str] = []

    def stop(reason: str) -> None:
        log.critical("the service ends", reason=reason)
        failures.append(reason)
        server.should_exit = True

    app = create_app(settings, store, metrics=metrics, registry=registry, directory=directory, stop=stop)
    server = Server(
        uvicorn.Config(
            app,
            host=settings.listen.host,
            port=settings.listen.port,
            http="httptools",
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        )
    )
    await server.serve()
    return 1 if failures else 0
