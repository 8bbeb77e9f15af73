"""Follows the clone targets that operators set: weights go by them."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace

from vmpooler_api.background.event_feed import EventFeed
from vmpooler_common.config import Settings
from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.core.events import Event
from vmpooler_common.store.pools.overrides import PoolChanges

_READ_EVERY = 5.0
"""Seconds: events can be missed."""


class CloneTargets:
    """One per process.

    `changed` is called with settings that have the clone targets in place. Nothing is asked of Redis where no
    clone target has a weight.
    """

    def __init__(
        self,
        settings: Settings,
        changes: PoolChanges,
        feed: EventFeed,
        *,
        changed: Callable[[Settings], None],
    ) -> None:
        self._settings = settings
        self._changes = changes
        self._feed = feed
        self._changed = changed
        self._known: Mapping[str, str] = {}
        self._stir = asyncio.Event()
        self._outage = Outage("reading clone targets that were set")
        feed.add_listener(self)

    def on_event(self, event: Event) -> None:
        """Have them read when one may have been set."""
        if event.name is EventName.POOL_CHANGED:
            self._stir.set()

    def catch_up(self) -> None:
        """Have them read."""
        self._stir.set()

    async def run(self) -> None:
        """Follow them until cancelled."""
        if not self._settings.general.backend_weight:
            return
        with self._feed.following():
            while True:
                self._stir.clear()
                await self._read()
                try:
                    async with asyncio.timeout(_READ_EVERY):
                        await self._stir.wait()
                except TimeoutError:
                    pass

    async def _read(self) -> None:
        try:
            targets = (await self._changes.current()).clone_targets
        except StoreError as error:
            self._outage.began(str(error))
            return
        self._outage.ended()
        if targets == self._known:
            return
        self._known = targets
        pools = tuple(
            replace(pool, clone_target=targets.get(pool.name) or pool.clone_target)
            for pool in self._settings.pools
        )
        self._changed(replace(self._settings, pools=pools))
