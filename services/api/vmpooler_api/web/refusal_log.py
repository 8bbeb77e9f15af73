"""Tells the log of requests that were refused: who tried what, from where. Of many, a sample."""

from collections.abc import Callable
from time import monotonic
from typing import Any

import structlog
from starlette.types import Scope

from vmpooler_api.authentication.base import WrongCredentials
from vmpooler_api.authentication.basic import read_basic
from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_api.web.route_names import RouteNames
from vmpooler_common.metrics.route_template import NOTED
from vmpooler_common.model.events import EventName

log = structlog.get_logger(__name__)

_TOLD = frozenset({401, 403, 429})
_LINES = 10
"""In a second."""
_BEGINNING = 8
"""First characters of a token, which lists of tokens show, too."""


class RefusalLog:
    """One line for each refusal, at most ten in a second; the next line says how many were left out."""

    def __init__(
        self, addresses: ClientAddresses, names: RouteNames, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._addresses = addresses
        self._names = names
        self._clock = clock
        self._second = 0
        self._lines = 0
        self._omitted = 0

    def refused_early(self, scope: Scope, status: int, *, reason: str) -> None:
        """Tell of a refusal in a route's place; note its name for metrics and the log of requests, too."""
        scope[NOTED] = self._names.of(scope["path"])
        self.refused(scope, status, reason=reason)

    def refused(self, scope: Scope, status: int, *, reason: str, knows_token: bool = False) -> None:
        """Tell that a request was refused; other statuses than 401, 403 and 429 are no refusals.

        `knows_token` is whether its token is one: what isn't may be a password in the wrong place.
        """
        if status not in _TOLD or not self._has_room():
            return
        user = _user(scope)
        facts: dict[str, Any] = {"user": user} if user else {}
        if knows_token:
            facts["token"] = _header(scope, b"x-auth-token")[:_BEGINNING]
        if self._omitted:
            facts["omitted"] = self._omitted
            self._omitted = 0
        log.warning(
            EventName.LOGIN_FAILED if user else EventName.HTTP_REFUSED,
            status=status,
            reason=reason,
            method=scope["method"],
            route=self._names.of(scope["path"]),
            client=self._addresses.address_of(scope),
            **facts,
        )

    def _has_room(self) -> bool:
        second = int(self._clock())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > _LINES:
            self._omitted += 1
        return self._lines <= _LINES


def _user(scope: Scope) -> str | None:
    """Give the name that somebody tried to log in with."""
    try:
        return read_basic(_header(scope, b"authorization")).user
    except WrongCredentials:
        return None


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for header, value in scope["headers"] if header == name), "")
