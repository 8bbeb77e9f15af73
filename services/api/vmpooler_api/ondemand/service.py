"""The use cases of an on-demand request's beginning and of its deletion."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import uuid4

import structlog

from vmpooler_api.background.cancellations import Cancellations
from vmpooler_api.metrics.ondemand import OnDemandMetrics
from vmpooler_api.ondemand.explain import RequestExplanation
from vmpooler_api.ondemand.explain_text import explain
from vmpooler_api.ondemand.request import OnDemandOrder, OnDemandParser
from vmpooler_api.quotas import Quotas
from vmpooler_api.selection.candidates import PoolSelector
from vmpooler_api.usage import Usage
from vmpooler_api.web.errors import ClientLeft, TooManyVms, Unacceptable, UnknownName, UnknownTemplates
from vmpooler_api.web.holders import Visitor
from vmpooler_common.config import Settings
from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import (
    QuotaExceeded,
    RequestExists,
    RequestTaken,
    ScriptFailed,
    StoreUnavailable,
    TooManyRequests,
    UnknownToken,
)
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class OnDemandRequester:
    """Who asks for VMs on demand."""

    token: str | None
    address: str
    has_left: Callable[[], bool]
    """Whether it is known to be gone."""


class OnDemandService:
    """Opens and deletes requests; each is one round trip, and so is each refusal.

    No request stays open whose id nobody knows. One under an id that the client chose is left alone when the
    answer was lost: the client may have asked again under it, and has been told that the request is there.
    """

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        selector: PoolSelector,
        cancellations: Cancellations,
        quotas: Quotas,
        metrics: OnDemandMetrics,
        usage: Usage | None,
    ) -> None:
        self._store = store
        self._quotas = quotas
        self._settings = settings
        self._cancellations = cancellations
        self._metrics = metrics
        self._usage = usage
        self._selector = selector
        self._parser = OnDemandParser(
            settings.names,
            most_of_one=settings.general.max_ondemand_instances_per_request,
            most=settings.general.max_vms_per_request,
        )

    async def open_by_body(self, body: bytes, requester: OnDemandRequester) -> str:
        """Open what a body asks for and give the request's id.

        Raises UnknownToken, which goes first, what OnDemandParser raises, RequestExists, QuotaExceeded,
        TooManyRequests, ClientLeft and StoreUnavailable; after that, the request may have been opened if the
        body names its id.
        """
        return await self._open(lambda: self._parser.from_body(body), requester)

    async def open_by_path(self, names: str, requester: OnDemandRequester) -> str:
        """Open what a path asks for, likewise."""
        return await self._open(lambda: self._parser.from_path(names), requester)

    async def explain(self, request: str, visitor: Visitor) -> RequestExplanation | None:
        """Tell what a request waits for; None when there is no such request. Raises StoreUnavailable."""
        position = await self._store.positions.look_up(request, token=visitor.token)
        return None if position is None else explain(position, self._settings, visitor)

    async def delete(self, request: str, *, token: str | None) -> bool:
        """End a request and take its VMs back; False when it was deleted before.

        Raises UnknownToken, NotOwner, NoSuchRequest, StoreUnavailable.
        """
        general = self._settings.general
        returned = await self._store.requests.delete(
            request,
            operation=new_operation(),
            # A request that was made with a token needs one even when tokens aren't checked any more.
            token=token,
            needs_token=self._settings.needs_token,
            only_owner=general.enforce_ownership,
            admins=general.admins,
        )
        if returned is None:
            return False
        log.info(EventName.REQUEST_DELETED, request=request)
        for vm in returned:
            if self._usage is not None:
                self._usage.ended(vm)
            log.info(
                EventName.VM_RETURNED,
                vm=vm.vm,
                pool=vm.pool,
                provider_id=vm.provider_id,
                user=vm.user,
                request=request,
                reason="request deleted",
            )
        return True

    async def _open(self, read: Callable[[], OnDemandOrder], requester: OnDemandRequester) -> str:
        if not self._settings.needs_token:
            requester = replace(requester, token=None)
        try:
            order = await self._checked(read, requester.token)
            request = await self._opened(order, requester)
        except UnknownToken:
            self._metrics.unauthorized()
            raise
        except (TooManyVms, QuotaExceeded, TooManyRequests):
            self._metrics.too_many()
            raise
        except (Unacceptable, UnknownName, UnknownTemplates):
            self._metrics.invalid()
            raise
        except (RequestExists, RequestTaken):
            self._metrics.duplicate()
            raise
        self._metrics.created()
        return request

    async def _checked(self, read: Callable[[], OnDemandOrder], token: str | None) -> OnDemandOrder:
        if self._settings.needs_token and token is None:
            raise UnknownToken("on-demand requests need a valid token: send X-AUTH-TOKEN")
        try:
            return read()
        except (TooManyVms, Unacceptable, UnknownName, UnknownTemplates):
            # Who may not ask isn't told what is wrong with the question.
            if token is not None:
                await self._store.tokens.check(token)
            raise

    async def _opened(self, order: OnDemandOrder, requester: OnDemandRequester) -> str:
        request, operation = order.request_id or str(uuid4()), new_operation()
        try:
            await self._quotas.within(
                requester.token,
                lambda client: self._store.requests.open(
                    request,
                    self._selector.select(order.vms),
                    operation=operation,
                    token=requester.token,
                    lifetime=self._settings.vm_lifetime,
                    ttl=self._settings.general.ondemand_request_ttl,
                    client=client,
                ),
                address=requester.address,
                takes_turns=True,
            )
        except StoreUnavailable as error:
            if error.may_have_run:
                # It may even run later, when only the answer was lost.
                self._give_up(order, operation, reason="the store's answer was lost")
            raise
        except ScriptFailed:
            self._give_up(order, operation, reason="the store failed")
            raise
        except asyncio.CancelledError:
            self._give_up(order, operation, reason="the service stopped before the answer")
            raise
        if order.request_id is None and requester.has_left():
            self._give_up(order, operation, reason="the client left before the answer")
            raise ClientLeft
        log.info(EventName.REQUEST_OPENED, request=request, requested=dict(order.vms))
        return request

    def _give_up(self, order: OnDemandOrder, operation: str, *, reason: str) -> None:
        if order.request_id is None:
            self._cancellations.add(operation, reason=reason)
