"""The use case of a return."""

import structlog

from vmpooler_api.metrics import DeleteMetrics
from vmpooler_common.store.checkouts import Checkouts
from vmpooler_common.store.errors import NoSuchVm, UnknownToken
from vmpooler_common.store.scripts import new_operation

log = structlog.get_logger(__name__)

_REASON = "returned"


class TakingBack:
    """Takes VMs back from their users."""

    def __init__(self, checkouts: Checkouts, *, metrics: DeleteMetrics) -> None:
        self._checkouts = checkouts
        self._metrics = metrics

    async def take_back(self, vm: str, *, token: str | None) -> None:
        """End the use of a running VM. Raises NoSuchVm, UnknownToken, StoreUnavailable."""
        try:
            returned = await self._checkouts.give_back(
                vm, operation=new_operation(), token=token, reason=_REASON
            )
        except NoSuchVm:
            self._metrics.failed()
            raise
        except UnknownToken:
            self._metrics.unauthorized()
            raise
        self._metrics.done()
        log.info(
            "vm returned",
            vm=vm,
            pool=returned.pool,
            provider_id=returned.provider_id,
            user=returned.user,
            reason=_REASON,
        )
