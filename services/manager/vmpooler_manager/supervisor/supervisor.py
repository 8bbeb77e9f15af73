"""Runs the manager: heartbeat, events, inboxes and tasks; hands everything over when it stops."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import DataMismatch, StoreError
from vmpooler_common.store.managers.leases import Heartbeat
from vmpooler_common.store.store import Store
from vmpooler_manager.inbox.consumer import Consumer
from vmpooler_manager.inbox.requests import RequestAcceptor
from vmpooler_manager.inbox.tasks import TaskWorker
from vmpooler_manager.runtime.clock import ClockGuard
from vmpooler_manager.runtime.jobs import Jobs
from vmpooler_manager.supervisor.heartbeat import HeartbeatLoop
from vmpooler_manager.supervisor.held_pools import HeldPools
from vmpooler_manager.supervisor.offers import Offers

LEASE = timedelta(seconds=5)
"""Without a heartbeat for this time other managers take over; short, as pools must be full again soon."""
DRAIN = timedelta(seconds=3)
"""Time for work in flight to end when the manager is stopped; the rest is handed over.

Its leases aren't renewed any more then, so it is shorter than what is left of them at least.
"""
LEAVING = timedelta(seconds=1)
"""Longest wait for Redis then: a Redis that hangs must not keep the process."""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Inboxes:
    """What comes in through streams; `clock` says whether times can be believed."""

    requests: RequestAcceptor
    tasks: TaskWorker
    consumers: Sequence[Consumer]
    clock: ClockGuard


class Loop(Protocol):
    """Something that goes on beside the pools."""

    async def run(self) -> None:
        """Go on until cancelled."""


class Supervisor:
    """Runs until it is cancelled. Everything that it knows can be read from Redis again.

    `jobs`: the pools' jobs and the tasks' jobs.
    """

    def __init__(
        self,
        store: Store,
        held: HeldPools,
        *,
        heartbeat: HeartbeatLoop,
        offers: Offers,
        loops: Sequence[Loop],
        inboxes: Inboxes,
        jobs: tuple[Jobs, Jobs],
    ) -> None:
        self._store = store
        self._held = held
        self._heartbeat = heartbeat
        self._offers = offers
        self._loops = loops
        self._inboxes = inboxes
        self._jobs = jobs

    def complaint(self) -> str:
        """Say why nothing can be done now; empty when something can."""
        return self._heartbeat.complaint() or self._offers.complaint()

    def poke_all(self) -> None:
        """Ask for a pass over every pool that is held."""
        self._held.poke_all()

    async def run(self) -> None:
        """Manage pools until cancelled. Raises DataMismatch when the data isn't this installation's."""
        try:
            async with asyncio.TaskGroup() as group:
                for loop in self._loops:
                    group.create_task(loop.run())
                for consumer in self._inboxes.consumers:
                    group.create_task(consumer.run())
                group.create_task(self._inboxes.tasks.run())
                group.create_task(self._offers.probe())
                group.create_task(
                    self._heartbeat.run(leased=self._leased, offer=self._offers.make, on_beat=self._on_beat)
                )
        except* DataMismatch as errors:
            raise errors.exceptions[0] from None
        finally:
            self._held.stop()

    async def hand_over(self) -> None:
        """Give the pools to other managers, let work in flight end for a while, then give them the rest."""
        await self._leave(())
        left = await asyncio.gather(*(jobs.drain(DRAIN.total_seconds()) for jobs in self._jobs))
        unfinished = [*itertools.chain(*left)]
        if unfinished:
            await self._leave(unfinished)
        log.info(EventName.MANAGER_LEFT, manager=self._heartbeat.identity.name, handed_over=unfinished)

    def _leased(self) -> list[str]:
        return [name for jobs in self._jobs for name in jobs.leased()]

    async def _leave(self, unfinished: Sequence[str]) -> None:
        try:
            async with asyncio.timeout(LEAVING.total_seconds()):
                await self._store.leases.leave(self._heartbeat.identity.name, unfinished)
        except (StoreError, TimeoutError) as error:
            log.warning(EventName.LEASES_LEFT, error=str(error))

    async def _on_beat(self, beat: Heartbeat) -> None:
        """Accept what the inbox lost, and end what took too long, unless the clock jumps."""
        requests = self._inboxes.requests
        for request in beat.unaccepted:
            await requests.accept(request)
        if self._inboxes.clock.is_steady(beat.now, asyncio.get_running_loop().time()):
            await requests.expire(beat.overdue)
            await requests.fail_unserved(beat.unserved)
        if beat.due_tasks:
            self._inboxes.tasks.poke()
