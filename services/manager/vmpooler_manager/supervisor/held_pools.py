"""The pools that this manager holds, each with its loop."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.metrics import ManagerMetrics
from vmpooler_manager.reconcile.loop import PoolLoop
from vmpooler_manager.runtime.pool import Pool

log = structlog.get_logger()


class HeldPools:
    """Runs a loop for each pool that is held, and for no other.

    `make_loop` makes one from the names of a pool and of its provider; `configured` are the pools of the
    configuration.
    """

    def __init__(
        self,
        make_loop: Callable[[str, str], PoolLoop],
        *,
        configured: Collection[str],
        slots: SlotQueue,
        metrics: ManagerMetrics,
    ) -> None:
        self._configured = configured
        self._make_loop = make_loop
        self._slots = slots
        self._metrics = metrics
        self._loops: dict[str, tuple[PoolLoop, asyncio.Task[None]]] = {}

    def hold(
        self, held: frozenset[str], providers: Mapping[str, str], absent: Mapping[str, timedelta]
    ) -> None:
        """Follow the leases.

        `providers`: pool -> provider, for every pool that has or had VMs; `absent`: pool -> for how long no
        live manager has been configured for it.
        """
        for name in self._loops.keys() - held:
            self._drop(name)
        for name in sorted(held - self._loops.keys()):
            if name in self._configured or name in providers:
                loop = self._make_loop(name, providers.get(name, ""))
                self._loops[name] = (loop, asyncio.get_running_loop().create_task(loop.run()))
                log.debug(EventName.POOL_TAKEN, pool=name)
        for name, since in absent.items():
            if (pool := self.get(name)) is not None:
                pool.note_absence(since)
        self._metrics.loops.leased(len(self._loops))

    def get(self, name: str) -> Pool | None:
        """Give a pool that is held."""
        return self._loops[name][0].pool if name in self._loops else None

    @property
    def are_none(self) -> bool:
        """Whether no pool is held."""
        return not self._loops

    def poke_all(self) -> None:
        """Ask for a pass over every pool."""
        for loop, _ in self._loops.values():
            loop.pool.poke()

    def stop(self) -> None:
        """End all loops."""
        for _, task in self._loops.values():
            task.cancel()

    def _drop(self, name: str) -> None:
        loop, task = self._loops.pop(name)
        task.cancel()
        self._slots.leave(loop.pool)
        self._metrics.pools.forget(name)
        self._metrics.requests.forget(name)
        log.debug(EventName.POOL_LEFT, pool=name)
