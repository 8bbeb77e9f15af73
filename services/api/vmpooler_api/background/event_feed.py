"""The one reader of the store's events in a process, for everybody who waits for something."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import aclosing, contextmanager
from datetime import timedelta
from typing import Protocol

from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.core.events import Event, Events
from vmpooler_common.store.core.reconnect import pauses

_LINGER = 60.0
"""Seconds for which events are followed after nobody waits any more, lest every client connects anew."""


class Listener(Protocol):
    """Whoever waits, or has clients that do; called in the event loop, and must return at once."""

    def on_event(self, event: Event) -> None:
        """Something happened."""

    def catch_up(self) -> None:
        """Events may have been missed, or are followed only from now on: look at everything."""


class EventFeed:
    """One per process. `attempts` is the setting `redis.reconnect_attempts`."""

    def __init__(self, events: Events, *, attempts: int | Sequence[timedelta]) -> None:
        self._events = events
        self._attempts = attempts
        self._listeners: list[Listener] = []
        self._followers = 0
        self._left_at = 0.0
        self._wanted = asyncio.Event()
        self._outage = Outage("following events")

    def add_listener(self, listener: Listener) -> None:
        """Tell this listener of all events, as long as anybody waits for one."""
        self._listeners.append(listener)

    @contextmanager
    def following(self) -> Iterator[None]:
        """Have events followed while somebody waits; what happened before isn't told."""
        self._followers += 1
        self._wanted.set()
        try:
            yield
        finally:
            self._followers -= 1
            if not self._followers:
                self._wanted.clear()
                self._left_at = asyncio.get_running_loop().time()

    async def run(self) -> None:
        """Tell listeners of events until cancelled, with a connection only while somebody waits."""
        waits = pauses(self._attempts)
        while True:
            await self._wanted.wait()
            try:
                async with aclosing(self._events.follow()) as events:
                    async for event in events:
                        if event.name is EventName.EVENTS_MISSED:
                            self._outage.ended()
                            waits = pauses(self._attempts)
                        self._tell(event)
                        if self._is_deserted():
                            break
            except StoreError as error:
                self._outage.began(str(error))
                await asyncio.sleep(next(waits))

    def _tell(self, event: Event) -> None:
        for listener in self._listeners:
            if event.name is EventName.EVENTS_MISSED:
                listener.catch_up()
            else:
                listener.on_event(event)

    def _is_deserted(self) -> bool:
        return not self._followers and asyncio.get_running_loop().time() - self._left_at > _LINGER
