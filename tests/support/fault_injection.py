"""Brings an installation to a stage and strikes its first manager there."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta

from tests.store.task_helpers import disk, revert, snapshot
from tests.support.crashing_orders import Call, Effect
from tests.support.eventually import eventually
from tests.support.faults import Fault, Moment, contains
from tests.support.installation import Installation, ManagedProcess
from tests.support.stages import Stage

COMES_WITHIN = 20.0
"""Seconds in which the manager must come to a stage."""
NO_TIME = timedelta(milliseconds=1)
MANY = 20
"""A request for so many VMs isn't ready by chance when its deadline is noticed."""


class FaultInjection:
    """One strike, KILL or STOP, at a stage."""

    def __init__(
        self, installation: Installation, victim: ManagedProcess, stage: Stage, effect: Effect
    ) -> None:
        self._installation = installation
        self._victim = victim
        self._stage = stage
        self._effect = effect
        self._fault: Fault | None = None
        self._released = asyncio.Event()

    @property
    def deaths(self) -> int:
        """How often the manager dies until all is done that was ordered."""
        return sum(order.effect is Effect.KILL for order in self._stage.first) + (self._effect is Effect.KILL)

    async def provoke(self) -> None:
        """Give the managers work of every kind, with the strike arranged."""
        if not self._stage.by_itself:
            self._arrange()
        for pool in self._installation.pools:
            match self._stage.trouble:
                case "orphan":
                    await self._installation.make_orphan(pool)
                case "vanished":
                    await self._installation.make_one_vanish(pool)
                case "requests":
                    await self._installation.ask(f"two-of-{pool}", pool, pool)
                    await self._installation.ask(f"all-for-{pool}", *self._installation.pools)
                case "tasks":
                    vms = await self._installation.take(pool, 3)
                    await self._request_tasks(vms, are_first=pool == next(iter(self._installation.pools)))
                case "overdue requests":
                    self._installation.ledger.may_fail = True
                    await self._installation.ask(f"too-late-for-{pool}", *[pool] * MANY, ttl=NO_TIME)
                case _:
                    _, returned = await self._installation.take(pool, 2)
                    await self._installation.release(returned)
        if self._stage.by_itself:
            self._arrange()

    async def struck(self) -> None:
        """Return when a stop has struck."""
        await self._comes(self._has_struck)

    async def died(self) -> None:
        """Return when the manager is dead, and has been collected."""
        await self._comes(lambda: not self._victim.service.is_running)
        self._victim.service.kill()

    def release(self) -> None:
        """Continue a stopped manager; what it had sent is delivered only now."""
        self._released.set()
        self._victim.service.resume()

    async def _request_tasks(self, vms: Sequence[str], *, are_first: bool) -> None:
        """Have so many VMs worked on that each manager gets something to do.

        To go back to a snapshot, which may kill the manager, is asked only of the first VMs.
        """
        for vm in vms:
            await self._installation.request_task(vm, disk(f"disk-of-{vm}"))
            await self._installation.request_task(vm, snapshot(f"snapshot-of-{vm}"))
        if self._stage.place == Call.REVERT and are_first:
            for vm in vms:
                await self._has_snapshot(vm)
            for vm in vms:
                await self._installation.request_task(vm, revert(f"back-of-{vm}", f"snapshot-of-{vm}"))

    async def _has_snapshot(self, vm: str) -> None:
        async def look() -> bool:
            text = (await self._installation.dataset()).records[vm][f"task:snapshot-of-{vm}"]
            assert '"done"' in text, text
            return True

        await eventually(look, within=COMES_WITHIN)

    def _arrange(self) -> None:
        if not self._stage.is_script:
            self._victim.orders.place(*self._stage.first, self._stage.order(self._effect))
            return
        self._victim.orders.place(*self._stage.first)
        chosen = contains(self._installation.digest(self._stage.place))
        if self._effect is Effect.KILL:
            kill = self._victim.service.kill
            self._fault = self._victim.proxy.cut(chosen, self._stage.moment, callback=kill)
        else:
            self._fault = self._victim.proxy.on_match(chosen, self._stage.moment, callback=self._stop)

    async def _stop(self) -> None:
        self._victim.service.pause()
        # A client that stands still locks no cloud, but it may stand still within the dummy's file.
        while await asyncio.to_thread(self._installation.table.is_locked):
            self._victim.service.resume()
            await asyncio.sleep(0.01)
            self._victim.service.pause()
        if self._stage.moment is Moment.BEFORE:
            await self._released.wait()

    def _has_struck(self) -> bool:
        return self._fault.hits > 0 if self._fault else not self._victim.orders.open

    async def _comes(self, condition: Callable[[], bool]) -> None:
        try:
            async with asyncio.timeout(COMES_WITHIN):
                while not condition():  # noqa: ASYNC110 - processes give no events
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"it never came to the stage {self._stage}") from None
