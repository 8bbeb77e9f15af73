"""Checkout and release: the two routes that clients wait for, so plain routes without the framework's help.

That halves their cost. In exchange their part of the OpenAPI document is written by hand (in
`checkout.openapi`), and tests hold real answers against it.
"""

from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vmpooler_api.checkout.idempotency import read_key
from vmpooler_api.checkout.openapi import ALL, ONE
from vmpooler_api.checkout.service import CheckoutService, ReleaseService, Requester
from vmpooler_api.metrics.checkout import CheckoutMetrics
from vmpooler_api.selection.request import Order, order_from_body, order_from_path
from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_api.web.errors import BadRequest, UnknownName
from vmpooler_api.web.parameters import read_wait, short_name, wants_list
from vmpooler_api.web.request import LARGEST_BODY, client_leaves, has_left, read_body
from vmpooler_common.config import Settings
from vmpooler_common.store.checkout.values import Checkout
from vmpooler_common.web.json import JsonAnswer

TOKEN_HEADER = "x-auth-token"  # noqa: S105 - the name of the header


class CheckoutRoutes:
    """The handlers of these routes."""

    def __init__(
        self,
        checkouts: CheckoutService,
        releases: ReleaseService,
        *,
        names: frozenset[str],
        metrics: CheckoutMetrics,
        addresses: ClientAddresses,
        settings: Settings,
    ) -> None:
        self._checkouts = checkouts
        self._releases = releases
        self._names = names
        self._metrics = metrics
        self._addresses = addresses
        self._most = settings.general.max_vms_per_request
        self._checks_tokens = settings.needs_token
        self._longest_wait = settings.serving.longest_wait

    def routes(self) -> list[Route]:
        """Give the routes, for the head of the app's list."""
        return [
            Route(ONE, self.check_out_by_path, methods=["POST"]),
            Route(ONE, self.release, methods=["DELETE"]),
            Route(ALL, self.check_out_by_body, methods=["POST"]),
        ]

    async def check_out_by_body(self, request: Request) -> Response:
        """Check out what the body asks for."""
        body = await read_body(request, LARGEST_BODY)
        return await self._check_out(request, lambda: order_from_body(body, self._names, most=self._most))

    async def check_out_by_path(self, request: Request) -> Response:
        """Check out what the path asks for. The body is read only so that a client's leaving shows."""
        await read_body(request, LARGEST_BODY)
        names = request.path_params["name"]
        return await self._check_out(request, lambda: order_from_path(names, self._names, most=self._most))

    async def release(self, request: Request) -> Response:
        """Release one VM."""
        # A VM that was taken with a token needs one even when tokens aren't checked any more.
        await self._releases.release(short_name(request.path_params["name"]), token=_token(request))
        return JsonAnswer({"ok": True})

    async def _check_out(self, request: Request, read_order: Callable[[], Order]) -> Response:
        token = _token(request) if self._checks_tokens else None
        try:
            order = read_order()
            key = read_key(request, self._addresses, has_token=token is not None)
            wait_seconds, as_list = _query(request, self._longest_wait)
        except (BadRequest, UnknownName):
            self._metrics.invalid()
            raise
        checkout = await self._checkouts.check_out(
            order,
            Requester(
                token=token,
                key=key,
                address=lambda: self._addresses.address_of(request.scope),
                wait_seconds=wait_seconds,
                has_left=lambda: has_left(request),
                leaves=lambda: client_leaves(request),
            ),
        )
        return JsonAnswer(_listed(checkout) if as_list else _granted(checkout))


def _token(request: Request) -> str | None:
    return request.headers.get(TOKEN_HEADER) or None


def _query(request: Request, longest: timedelta) -> tuple[float, bool]:
    """Give the seconds that the client waits, and whether it wants a list."""
    if not request.scope["query_string"]:
        return 0.0, False
    given = request.query_params
    try:
        return read_wait(given.get("wait", "0"), longest=longest), wants_list(given.get("format"))
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _granted(checkout: Checkout) -> dict[str, Any]:
    hostnames: defaultdict[str, list[str]] = defaultdict(list)
    for grant in checkout.grants:
        hostnames[grant.name].append(grant.fqdn)
    granted = {
        name: {"hostname": of_name[0] if len(of_name) == 1 else of_name}
        for name, of_name in hostnames.items()
    }
    return {"ok": True, **granted}


def _listed(checkout: Checkout) -> dict[str, Any]:
    vms = [
        {"name": grant.name, "hostname": grant.vm, "fqdn": grant.fqdn, "pool": grant.pool}
        for grant in checkout.grants
    ]
    return {"ok": True, "vms": vms}
