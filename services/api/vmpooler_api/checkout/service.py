"""The use cases of a checkout and of a release."""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any

import structlog

from vmpooler_api.background.cancellations import Cancellations
from vmpooler_api.checkout.shortage import explain_shortage
from vmpooler_api.checkout.waiting import CheckoutQueue
from vmpooler_api.metrics.checkout import CheckoutMetrics, DeleteMetrics
from vmpooler_api.quotas import Quotas
from vmpooler_api.selection.candidates import CandidatePools
from vmpooler_api.selection.request import Order
from vmpooler_api.usage import Usage
from vmpooler_api.web.errors import ClientLeft, NothingReady
from vmpooler_common.model.events import EventName
from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.checkout.checkouts import Checkouts
from vmpooler_common.store.checkout.idempotency import IdempotencyKey
from vmpooler_common.store.checkout.values import Checkout, LineItem, WaitOptions
from vmpooler_common.store.core.errors import (
    GrantOver,
    KeyReused,
    NoneReady,
    NoSuchVm,
    NotOwner,
    NotReplicated,
    ScriptFailed,
    StoreUnavailable,
    UnknownToken,
)
from vmpooler_common.store.core.scripts import new_operation

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks for VMs, as far as it matters for a checkout."""

    token: str | None
    key: IdempotencyKey | None
    address: Callable[[], str]
    """Gives where it asks from; who waits is told by it to operators."""
    wait_seconds: float
    """How long it waits for VMs that aren't ready; 0: it doesn't."""
    has_left: Callable[[], bool]
    """Whether it is known to be gone."""
    leaves: Callable[[], Coroutine[Any, Any, None]]
    """Returns when it is gone."""


class CheckoutService:
    """Checks VMs out; none stays checked out that the requester wasn't told of."""

    def __init__(
        self,
        checkouts: Checkouts,
        candidates: CandidatePools,
        *,
        queue: CheckoutQueue,
        cancellations: Cancellations,
        quotas: Quotas,
        metrics: CheckoutMetrics,
        usage: Usage | None,
    ) -> None:
        self._checkouts = checkouts
        self._quotas = quotas
        self._candidates = candidates
        self._queue = queue
        self._cancellations = cancellations
        self._metrics = metrics
        self._usage = usage

    async def check_out(self, order: Order, requester: Requester) -> Checkout:
        """Hand out everything that is ordered, or nothing.

        Raises NothingReady, UnknownToken, QuotaExceeded, KeyReused, GrantOver, NotReplicated,
        StoreUnavailable, ClientLeft.
        """
        operation = new_operation()
        try:
            checkout = await self._checked_out(self._candidates.items(order), requester, operation)
        except NoneReady as error:
            self._metrics.empty(error.name)
            text = explain_shortage(error, order[error.name], self._candidates.configured_sizes)
            raise NothingReady(text) from None
        except UnknownToken:
            self._metrics.unauthorized()
            raise
        except (KeyReused, GrantOver):
            self._metrics.invalid()
            raise
        except NotReplicated as error:
            for pool in error.pools:
                self._metrics.unsafe(pool)
            raise
        except StoreUnavailable as error:
            if error.may_have_run or requester.wait_seconds:
                # It may even run later, if only the answer was lost. Who waits may have a ticket, too.
                self._cancellations.add(operation, reason="the store's answer was lost")
            raise
        except ScriptFailed:
            self._cancellations.add(operation, reason="the store failed")
            raise
        except ClientLeft:
            self._cancellations.add(operation, reason="the client left while it waited")
            raise
        except asyncio.CancelledError:
            self._cancellations.add(operation, reason="the service stopped before the answer")
            raise
        if requester.has_left():
            self._cancellations.add(operation, reason="the client left before the answer")
            raise ClientLeft
        self._report(checkout)
        return checkout

    async def _checked_out(self, items: list[LineItem], requester: Requester, operation: str) -> Checkout:
        async def attempt(wait: WaitOptions | None) -> Checkout:
            return await self._quotas.within(
                requester.token,
                lambda client: self._checkouts.check_out(
                    items,
                    operation=operation,
                    lifetime=self._quotas.lifetime,
                    token=requester.token,
                    key=requester.key,
                    wait=wait,
                    client=client,
                ),
                address=requester.address() if self._quotas.limits_addresses else "",
            )

        if not requester.wait_seconds:
            return await attempt(None)
        return await self._queue.check_out(
            attempt,
            operation=operation,
            sizes=self._candidates.sizes(items),
            address=requester.address(),
            key=requester.key.digest(token_digest(requester.token)) if requester.key else "",
            seconds=requester.wait_seconds,
            client_leaves=requester.leaves,
        )

    def _report(self, checkout: Checkout) -> None:
        for grant in checkout.grants:
            if checkout.is_repeated:
                self._metrics.repeated(grant.pool)
            else:
                self._metrics.granted(grant.pool)
            log.info(
                EventName.VM_CHECKED_OUT_AGAIN if checkout.is_repeated else EventName.VM_CHECKED_OUT,
                vm=grant.vm,
                pool=grant.pool,
                provider_id=grant.provider_id,
                user=checkout.user,
                requested=grant.name,
            )
        if self._usage is not None and not checkout.is_repeated:
            self._usage.began(checkout)


log = structlog.get_logger(__name__)

_REASON = "returned"


class ReleaseService:
    """Releases the VMs of users.

    With `only_owner`, one that was taken with a token is released only by its user or one of `admins`.
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

    async def release(self, vm: str, *, token: str | None) -> None:
        """End the use of a running VM. Raises NoSuchVm, UnknownToken, NotOwner, StoreUnavailable."""
        try:
            returned = await self._checkouts.release(
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
            EventName.VM_RETURNED,
            vm=vm,
            pool=returned.pool,
            provider_id=returned.provider_id,
            user=returned.user,
            reason=_REASON,
        )
