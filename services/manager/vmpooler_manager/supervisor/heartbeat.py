"""The heartbeat: registers the manager, shares the pools, and notices when Redis is another one."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.core.errors import DataMismatch, StoreError
from vmpooler_common.store.managers.leases import Heartbeat, Offer
from vmpooler_common.store.store import Store
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.liveness import Liveness
from vmpooler_manager.runtime.shared_state import SharedState
from vmpooler_manager.supervisor.held_pools import HeldPools

HEARTBEAT_SECONDS = 1.5

log = structlog.get_logger()


class HeartbeatLoop:
    """Beats for as long as the manager lives."""

    def __init__(
        self,
        store: Store,
        held: HeldPools,
        *,
        identity: ManagerIdentity,
        shared: SharedState,
        liveness: Liveness,
        pauses: Callable[[], Iterator[float]],
        wait_replicas: int,
    ) -> None:
        self._store = store
        self._held = held
        self.identity = identity
        self._shared = shared
        self._liveness = liveness
        self._pauses = pauses
        self._wait_replicas = wait_replicas
        self._beat_now = asyncio.Event()
        self._outage = Outage("Redis")
        self._trouble = ""
        self._is_prepared = False
        self._last_epoch = ""

    def complaint(self) -> str:
        """Say what is wrong with Redis; else nothing."""
        if not self._is_prepared or self._outage.is_on:
            return self._trouble or "Redis can't be reached"
        return ""

    def beat(self) -> None:
        """Ask for a heartbeat at once."""
        self._beat_now.set()

    async def run(
        self,
        *,
        leased: Callable[[], list[str]],
        offer: Callable[[], Offer],
        on_beat: Callable[[Heartbeat], Awaitable[None]],
    ) -> None:
        """Beat until cancelled. Raises DataMismatch when the data is another schema's or installation's.

        `leased` names the VMs whose leases are renewed, `offer` says what this manager can serve;
        `on_beat` is called with every answer of Redis.
        """
        pauses = self._pauses()
        while True:
            self._beat_now.clear()
            try:
                beat = await self._beat(leased(), offer())
                if beat is not None:
                    await on_beat(beat)
            except DataMismatch:
                raise
            except StoreError as error:
                self._trouble = str(error)
                self._outage.began(str(error))
                self._shared.lose_sight()
                wait = next(pauses)
            else:
                self._store.connection.metrics.written()
                if self._outage.is_on:
                    self._outage.ended()
                    self._held.poke_all()
                pauses = self._pauses()
                wait = HEARTBEAT_SECONDS
            if self._held.are_none:
                self._liveness.passed()  # holding no pool is no failure
            try:
                async with asyncio.timeout(wait):
                    await self._beat_now.wait()
            except TimeoutError:
                pass

    async def _beat(self, leased: list[str], offer: Offer) -> Heartbeat | None:
        """Beat once; None when the data set is gone."""
        if not self._is_prepared:
            await self._store.deployment.prepare()
            for concern in await self._store.deployment.concerns(wait_replicas=self._wait_replicas):
                log.warning(EventName.STORE_CONCERN, concern=concern)
            self._is_prepared = True
        beat = await self._store.leases.heartbeat(
            self.identity.name, lease=self.identity.lease, offer=offer, working_on=leased
        )
        if not beat.generation:
            log.error(
                EventName.STORE_EMPTIED,
                message="the data is gone; running VMs are left alone and can't be returned any more",
                remedy="restore the data, or remove those VMs at their providers",
            )
            await self._store.deployment.prepare()
            self._shared.lose_sight()
            self._beat_now.set()
            self._held.poke_all()
            return None
        self._follow_epoch(f"{beat.identity} {beat.generation}")
        self._shared.pools = frozenset({*offer.pools, *beat.pools})
        self._shared.rivals = beat.rivals
        self._held.hold(beat.held, beat.pools, beat.absent)
        return beat

    def _follow_epoch(self, epoch: str) -> None:
        """Notice that Redis is another server or data set than before."""
        if self._last_epoch and self._last_epoch != epoch:
            log.warning(
                EventName.STORE_REPLACED,
                message="Redis is another one now: nothing is destroyed before complete listings",
                data_epoch=epoch,
            )
            self._is_prepared = False  # its schema and set-up are checked with the next beat
            self._beat_now.set()
            self._held.poke_all()
        if not self._shared.data_epoch:
            self._held.poke_all()  # what could not be destroyed meanwhile can be now
        self._shared.data_epoch = self._last_epoch = epoch
