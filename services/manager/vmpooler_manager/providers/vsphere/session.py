"""The one session with vCenter: logging in, calling from a few threads, noticing that it ended."""

import asyncio
import random
import ssl
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

import structlog
from pyVmomi import SoapStubAdapter, vim

from vmpooler_common.config.sections.vsphere import VsphereProvider
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.model.events import EventName
from vmpooler_manager.providers.connection_pool import ConnectionPool, Connector
from vmpooler_manager.providers.errors import PermanentError, ProviderError, TransientError
from vmpooler_manager.providers.vsphere.faults import translate

T = TypeVar("T")

VERSION = "vim.version.version11"
"""vSphere 6.5, the oldest that has all we use; every later one speaks it, too."""
WORKERS = 4
MOST_WORKERS = 8
"""XML is read under Python's lock: more threads make nothing faster."""
LONGEST_ANSWER = timedelta(seconds=40)
"""A socket that is silent for so long is dead; the watcher waits for less."""
LONGEST_END = 2.0
"""Seconds that the end waits for calls that are under way."""
SHARE_OF_TIMEOUT = 0.8
"""The socket gives up before the call's deadline, so that no thread outlives its call for long."""

log = structlog.get_logger()


class _Stub(SoapStubAdapter):  # type: ignore[misc]
    """Counts the calls that go over the wire."""

    calls = 0

    def InvokeMethod(self, *args: Any, **more: Any) -> Any:  # noqa: N802 - overrides pyVmomi's
        with self.lock:
            self.calls += 1
        return super().InvokeMethod(*args, **more)


@dataclass(frozen=True)
class Connection:
    """A session that is logged in, to be used from any thread."""

    stub: Any
    content: Any
    session_id: str

    def of(self, ref: Any) -> Any:
        """Give an object of this or an earlier session as one that is asked through this session."""
        return type(ref)(ref._GetMoId(), self.stub)


