"""The use case of a checkout: from what is asked for to the VMs' names."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from vmpooler_api.background.cancellations import Cancellations
from vmpooler_api.checkout.waiting import CheckoutQueue
from vmpooler_api.metrics.checkout import CheckoutMetrics
from vmpooler_api.selection.candidates import CandidatePools
from vmpooler_api.selection.request import Order
from vmpooler_api.usage import Usage
from vmpooler_api.web.errors import ClientLeft
from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.checkout.checkouts import Checkout, Checkouts, LineItem, WaitOptions
from vmpooler_common.store.checkout.idempotency import IdempotencyKey
from vmpooler_common.store.core.errors import (
    GrantOver,
    KeyReused,
    NoneReady,
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
    patience: float
    """Seconds that it waits for VMs that aren't ready; 0: it doesn't."""
    has_left: Callable[[], bool]
    """Whether it is known to be gone."""
    leaves: Callable[[], Coroutine[Any, Any, None]]
    """Returns when it is gone."""


class CheckoutService:
    """Hands VMs out; nothing stays handed out that the client wasn't told."""

    def __init__(
        self,
        checkouts: Checkouts,
        offers: CandidatePools,
        *,
        line: CheckoutQueue,
        withdrawals: Cancellations,
        metrics: CheckoutMetrics,
        usage: Usage | None,
        lifetime: timedelta | None,
        lifetime_with_token: timedelta | None,
    ) -> None:
        self._checkouts = checkouts
        self._offers = offers
        self._line = line
        self._withdrawals = withdrawals
        self._metrics = metrics
        self._usage = usage
        self._lifetime = lifetime
        self._lifetime_with_token = lifetime_with_token

    async def check_out(self, order: Order, customer: Requester) -> Checkout:
        """Hand out everything that is ordered, or nothing.

        Raises NoneReady, UnknownToken, KeyReused, GrantOver, NotReplicated, StoreUnavailable, ClientLeft.
        """
        operation = new_operation()
        try:
            checkout = await self._checked_out(self._offers.wants(order), customer, operation)
        except NoneReady as error:
            self._metrics.empty(error.name)
            raise
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
            if error.may_have_run or customer.patience:
                # It may even run later, when only the answer was lost. Who waits may have a place in line.
                self._withdrawals.add(operation, reason="the store's answer was lost")
            raise
        except ScriptFailed:
            self._withdrawals.add(operation, reason="the store failed")
            raise
        except ClientLeft:
            self._withdrawals.add(operation, reason="the client left while it waited")
            raise
        except asyncio.CancelledError:
            self._withdrawals.add(operation, reason="the service stopped before the answer")
            raise
        if customer.has_left():
            self._withdrawals.add(operation, reason="the client left before the answer")
            raise ClientLeft
        self._tell(checkout)
        return checkout

    async def _checked_out(self, wants: list[LineItem], customer: Requester, operation: str) -> Checkout:
        async def attempt(patience: WaitOptions | None) -> Checkout:
            return await self._checkouts.check_out(
                wants,
                operation=operation,
                lifetime=self._lifetime,
                lifetime_with_token=self._lifetime_with_token,
                token=customer.token,
                key=customer.key,
                patience=patience,
            )

        if not customer.patience:
            return await attempt(None)
        return await self._line.check_out(
            attempt,
            operation=operation,
            sizes=self._offers.sizes(wants),
            key=customer.key.digest(token_digest(customer.token)) if customer.key else "",
            seconds=customer.patience,
            client_leaves=customer.leaves,
        )

    def _tell(self, checkout: Checkout) -> None:
        for grant in checkout.grants:
            if checkout.is_repeated:
                self._metrics.repeated(grant.pool)
            else:
                self._metrics.granted(grant.pool)
            log.info(
                "vm told again" if checkout.is_repeated else "vm handed out",
                vm=grant.vm,
                pool=grant.pool,
                provider_id=grant.provider_id,
                user=checkout.user,
                requested=grant.name,
            )
        if self._usage is not None and not checkout.is_repeated:
            self._usage.began(checkout)
