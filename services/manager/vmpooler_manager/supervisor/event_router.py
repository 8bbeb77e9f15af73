"""Turns events into pokes of the pools that they concern. A lost event delays a pass, no more."""

import asyncio
from collections.abc import Callable, Iterator

from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import StoreError
from vmpooler_common.store.core.events import Event, Events
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.metrics.loops import LoopMetrics
from vmpooler_manager.runtime.shared_state import SharedState
from vmpooler_manager.supervisor.held_pools import HeldPools

REFRESH_SECONDS = 1.0


class EventRouter:
    """Follows the stream of events. `beat` asks for a heartbeat at once."""

    def __init__(
        self,
        events: Events,
        held: HeldPools,
        *,
        slots: SlotQueue,
        shared: SharedState,
        beat: Callable[[], None],
        pauses: Callable[[], Iterator[float]],
        metrics: LoopMetrics,
    ) -> None:
        self._events = events
        self._held = held
        self._slots = slots
        self._shared = shared
        self._beat = beat
        self._pauses = pauses
        self._metrics = metrics

    async def run(self) -> None:
        """Route events until cancelled."""
        pauses = self._pauses()
        while True:
            try:
                async for event in self._events.follow():
                    pauses = self._pauses()
                    self._route(event)
            except StoreError:
                # Other connections are made anew silently: only this one notices that Redis was away.
                self._shared.lose_sight()
                self._beat()
                await asyncio.sleep(next(pauses))

    def _route(self, event: Event) -> None:
        match event.name:
            case EventName.EVENTS_MISSED:
                self._metrics.events_missed()
                self._held.poke_all()
            case EventName.PROVIDER_DELETION_PAUSED | EventName.PROVIDER_DELETION_RESUMED:
                self._held.poke_all()
            case EventName.MANAGER_LEFT:
                self._beat()
            case EventName.VM_READY:
                self._slots.freed()
                self._refresh(event)
            case EventName.VM_DESTROYED:
                self._refresh(event)
            case EventName.VM_RETURNED | EventName.VM_RETIRED | EventName.VM_ADOPTED:
                self._slots.freed()
                self._poke(event)
            case (
                EventName.VM_CHECKED_OUT
                | EventName.POOL_BACKLOG
                | EventName.VM_CHANGED
                | EventName.POOL_DRAINED
                | EventName.POOL_CHANGED
                | EventName.POOL_PAUSED
                | EventName.POOL_RESUMED
            ):
                self._poke(event)

    def _refresh(self, event: Event) -> None:
        """Nothing needs doing; but the numbers that are exported should follow soon."""
        if (pool := self._held.get(event.pool)) is not None:
            pool.poke_later(REFRESH_SECONDS)

    def _poke(self, event: Event) -> None:
        if (pool := self._held.get(event.pool)) is not None:
            if event.name is EventName.VM_CHECKED_OUT and pool.checkout_at is None:
                pool.checkout_at = event.at
            pool.poke()