class Session:
    """Keeps one session for all calls of a provider, logs in again when it ended."""

    def __init__(self, name: str, settings: VsphereProvider, metrics: ConnectionMetrics) -> None:
        self.name = name
        self._settings = settings
        size = min(settings.connection_pool_size or WORKERS, MOST_WORKERS)
        self._executor = ThreadPoolExecutor(size + 2, thread_name_prefix=f"vsphere-{name}")
        self._places: ConnectionPool[None] = ConnectionPool(
            name,
            Connector(_nothing),
            size=size,
            timeout=timedelta(seconds=settings.connection_pool_timeout),
            metrics=metrics,
        )
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[Connection] | None = None
        self._refused: tuple[float, ProviderError] | None = None
        self._calls_before = 0
        self._running: set[Future[Any]] = set()
        self._closed = False
        self._tls: ssl.SSLContext | None = None

    @property
    def socket_timeout(self) -> float:
        """Seconds after which a socket that is silent is given up."""
        given = self._settings.operation_timeout
        longest = LONGEST_ANSWER.total_seconds()
        return longest if given is None else min(longest, SHARE_OF_TIMEOUT * given.total_seconds())

    @property
    def calls(self) -> int:
        """How many calls went over the wire."""
        return self._calls_before + (self._connection.stub.calls if self._connection else 0)

    async def open(self) -> None:
        """Read the CA file. Raises PermanentError when it can't be used."""
        try:
            self._tls = ssl.create_default_context(cafile=self._settings.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise PermanentError(
                f"provider {self.name!r}: ca_file {self._settings.ca_file}: {error}"
            ) from error
        if self._settings.insecure:
            self._tls.check_hostname = False
            self._tls.verify_mode = ssl.CERT_NONE

    async def close(self) -> None:
        """Log out; calls that are still under way end by themselves."""
        if self._closed:
            return
        self._closed = True
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                await self.run(connection.content.sessionManager.Logout)
            except ProviderError as error:
                log.debug(EventName.PROVIDER_WARNING, provider=self.name, message=f"no logout: {error}")
        await self._places.close()
        self._executor.shutdown(wait=False, cancel_futures=True)
        under_way = [asyncio.wrap_future(future) for future in self._running]
        if under_way:
            await asyncio.wait(under_way, timeout=LONGEST_END)
        if connection is not None:
            connection.stub.DropConnections()

    async def call(self, doing: str, what: Callable[[Connection], T]) -> T:
        """Run `what` in a thread, with the session. `doing` says what it does, for messages.

        A call that vCenter refused because the session had ended was not carried out: it is sent again, once.
        Nothing else is ever repeated.
        """
        async with self._places.connection():
            connection = await self.connected()
            try:
                return await self.run(partial(what, connection), doing)
            except SessionEnded:
                self.lost(connection)
                connection = await self.connected()
                return await self.run(partial(what, connection), doing)

    async def run(self, what: Callable[[], T], doing: str = "vCenter") -> T:
        """Run a blocking call in a thread, outside of the bounded places; errors are the contract's."""
        try:
            future = self._executor.submit(what)
        except RuntimeError as error:
            raise Closed(f"provider {self.name!r} is closed") from error
        self._running.add(future)
        future.add_done_callback(self._running.discard)
        try:
            return await asyncio.wrap_future(future)
        except vim.fault.NotAuthenticated as error:
            raise SessionEnded(f"{doing}: the session has ended") from error
        except Exception as error:
            # The border to pyVmomi: it raises whatever its XML parser and sockets raise.
            raise translate(error, doing) from error

    async def connected(self) -> Connection:
        """Give the session, after a log-in if need be; all who wait share one log-in."""
        if self._connection is not None:
            return self._connection
        if self._closed:
            raise Closed(f"provider {self.name!r} is closed")
        if self._refused is not None and time.monotonic() < self._refused[0]:
            raise self._refused[1]
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.create_task(self._connect())
            self._connecting.add_done_callback(_retrieved)
        return await asyncio.shield(self._connecting)

    def lost(self, connection: Connection) -> None:
        """Forget a session that vCenter doesn't know any more."""
        if self._connection is connection:
            self._calls_before += connection.stub.calls
            self._connection = None
            connection.stub.DropConnections()
            log.warning(EventName.PROVIDER_WARNING, provider=self.name, message="the session has ended")

    async def _connect(self) -> Connection:
        attempt = 0
        while True:
            attempt += 1
            try:
                self._connection = await self.run(self._log_in, f"logging in at {self._settings.server}")
            except ProviderError as error:
                pause = attempt * self._settings.retry_factor.total_seconds() * random.uniform(0.5, 1)  # noqa: S311
                if isinstance(error, PermanentError) or attempt >= self._settings.max_tries:
                    # Hammering with a wrong password locks the user out.
                    self._refused = (time.monotonic() + pause, error)
                    raise
                await asyncio.sleep(pause)
            else:
                self._refused = None
                return self._connection

    def _log_in(self) -> Connection:
        settings = self._settings
        assert settings.server is not None  # noqa: S101 - checked when the provider was made
        assert settings.password is not None  # noqa: S101
        stub = _Stub(
            host=settings.server,
            port=settings.port,
            version=VERSION,
            sslContext=self._tls,
            poolSize=MOST_WORKERS,
            httpConnectionTimeout=self.socket_timeout,
        )
        try:
            content = vim.ServiceInstance("ServiceInstance", stub).RetrieveContent()
            user = content.sessionManager.Login(settings.username, settings.password.get_secret_value(), None)
        except BaseException:
            stub.DropConnections()
            raise
        return Connection(stub, content, user.key)


class SessionEnded(TransientError):  # noqa: N818 - the field's word
    """vCenter doesn't know the session (any more), so it did nothing."""


class Closed(TransientError):  # noqa: N818 - the field's word
    """The driver has been closed."""


async def _nothing() -> None:
    """Places in the pool stand for threads: there is nothing to be made."""


def _retrieved(task: "asyncio.Task[Connection]") -> None:
    if not task.cancelled():
        task.exception()
