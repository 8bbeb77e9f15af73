"""All that the API reports, put together."""

from collections.abc import Collection

from vmpooler_api.metrics.builds import BuildMetrics
from vmpooler_api.metrics.checkout import CheckoutMetrics, DeleteMetrics
from vmpooler_api.metrics.configuration import ConfigurationMetrics
from vmpooler_api.metrics.limits import LimitMetrics
from vmpooler_api.metrics.logins import LoginMetrics
from vmpooler_api.metrics.ondemand import OnDemandMetrics
from vmpooler_api.metrics.tasks import TaskMetrics
from vmpooler_api.metrics.waits import WaitMetrics
from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.backends.push import PushMetrics
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.catalogues.http import ConnectionCounts, HttpMetrics
from vmpooler_common.metrics.catalogues.redis import RedisMetrics
from vmpooler_common.metrics.catalogues.usage import UserMetrics


class ApiMetrics:
    """All that the API reports, one attribute for each subsystem. `names`: as for CheckoutMetrics."""

    def __init__(self, backend: Backend, *, names: Collection[str]) -> None:
        self.configuration = ConfigurationMetrics(backend, names=names)
        self.checkouts = CheckoutMetrics(backend, names=names)
        self.waits = WaitMetrics(backend)
        self.deletes = DeleteMetrics(backend)
        self.ondemand = OnDemandMetrics(backend)
        self.tasks = TaskMetrics(backend)
        self.limits = LimitMetrics(backend)
        self.logins = LoginMetrics(backend)
        self.users = UserMetrics(backend, pools=names)
        self.builds = BuildMetrics(backend, pools=names)
        self.http = HttpMetrics(backend)
        self.http_connections = ConnectionCounts(backend)
        self.redis = RedisMetrics(backend)


CATALOGUES = (
    ConfigurationMetrics,
    CheckoutMetrics,
    WaitMetrics,
    DeleteMetrics,
    OnDemandMetrics,
    TaskMetrics,
    LimitMetrics,
    LoginMetrics,
    UserMetrics,
    BuildMetrics,
    HttpMetrics,
    ConnectionCounts,
    RedisMetrics,
    ConnectionMetrics,
    PushMetrics,
)
"""Every catalogue whose metrics an API process may report."""
