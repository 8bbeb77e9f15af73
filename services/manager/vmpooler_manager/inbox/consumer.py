"""Reads an inbox for as long as the manager lives, whatever becomes of the stream."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import aclosing
from datetime import timedelta

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.core.inbox import Inbox, InboxEntry

RECOVER_EVERY = 5.0
"""Seconds between two searches for entries that a consumer has read and not finished."""
RECOVER_IDLE = timedelta(seconds=5)
"""An entry takes milliseconds: a consumer that takes longer is dead, and doing it twice changes nothing."""
CONSUMER_GONE = timedelta(hours=1)

log = structlog.get_logger()


class Consumer:
    """One consumer of the managers' group; every manager runs one for each inbox.

    `take` handles an entry, which removes it from the stream; `inbox` is its name in logs.
    """

    def __init__(
        self,
        stream: Inbox,
        *,
        inbox: str,
        manager: str,
        take: Callable[[InboxEntry], Awaitable[None]],
        pauses: Callable[[], Iterator[float]],
    ) -> None:
        self._stream = stream
        self._inbox = inbox
        self._manager = manager
        self._take = take
        self._pauses = pauses
        self._outage = Outage(f"{inbox} inbox")

    async def run(self) -> None:
        """Handle entries until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._recover())

    async def _follow(self) -> None:
        pauses = self._pauses()
        while True:
            try:
                await self._stream.prepare()
                async with aclosing(self._stream.follow(self._manager)) as batches:
                    async for entries in batches:
                        for entry in entries:
                            await self._take(entry)
                        pauses = self._pauses()
                        self._outage.ended()
            except StoreError as error:
                # Also when the group is gone with a lost data set: it is made anew.
                self._outage.began(str(error))
                await asyncio.sleep(next(pauses))

    async def _recover(self) -> None:
        while True:
            await asyncio.sleep(RECOVER_EVERY)
            try:
                for entry in await self._stream.recover(self._manager, idle=RECOVER_IDLE):
                    await self._take(entry)
                await self._stream.tidy(idle=CONSUMER_GONE)
            except StoreError as error:
                log.debug(EventName.INBOX_FAILED, inbox=self._inbox, error=str(error))
