"""The use cases of an on-demand request's beginning and of its deletion."""

from collections.abc import Callable
from uuid import uuid4

import structlog

from vmpooler_api.draws import Draws
from vmpooler_api.metrics.ondemand import OnDemandMetrics
from vmpooler_api.ondemand_orders import OnDemandOrder, OrderReader
from vmpooler_api.refusals import TooManyVms, Unacceptable, UnknownName, UnknownTemplates
from vmpooler_common.config import Settings
from vmpooler_common.store.errors import RequestExists, UnknownToken
from vmpooler_common.store.scripts import new_operation
from vmpooler_common.store.store import Store

log = structlog.get_logger(__name__)


class Provisioning:
    """Opens and deletes requests; each is one round trip, and so is each refusal."""

    def __init__(self, store: Store, settings: Settings, *, metrics: OnDemandMetrics) -> None:
        self._store = store
        self._settings = settings
        self._metrics = metrics
        self._draws = Draws(settings)
        self._reader = OrderReader(
            settings.names,
            most_of_one=settings.general.max_ondemand_instances_per_request,
            most=settings.general.max_vms_per_request,
        )

    async def open_by_body(self, body: bytes, *, token: str | None) -> str:
        """Open what a body asks for and give the request's id.

        Raises UnknownToken, which goes before all others, what OrderReader raises, RequestExists and
        StoreUnavailable; after that, the request may have been opened.
        """
        return await self._open(lambda: self._reader.from_body(body), token)

    async def open_by_path(self, names: str, *, token: str | None) -> str:
        """Open what a path asks for, likewise."""
        return await self._open(lambda: self._reader.from_path(names), token)

    async def delete(self, request: str, *, token: str | None) -> bool:
        """End a request and return its VMs; False when it was deleted before.

        Raises UnknownToken, NoSuchRequest, StoreUnavailable.
        """
        needs_token = self._settings.needs_token
        is_new = await self._store.requests.delete(
            request, operation=new_operation(), token=token if needs_token else None, needs_token=needs_token
        )
        if is_new:
            log.info("on-demand request deleted", request=request)
        return is_new

    async def _open(self, read: Callable[[], OnDemandOrder], token: str | None) -> str:
        try:
            request = await self._opened(read, token if self._settings.needs_token else None)
        except UnknownToken:
            self._metrics.unauthorized()
            raise
        except TooManyVms:
            self._metrics.too_many()
            raise
        except (Unacceptable, UnknownName, UnknownTemplates):
            self._metrics.invalid()
            raise
        except RequestExists:
            self._metrics.duplicate()
            raise
        self._metrics.created()
        return request

    async def _opened(self, read: Callable[[], OnDemandOrder], token: str | None) -> str:
        if self._settings.needs_token and token is None:
            raise UnknownToken("a token is needed")
        try:
            order = read()
        except (TooManyVms, Unacceptable, UnknownName, UnknownTemplates):
            # Who may not ask isn't told what is wrong with the question.
            if token is not None:
                await self._store.tokens.check(token)
            raise
        request = order.request_id or str(uuid4())
        await self._store.requests.open(
            request,
            self._draws.draw(order.vms),
            operation=new_operation(),
            token=token,
            lifetime=self._settings.vm_lifetime,
            lifetime_with_token=self._settings.lifetime_with_token,
            ttl=self._settings.general.ondemand_request_ttl,
        )
        log.info("on-demand request opened", request=request, requested=dict(order.vms))
        return request
