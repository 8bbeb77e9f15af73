"""The manager as a whole: heartbeats, a loop for each pool that it holds, and the events that poke them."""

import asyncio
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta

import structlog

from vmpooler_common.logs import Outage
from vmpooler_common.store.core.errors import SchemaTooNew, StoreError
from vmpooler_common.store.core.events import Event
from vmpooler_common.store.managers.leases import Heartbeat
from vmpooler_common.store.store import Store
from vmpooler_manager.inbox.consumer import Consumer
from vmpooler_manager.inbox.requests import RequestAcceptor
from vmpooler_manager.inbox.tasks import TaskWorker
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.metrics import ManagerMetrics
from vmpooler_manager.reconcile.loop import PoolLoop
from vmpooler_manager.reconcile.reconciler import World
from vmpooler_manager.runtime.clock import ClockGuard
from vmpooler_manager.runtime.jobs import Jobs
from vmpooler_manager.runtime.liveness import Liveness

LEASE = timedelta(seconds=5)
"""Without a heartbeat for this time other managers take over; short, for pools must be full again soon."""
HEARTBEAT = timedelta(seconds=1.5)
DRAIN = timedelta(seconds=3)
"""Time for work in flight to end when the manager is stopped; the rest is handed over.

Its leases aren't renewed any more then, so it is shorter than what is left of them at least.
"""
LEAVING = timedelta(seconds=1)
"""Longest wait for Redis then: a Redis that hangs must not keep the process."""
REFRESH_SECONDS = 1.0

log = structlog.get_logger()


