"""The use case of a return."""

from collections.abc import Collection

import structlog

from vmpooler_api.metrics.checkout import DeleteMetrics
from vmpooler_api.usage import Usage
from vmpooler_common.store.checkout.checkouts import Checkouts
from vmpooler_common.store.core.errors import NoSuchVm, NotOwner, UnknownToken
from vmpooler_common.store.core.scripts import new_operation

log = structlog.get_logger(__name__)

_REASON = "returned"


class ReleaseService:
    """Takes VMs back from their users.

    With `only_owner`, one that was taken with a token is taken back only from its user or one of `admins`.
    """

    def __init__(
        self,
        checkouts: Checkouts,
        *,
        metrics: DeleteMetrics,
        usage: Usage | None,
        only_owner: bool,
        admins: Collection[str],
    ) -> None:
        self._checkouts = checkouts
        self._metrics = metrics
        self._usage = usage
        self._only_owner = only_owner
        self._admins = tuple(admins)

    async def take_back(self, vm: str, *, token: str | None) -> None:
        """End the use of a running VM. Raises NoSuchVm, UnknownToken, NotOwner, StoreUnavailable."""
        try:
            returned = await self._checkouts.give_back(
                vm,
                operation=new_operation(),
                token=token,
                reason=_REASON,
                only_owner=self._only_owner,
                admins=self._admins,
            )
        except NoSuchVm:
            self._metrics.failed()
            raise
        except (UnknownToken, NotOwner):
            self._metrics.unauthorized()
            raise
        self._metrics.done()
        if self._usage is not None:
            self._usage.ended(returned)
        log.info(
            "vm returned",
            vm=vm,
            pool=returned.pool,
            provider_id=returned.provider_id,
            user=returned.user,
            reason=_REASON,
        )
