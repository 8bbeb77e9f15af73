"""A manager in the test's own process: all of it but the web server and the signals."""

import asyncio

from vmpooler_common.config import Settings
from vmpooler_manager.assembly import Manager, assemble


class RunningManager:
    """Made of the settings as the process makes it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._manager: Manager | None = None
        self._work: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Open the drivers and begin to manage."""
        self._manager = manager = assemble(self._settings)
        for cloud in manager.clouds.values():
            await cloud.open()
        self._work = asyncio.create_task(manager.supervisor.run())

    async def stop(self) -> None:
        """End as the process does on SIGTERM; an error that ended the manager before is raised."""
        if self._manager is None or self._work is None:
            return
        self._work.cancel()
        (outcome,) = await asyncio.gather(self._work, return_exceptions=True)
        await self._manager.supervisor.hand_over()
        for cloud in self._manager.clouds.values():
            await cloud.close()
        await self._manager.store.close()
        self._manager = self._work = None
        if not isinstance(outcome, asyncio.CancelledError) and outcome is not None:
            raise outcome

    @property
    def name(self) -> str:
        """The manager's name, as leases have it."""
        assert self._manager is not None
        return self._manager.name

    def complaint(self) -> str:
        """Say what /ready would complain of."""
        assert self._manager is not None
        return self._manager.supervisor.complaint()

    def metric(self, name: str, **labels: str) -> float | None:
        """Add up a metric's samples that have these labels; None when there is none."""
        assert self._manager is not None
        found = [
            sample.value
            for family in self._manager.reporting.registry.collect()
            for sample in family.samples
            if sample.name == f"vmpooler_{name}" and labels.items() <= sample.labels.items()
        ]
        return sum(found) if found else None

    def calls(self, operation: str) -> float:
        """Count the calls of an operation at all providers, however they ended."""
        return self.metric("provider_calls_total", operation=operation) or 0
