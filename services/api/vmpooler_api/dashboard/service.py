"""The use cases of the dashboard's figures."""

from vmpooler_api.dashboard.figures import (
    PlatformUsage,
    PoolCapacity,
    current_only,
    report_platforms,
    report_pools,
    samples_of_ready,
    samples_of_running,
)
from vmpooler_api.dashboard.graph_server import GraphServer
from vmpooler_common.config import Settings
from vmpooler_common.store.pools.counts import StatusCounts
from vmpooler_common.store.pools.views import Views


class DashboardService:
    """Counts VMs now, and in the past hour where a graph server is configured. Raises StoreUnavailable."""

    def __init__(self, views: Views, settings: Settings, *, graph_server: GraphServer | None) -> None:
        self._views = views
        self._pools = settings.pools
        self._graph_server = graph_server

    async def capacity(self, *, with_history: bool) -> dict[str, PoolCapacity]:
        """Tell size and ready VMs of each pool."""
        counts = await self._counts()
        if not with_history:
            history = {}
        elif self._graph_server is None:
            history = current_only(self._pools, counts)
        else:
            history = samples_of_ready(self._pools, counts, await self._graph_server.past_hour("ready"))
        return report_pools(self._pools, counts, history)

    async def usage(self, *, with_history: bool) -> dict[str, PlatformUsage]:
        """Add up the running VMs of pools whose names begin alike, up to the first hyphen."""
        counts = await self._counts()
        history = {}
        if with_history and self._graph_server is not None:
            history = samples_of_running(self._pools, await self._graph_server.past_hour("running"))
        return report_platforms(self._pools, counts, history)

    async def _counts(self) -> StatusCounts:
        return await self._views.counts([pool.name for pool in self._pools])
