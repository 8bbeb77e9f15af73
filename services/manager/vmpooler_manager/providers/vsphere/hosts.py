"""Which host a VM is made on or moved to: healthy, not too busy, the least used first."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyVmomi import vim

from vmpooler_common.config.sections.vsphere import VsphereProvider
from vmpooler_manager.providers.errors import NoCapacity, ProviderError
from vmpooler_manager.providers.vsphere.retrieval import Found, beside, of_objects, retrieve
from vmpooler_manager.providers.vsphere.session import Connection, Session

PROPERTIES = (
    "name",
    "parent",
    "overallStatus",
    "runtime.connectionState",
    "runtime.inMaintenanceMode",
    "configIssue",
    "summary.hardware.cpuMhz",
    "summary.hardware.numCpuCores",
    "summary.hardware.memorySize",
    "summary.quickStats.overallCpuUsage",
    "summary.quickStats.overallMemoryUsage",
)
MEGABYTE = 2**20

Watched = Callable[[Any], Awaitable[list[Found]]]
"""Gives the hosts of a cluster without reading them; raises when it can't."""


@dataclass(frozen=True)
class Host:
    """A host and how much of it is used, in percent of the processor or memory, whichever is more."""

    ref: Any
    id: str
    name: str
    is_good: bool
    used: float


def assess(found: Found, limit: float) -> Host:
    """Judge a host. One whose use is unknown isn't good: its numbers are missing when it is in trouble."""
    get: Callable[[str], Any] = found.properties.get
    processor = float(get("summary.hardware.cpuMhz") or 0) * float(get("summary.hardware.numCpuCores") or 0)
    memory = (get("summary.hardware.memorySize") or 0) / MEGABYTE
    busy, full = get("summary.quickStats.overallCpuUsage"), get("summary.quickStats.overallMemoryUsage")
    known = bool(processor and memory and busy is not None and full is not None)
    used = max(100 * busy / processor, 100 * full / memory) if known else 100.0
    is_good = (
        known
        and used <= limit
        and get("overallStatus") == vim.ManagedEntity.Status.green
        and get("runtime.connectionState") == vim.HostSystem.ConnectionState.connected
        and not get("runtime.inMaintenanceMode")
        and not get("configIssue")
    )
    return Host(found.ref, found.ref._GetMoId(), str(get("name") or ""), bool(is_good), used)


def ranked(hosts: Sequence[Host]) -> list[Host]:
    """Give the good hosts that are used no more than they are on average, least used first."""
    good = [host for host in hosts if host.is_good]
    average = sum(host.used for host in good) / len(good) if good else 0.0
    return sorted(
        (host for host in good if host.used <= average + 1e-9), key=lambda host: (host.used, host.id)
    )


class Hosts:
    """Chooses among the hosts of clusters, as they were at most `host_selection_max_age` ago."""

    def __init__(self, session: Session, settings: VsphereProvider, watched: Watched) -> None:
        self._session = session
        self._settings = settings
        self._watched = watched
        self._turns: dict[str, int] = {}
        self._names: dict[str, str] = {}
        self._reading = asyncio.Lock()

    async def names(self, needed: Sequence[Any]) -> dict[str, str]:
        """Give the names of hosts by id, at least of these."""
        if any(host._GetMoId() not in self._names for host in needed):
            async with self._reading:
                unknown = [host for host in needed if host._GetMoId() not in self._names]
                if unknown:
                    await self._session.call(
                        "reading names of hosts", partial(self._read_names, hosts=unknown)
                    )
        return self._names

    async def choose(self, compute: Any) -> Any:
        """Choose the host of a new VM; the good ones take turns. Raises NoCapacity when none is good."""
        best = ranked(await self._of(compute))
        if not best:
            raise NoCapacity(
                f"no host of {compute._GetMoId()} is healthy and used less than "
                f"{self._settings.utilization_limit:g} %"
            )
        turn = self._turns.get(compute._GetMoId(), -1) + 1
        self._turns[compute._GetMoId()] = turn
        return best[turn % len(best)].ref

    async def better_than(self, compute: Any, current: Any) -> Any:
        """Choose a host to move to; None when the VM's own is among the best or nobody is better."""
        best = ranked(await self._of(compute))
        if not best or current._GetMoId() in {host.id for host in best}:
            return None
        return await self.choose(compute)

    async def _of(self, compute: Any) -> list[Host]:
        """Judge a cluster's hosts by what the watcher knows, or by reading them where it can't watch."""
        try:
            found = await self._watched(compute)
        except ProviderError:
            found = await self._session.call("reading hosts", partial(_read, compute=compute))
        return [assess(one, self._settings.utilization_limit) for one in found]

    def _read_names(self, connection: Connection, hosts: Sequence[Any]) -> None:
        spec = of_objects([connection.of(host) for host in hosts], {vim.HostSystem: ("name",)})
        for found in retrieve(connection.content, spec):
            self._names[found.ref._GetMoId()] = str(found.properties.get("name", ""))


def _read(connection: Connection, compute: Any) -> list[Found]:
    spec = beside(connection.of(compute), vim.ComputeResource, "host", {vim.HostSystem: PROPERTIES})
    return retrieve(connection.content, spec)
