"""What both services do around their own work: logging as configured, and a web server that ends well."""

import asyncio
import gc
import signal
import socket
from collections.abc import Generator
from contextlib import contextmanager
from typing import NoReturn

import structlog
import uvicorn

from vmpooler_common import logs
from vmpooler_common.config import Configuration, ListenAddress
from vmpooler_common.model.events import EventName
from vmpooler_common.web.listening import bind, url_of

log = structlog.get_logger(__name__)


class Server(uvicorn.Server):
    """uvicorn, ending without an error on SIGTERM and SIGINT, and sparing the garbage collector work.

    It listens on all addresses of `listen`, and says so.
    """

    def __init__(self, config: uvicorn.Config, *, listen: ListenAddress) -> None:
        super().__init__(config)
        self._listen = listen

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then take what lives for ever out of the collector's sight: that halves its pauses.

        Raises SystemExit when an address can't be taken, and has told so.
        """
        loop = asyncio.get_running_loop()
        try:
            sockets = await loop.run_in_executor(None, bind, self._listen.hosts, self._listen.port)
        except OSError as error:
            self._cannot_listen(error)
        try:
            await super().startup(sockets)
        except OSError as error:  # another process has begun to listen there meanwhile
            await self.lifespan.shutdown()
            self._cannot_listen(error)
        log.info(EventName.SERVICE_LISTENS, at=[url_of(listener) for listener in sockets])
        gc.collect()
        gc.freeze()

    def _cannot_listen(self, error: OSError) -> NoReturn:
        log.critical(EventName.SERVICE_ENDED, message="can't listen", reason=error.strerror or str(error))
        raise SystemExit(1) from error

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Stop serving on a signal; the original raises the signal again afterwards."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        loop.add_signal_handler(signal.SIGHUP, _reopen_log)
        try:
            yield
        finally:
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
                loop.remove_signal_handler(number)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)


def _reopen_log() -> None:
    try:
        logs.reopen()
    except logs.LogFileError as error:
        log.error(EventName.LOG_NOT_REOPENED, reason=str(error))  # noqa: TRY400 - no fault of ours
    else:
        log.info(EventName.LOG_REOPENED)


def begin_logging(configuration: Configuration) -> bool:
    """Log as configured, first what is odd about the configuration; False when that isn't possible."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the server reopens the log on it
    general = configuration.settings.general
    try:
        logs.configure(
            format="json" if general.log_format == "json" else "text",
            level=general.log_level,
            file=general.logfile,
        )
    except logs.LogFileError as error:
        log.critical(EventName.SERVICE_ENDED, message="can't log", reason=str(error))
        return False
    for warning in configuration.warnings:
        log.warning(EventName.CONFIGURATION_WARNING, warning=str(warning))
    if configuration.not_in_effect:
        names = ", ".join(str(setting) for setting in configuration.not_in_effect)
        log.warning(EventName.SETTINGS_NOT_IN_EFFECT, settings=names)
    return True
