"""Follows the clone targets that operators set: weights go by them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta

from vmpooler_common.config import Settings
from vmpooler_common.logs import Outage
from vmpooler_common.reconnecting import pauses
from vmpooler_common.store.errors import StoreError
from vmpooler_common.store.events import Events
from vmpooler_common.store.overrides import PoolChanges

_READ_EVERY = 5.0
"""Seconds: events can be missed."""


class CloneTargets:
    """One per process. `attempts` is the setting `redis.reconnect_attempts`.

    `changed` is called with settings that have the clone targets in place. Nothing is asked of Redis where no
    clone target has a weight.
    """

    def __init__(
        self,
        settings: Settings,
        changes: PoolChanges,
        events: Events,
        *,
        attempts: int | Sequence[timedelta],
        changed: Callable[[Settings], None],
    ) -> None:
        self._settings = settings
        self._changes = changes
        self._events = events
        self._attempts = attempts
        self._changed = changed
        self._known: Mapping[str, str] = {}
        self._stir = asyncio.Event()
        self._follow_outage = Outage("following events for clone targets")
        self._read_outage = Outage("reading clone targets that were set")

    async def run(self) -> None:
        """Follow them until cancelled."""
        if not self._settings.general.backend_weight:
            return
        async with asyncio.TaskGroup() as group:
            group.create_task(self._follow())
            group.create_task(self._read())

    async def _follow(self) -> None:
        waits = pauses(self._attempts)
        while True:
            try:
                async with aclosing(self._events.follow()) as events:
                    async for event in events:
                        if event.kind == "gap":
                            self._follow_outage.ended()
                            waits = pauses(self._attempts)
                        if event.kind in ("gap", "override"):
                            self._stir.set()
            except StoreError as error:
                self._follow_outage.began(str(error))
                await asyncio.sleep(next(waits))

    async def _read(self) -> None:
        while True:
            self._stir.clear()
            try:
                self._take_over((await self._changes.current()).clone_targets)
            except StoreError as error:
                self._read_outage.began(str(error))
            else:
                self._read_outage.ended()
            try:
                async with asyncio.timeout(_READ_EVERY):
                    await self._stir.wait()
            except TimeoutError:
                pass

    def _take_over(self, targets: Mapping[str, str]) -> None:
        if targets == self._known:
            return
        self._known = targets
        pools = tuple(
            replace(pool, clone_target=targets.get(pool.name) or pool.clone_target)
            for pool in self._settings.pools
        )
        self._changed(replace(self._settings, pools=pools))
