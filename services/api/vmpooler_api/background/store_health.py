"""Watches the store: prepares it, notices that it is away, and when it is back."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.core.errors import DataMismatch, StoreError, StoreUnavailable
from vmpooler_common.store.core.reconnect import pauses
from vmpooler_common.store.store import Store

log = structlog.get_logger(__name__)

_LOOK_AGAIN = 30.0
"""Seconds after which a store that works is checked again: it may have been replaced unnoticed."""


class RedisState(StrEnum):
    """What Redis is good for."""

    OK = "ok"
    READ_ONLY = "read-only"
    """It answers and takes no writes, so that no VM can be handed out or returned."""
    AWAY = "away"


class StoreHealth:
    """Prepares the store at start and whenever it has been away; the service goes on meanwhile.

    `attempts` is the setting `redis.reconnect_attempts`. `on_fatal` is called when this service must not
    work with the data that it finds.
    """

    def __init__(
        self,
        store: Store,
        *,
        attempts: int | Sequence[timedelta],
        wait_replicas: int,
        on_fatal: Callable[[DataMismatch], None],
    ) -> None:
        self._store = store
        self._attempts = attempts
        self._wait_replicas = wait_replicas
        self._on_fatal = on_fatal
        self._outage = Outage("Redis")
        self._wake = asyncio.Event()
        self._concerns: list[str] = []
        self.state, self.since = RedisState.AWAY, datetime.now(UTC)
        self.remedy = ""
        """What an operator can do while Redis takes no writes."""
        self.is_prepared = False
        """Whether the store worked when it was last asked, with data that this service understands."""
        self.tried = asyncio.Event()
        """Set when the first attempt has ended, well or not."""

    def noticed(self, error: StoreUnavailable) -> None:
        """A request found the store away."""
        self._trouble(error)
        if self.is_prepared:
            self.is_prepared = False
            self._wake.set()

    async def check(self) -> None:
        """Make sure that the store answers now and runs our scripts. Raises StoreUnavailable."""
        await self._store.views.counts(())
        if not self.is_prepared:
            self._wake.set()  # it is back: don't wait for the rest of the pause
            kind = "read_only" if self.state is RedisState.READ_ONLY else "refused"
            raise StoreUnavailable("the store is not prepared yet", kind=kind)

    async def run(self) -> None:
        """Watch until cancelled, or until `on_fatal` was called."""
        waits = pauses(self._attempts)
        while True:
            self._wake.clear()
            try:
                generation = await self._store.deployment.prepare()
            except DataMismatch as error:
                self._on_fatal(error)
                self.tried.set()
                return
            except StoreError as error:
                self.is_prepared = False
                self._trouble(error)
                await self._wait(next(waits))
            else:
                waits = pauses(self._attempts)
                if not self.is_prepared:
                    self.is_prepared = True
                    log.info(EventName.STORE_READY, generation=generation)
                    await self._report_concerns()
                self._enter(RedisState.OK)
                self._outage.ended()
                await self._wait(_LOOK_AGAIN)

    def _trouble(self, error: StoreError) -> None:
        self._outage.began(str(error))
        can_be_read = isinstance(error, StoreUnavailable) and error.kind == "read_only"
        if isinstance(error, StoreUnavailable) and error.remedy:
            self.remedy = error.remedy
        self._enter(RedisState.READ_ONLY if can_be_read else RedisState.AWAY)

    def _enter(self, state: RedisState) -> None:
        if state is not self.state:
            self.state, self.since = state, datetime.now(UTC)

    async def _wait(self, seconds: float) -> None:
        self.tried.set()
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _report_concerns(self) -> None:
        try:
            concerns = await self._store.deployment.concerns(wait_replicas=self._wait_replicas)
        except StoreError as error:
            log.warning(EventName.STORE_UNCHECKED, reason=str(error))
            return
        if concerns != self._concerns:
            self._concerns = concerns
            for concern in concerns:
                log.warning(EventName.STORE_CONCERN, concern=concern)
