"""All that the manager reports, put together."""

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.backends.push import PushMetrics
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.catalogues.http import ConnectionCounts, HttpMetrics
from vmpooler_common.metrics.catalogues.redis import RedisMetrics
from vmpooler_common.metrics.catalogues.usage import UserMetrics
from vmpooler_manager.metrics.dns import DnsMetrics
from vmpooler_manager.metrics.inboxes import InboxMetrics
from vmpooler_manager.metrics.loops import LoopMetrics
from vmpooler_manager.metrics.pools import PoolMetrics
from vmpooler_manager.metrics.providers import ProviderMetrics
from vmpooler_manager.metrics.requests import RequestMetrics
from vmpooler_manager.metrics.tasks import TaskMetrics
from vmpooler_manager.metrics.vms import VmMetrics


class ManagerMetrics:
    """All that the manager reports, one attribute for each subsystem.

    `counts_use`: whether what on-demand requests are granted is counted by user.
    """

    def __init__(self, backend: Backend, *, counts_use: bool) -> None:
        self.pools = PoolMetrics(backend)
        self.vms = VmMetrics(backend)
        self.providers = ProviderMetrics(backend)
        self.dns = DnsMetrics(backend)
        self.loops = LoopMetrics(backend)
        self.users = UserMetrics(backend)
        self.requests = RequestMetrics(backend, users=self.users if counts_use else None)
        self.inboxes = InboxMetrics(backend)
        self.tasks = TaskMetrics(backend)
        self.http = HttpMetrics(backend)
        self.http_connections = ConnectionCounts(backend)
        self.redis = RedisMetrics(backend)


CATALOGUES = (
    PoolMetrics,
    VmMetrics,
    ProviderMetrics,
    DnsMetrics,
    LoopMetrics,
    RequestMetrics,
    UserMetrics,
    InboxMetrics,
    TaskMetrics,
    HttpMetrics,
    ConnectionCounts,
    RedisMetrics,
    ConnectionMetrics,
    PushMetrics,
)
"""Every catalogue whose metrics a manager process may report."""