class Supervisor:
    """Runs until it is cancelled. Everything that it knows can be read from Redis again."""

    def __init__(
        self,
        store: Store,
        *,
        manager: str,
        pools: tuple[str, ...],
        make_loop: Callable[[str, str], PoolLoop],
        world: World,
        jobs: Jobs,
        task_worker: TaskWorker,
        task_jobs: Jobs,
        slots: SlotQueue,
        liveness: Liveness,
        clock: ClockGuard,
        intake: RequestAcceptor,
        consumers: Sequence[Consumer],
        pauses: Callable[[], Iterator[float]],
        wait_replicas: int,
        metrics: ManagerMetrics,
    ) -> None:
        self._store = store
        self._manager = manager
        self._pools = pools
        self._make_loop = make_loop
        self._world = world
        self._jobs = jobs
        self._task_worker = task_worker
        self._task_jobs = task_jobs
        self._slots = slots
        self._liveness = liveness
        self._clock = clock
        self._intake = intake
        self._consumers = consumers
        self._pauses = pauses
        self._wait_replicas = wait_replicas
        self._metrics = metrics
        self._loops: dict[str, tuple[PoolLoop, asyncio.Task[None]]] = {}
        self._known: Mapping[str, str] = {}
        self._beat_now = asyncio.Event()
        self._outage = Outage("Redis")
        self._prepared = False
        self._last_data_epoch = ""

    @property
    def is_ready(self) -> bool:
        """Whether the last heartbeat reached Redis."""
        return self._prepared and not self._outage.is_on

    async def run(self) -> None:
        """Manage pools until cancelled. Raises SchemaTooNew when the data is of a newer vmpooler."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow_events())
                for consumer in self._consumers:
                    group.create_task(consumer.run())
                group.create_task(self._task_worker.run())
                group.create_task(self._beat())
        except* SchemaTooNew as errors:
            raise errors.exceptions[0] from None
        finally:
            for _, task in self._loops.values():
                task.cancel()

    async def hand_over(self) -> None:
        """Give the pools to other managers, let work in flight end for a while, then give them the rest."""
        await self._leave(())
        both = (self._jobs, self._task_jobs)
        left = await asyncio.gather(*(jobs.drain(DRAIN.total_seconds()) for jobs in both))
        unfinished = [*itertools.chain(*left)]
        if unfinished:
            await self._leave(unfinished)
        log.info("manager left", manager=self._manager, handed_over=unfinished)

    async def _leave(self, unfinished: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(LEAVING.total_seconds()):
                await self._store.leases.leave(self._manager, unfinished)
        except (StoreError, TimeoutError) as error:
            log.warning("leases left to lapse", error=str(error))

    async def _beat(self) -> None:
        pauses = self._pauses()
        while True:
            self._beat_now.clear()
            try:
                await self._one_beat()
            except SchemaTooNew:
                raise
            except StoreError as error:
                self._outage.began(str(error))
                self._world.lose_sight()
                wait = next(pauses)
            else:
                if self._outage.is_on:
                    self._outage.ended()
                    self.poke_all()
                pauses = self._pauses()
                wait = HEARTBEAT.total_seconds()
            if not self._loops:
                self._liveness.passed()  # nothing to look after is no failure
            try:
                async with asyncio.timeout(wait):
                    await self._beat_now.wait()
            except TimeoutError:
                pass

    async def _one_beat(self) -> None:
        if not self._prepared:
            await self._store.deployment.prepare()
            for concern in await self._store.deployment.concerns(wait_replicas=self._wait_replicas):
                log.warning("Redis may lose data", concern=concern)
            self._prepared = True
        pools = sorted({*self._pools, *self._known})
        beat = await self._store.leases.heartbeat(
            self._manager,
            lease=LEASE,
            pools=pools,
            working_on=[*self._jobs.leased(), *self._task_jobs.leased()],
        )
        if not beat.generation:
            log.error("the data in Redis is gone; running VMs are left alone and can't be returned any more")
            await self._store.deployment.prepare()
            self._world.lose_sight()
            self._beat_now.set()
            self.poke_all()
            return
        data_epoch = f"{beat.identity} {beat.generation}"
        if self._last_data_epoch and self._last_data_epoch != data_epoch:
            log.warning(
                "Redis is another one now: nothing is destroyed before complete listings",
                data_epoch=data_epoch,
            )
            self._prepared = False  # its schema and set-up are checked with the next beat
            self._beat_now.set()
            self.poke_all()
        if not self._world.data_epoch:
            self.poke_all()  # what could not be destroyed meanwhile can be now
        self._world.data_epoch = self._last_data_epoch = data_epoch
        self._known = beat.pools
        self._world.pools = frozenset({*self._pools, *beat.pools})
        self._hold(beat)
        await self._look_after_requests(beat)
        if beat.due_tasks:
            self._task_worker.poke()

    async def _look_after_requests(self, beat: Heartbeat) -> None:
        """Accept what the inbox lost, and end what took too long, unless the clock can't be trusted."""
        for request in beat.unaccepted:
            await self._intake.accept(request)
        if self._clock.is_steady(beat.now, asyncio.get_running_loop().time()):
            await self._intake.expire(beat.overdue)
            await self._intake.fail_unserved(beat.unserved)

    def _hold(self, beat: Heartbeat) -> None:
        """Run a loop for each pool that is held, and for no other."""
        for name in self._loops.keys() - beat.held:
            self._drop(name)
        for name in sorted(beat.held - self._loops.keys()):
            if name in self._pools or name in beat.pools:
                loop = self._make_loop(name, beat.pools.get(name, ""))
                self._loops[name] = (loop, asyncio.get_running_loop().create_task(loop.run()))
                log.debug("pool taken", pool=name)
        self._metrics.loops.leased(len(self._loops))

    def _drop(self, name: str) -> None:
        loop, task = self._loops.pop(name)
        task.cancel()
        self._slots.leave(loop.pool)
        self._metrics.pools.forget(name)
        self._metrics.requests.forget(name)
        log.debug("pool left to another manager", pool=name)

    async def _follow_events(self) -> None:
        pauses = self._pauses()
        while True:
            try:
                async for event in self._store.events.follow():
                    pauses = self._pauses()
                    self._poke(event)
            except StoreError:
                # Other connections are made anew without a word: this one tells that Redis was away.
                self._world.lose_sight()
                self._beat_now.set()
                await asyncio.sleep(next(pauses))

    def _poke(self, event: Event) -> None:
        match event.kind:
            case "gap":
                self._metrics.loops.events_missed()
                self.poke_all()
            case "halted" | "resumed":
                self.poke_all()
            case "left":
                self._beat_now.set()
            case "ready":
                self._slots.freed()
                self._refresh(event)
            case "gone":
                self._refresh(event)
            case "completed":
                self._slots.freed()
                self._poke_pool(event)
            case "running" | "backlog" | "lifetime" | "drain" | "override":
                self._poke_pool(event)

    def _refresh(self, event: Event) -> None:
        """Nothing needs doing; but the numbers that are exported should follow soon."""
        if event.pool in self._loops:
            self._loops[event.pool][0].pool.poke_later(REFRESH_SECONDS)

    def _poke_pool(self, event: Event) -> None:
        if event.pool in self._loops:
            pool = self._loops[event.pool][0].pool
            if event.kind == "running" and pool.checkout_at is None:
                pool.checkout_at = event.at
            pool.poke()

    def poke_all(self) -> None:
        """Ask for a pass over every pool that is held."""
        for loop, _ in self._loops.values():
            loop.pool.poke()
