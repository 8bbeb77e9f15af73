"""Refuses the requests of clients that ask too often, before anything else is done for them."""

import asyncio
import math
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vmpooler_api.background.store_health import StoreHealth
from vmpooler_api.metrics.limits import LimitMetrics
from vmpooler_api.web.client_address import ClientAddresses, network_of
from vmpooler_api.web.refusal_log import RefusalLog
from vmpooler_common.config.sections.access import RateLimit, RateLimits
from vmpooler_common.outages import Outage
from vmpooler_common.store.access.rates import Admission, Allowance, Rates
from vmpooler_common.store.core.errors import StoreError, StoreUnavailable
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.web.json import JsonAnswer

_CREATION = re.compile(r"/api(?:/v[123])?/(?:vm|ondemandvm)(?:/[^/]+)?\Z")
_DELETION = re.compile(r"/api(?:/v[123])?/(?:vm|ondemandvm)/[^/]+\Z")
_LOGIN = re.compile(r"(?:(?:GET|HEAD|POST) /api(?:/v[123])?/token|DELETE /api(?:/v[123])?/token/[^/]+)\Z")
_TOKEN = re.compile(r"/api(?:/v[123])?/token/[^/]+\Z")
"""Shown to whoever has it; by its beginning to those who log in."""
_PATIENCE = 1.0
"""Seconds for Redis to answer: a request isn't held up much by a check that may be left out."""

_HEADERS = {
    "X-RateLimit-Limit": "Requests in a period.",
    "X-RateLimit-Remaining": "Requests that would be answered now.",
    "X-RateLimit-Reset": "Seconds since the epoch: when one request more will be answered.",
    "Retry-After": "Seconds until then.",
}
_BODY = {
    "ok": {"const": False},
    "error": {"type": "string"},
    "limit": {"type": "integer"},
    "period": {"type": "number"},
    "retry_after": {"type": "integer"},
}
REFUSED: Mapping[str, Any] = {
    "429": {
        "description": "Too many requests of this kind from this client.",
        "headers": {
            name: {"description": meaning, "schema": {"type": "string"}} for name, meaning in _HEADERS.items()
        },
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": _BODY,
                    "required": list(_BODY),
                    "additionalProperties": False,
                    "example": {
                        "ok": False,
                        "error": "Rate limit exceeded",
                        "limit": 100,
                        "period": 60,
                        "retry_after": 12,
                    },
                },
            }
        },
    }
}
"""The refusal in the OpenAPI document."""


class Limits:
    """The configured limits, and where requests are counted.

    `dashboard` are the paths of what the dashboard asks for: an open page doesn't use up its visitor's limit.
    """

    def __init__(self, rates: Rates, limits: RateLimits, *, dashboard: frozenset[str]) -> None:
        self.rates = rates
        self._dashboard_paths = dashboard
        self._creation = _allowance("vm_creation", limits.vm_creation)
        self._deletion = _allowance("vm_deletion", limits.vm_deletion)
        self._logins = _allowance("logins", limits.logins)
        self._authenticated = _allowance("authenticated", limits.authenticated)
        self._dashboard = _allowance("dashboard", limits.dashboard)
        self._global = _allowance("global_per_ip", limits.global_per_ip)

    def allowances(self, scope: Scope) -> tuple[Allowance, Allowance]:
        """Choose what a request is counted against: with a token that is known, and without."""
        method, path = scope["method"], scope["path"]
        if method == "POST" and _CREATION.match(path):
            return self._creation, self._creation
        if method == "DELETE" and _DELETION.match(path):
            return self._deletion, self._deletion
        if _LOGIN.match(f"{method} {path}") or (_TOKEN.match(path) and _has_credentials(scope)):
            return self._logins, self._logins
        if path in self._dashboard_paths:
            return self._dashboard, self._dashboard
        return self._authenticated, self._global


class RateLimiter:
    """Admits requests within the limits, tells what is left in the headers of each answer, refuses others.

    `exempt` are the paths that are always served. While Redis can't be asked everything passes: those
    requests need it, too, and say so themselves.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        limits: Limits,
        addresses: ClientAddresses,
        exempt: frozenset[str],
        health: StoreHealth,
        metrics: LimitMetrics,
        refusals: RefusalLog,
    ) -> None:
        self._app = app
        self._limits = limits
        self._addresses = addresses
        self._exempt = exempt
        self._health = health
        self._metrics = metrics
        self._refusals = refusals
        self._outage = Outage("rate limits")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429."""
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self._app(scope, receive, send)
            return
        admission = await self._admission(scope)
        if admission is None:
            await self._app(scope, receive, send)
        elif admission.is_admitted:
            await self._app(scope, receive, _adding(_headers(admission), send))
        else:
            self._metrics.refused(admission.allowance.category)
            self._refusals.refused_early(scope, 429, reason=f"rate limit {admission.allowance.category}")
            await _refusal(admission)(scope, receive, send)

    async def _admission(self, scope: Scope) -> Admission | None:
        """Ask Redis; None when it can't be asked."""
        if not self._health.is_prepared:  # it is known to be away: don't wait for that to show again
            self._metrics.unchecked()
            return None
        with_token, without = self._limits.allowances(scope)
        try:
            async with asyncio.timeout(_PATIENCE):
                admission = await self._limits.rates.admit(
                    operation=new_operation(),
                    token=_token(scope),
                    address=network_of(self._addresses.address_of(scope)),
                    with_token=with_token,
                    without=without,
                )
        except (StoreError, TimeoutError) as error:
            if isinstance(error, StoreUnavailable):
                self._health.noticed(error)
            self._outage.began(str(error) or f"no answer within {_PATIENCE:g} s")
            self._metrics.unchecked()
            return None
        self._outage.ended()
        return admission


def _allowance(category: str, limit: RateLimit) -> Allowance:
    return Allowance(category, limit.limit, limit.period)


def _has_credentials(scope: Scope) -> bool:
    return any(name == b"authorization" for name, _ in scope["headers"])


def _token(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"x-auth-token":
            return str(value.decode("latin-1"))
    return None


def _headers(admission: Admission) -> dict[str, str]:
    reset = (admission.now + admission.changes_in).timestamp()
    return {
        "X-RateLimit-Limit": str(admission.allowance.limit),
        "X-RateLimit-Remaining": str(admission.remaining),
        "X-RateLimit-Reset": str(math.ceil(reset)),
    }


def _refusal(admission: Admission) -> JsonAnswer:
    retry_after = max(1, math.ceil(admission.changes_in.total_seconds()))
    content = {
        "ok": False,
        "error": "Rate limit exceeded",
        "limit": admission.allowance.limit,
        "period": _seconds(admission.allowance.period),
        "retry_after": retry_after,
    }
    return JsonAnswer(content, 429, {**_headers(admission), "Retry-After": str(retry_after)})


def _seconds(period: timedelta) -> int | float:
    seconds = period.total_seconds()
    return int(seconds) if seconds.is_integer() else seconds


def _adding(headers: dict[str, str], send: Send) -> Send:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]

    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *raw]
        await send(message)

    return send_with_headers
