"""The use of VMs, counted by user and by CI job."""

import structlog

from vmpooler_api.metrics.builds import LITMUS, BuildMetrics, read_build_url
from vmpooler_common.metrics.catalogues.usage import UserMetrics
from vmpooler_common.model.events import EventName
from vmpooler_common.store.checkout.values import Checkout, Return

log = structlog.get_logger(__name__)


class Usage:
    """Counts what `config.usage_stats` asks for."""

    def __init__(self, users: UserMetrics, builds: BuildMetrics) -> None:
        self._users = users
        self._builds = builds

    def began(self, checkout: Checkout) -> None:
        """VMs were checked out. They can't be tagged yet, so nothing is known of builds."""
        for grant in checkout.grants:
            self._users.allocated(grant.pool, user=checkout.user)

    def ended(self, vm: Return) -> None:
        """A VM was returned."""
        self._users.destroyed(vm.pool, user=vm.user)
        if not vm.build_url:
            return
        if LITMUS in vm.build_url:
            self._builds.destroyed_by_litmus(vm.pool, user=vm.user)
        elif build := read_build_url(vm.build_url):
            self._builds.destroyed_by_job(vm.pool, build)
        else:
            log.debug(EventName.BUILD_URL_UNKNOWN, pool=vm.pool, length=len(vm.build_url))
