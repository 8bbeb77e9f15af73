"""How much each client may have, and asking the store with it in one round trip.

The store knows a token's user, and this process the limits. A call is made with those of the user where the
token was seen before, else with the lowest ones of all; when these refuse it, the answer names the user, and
where the user's own limits are others the call is made once more.
"""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from vmpooler_api.metrics.limits import LimitMetrics
from vmpooler_api.web.client_address import network_of
from vmpooler_common.config import Settings
from vmpooler_common.config.sections.limits import AddressLimits
from vmpooler_common.model.allowance import UNLIMITED, Allowance, Client
from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.core.errors import QuotaExceeded, TooManyRequests

Answer = TypeVar("Answer")

_MEMBERS = tuple(Allowance.__dataclass_fields__)
_USERS_KEPT = 10_000
"""Tokens whose users are remembered; then all are forgotten."""


class Quotas:
    """The limits of users, groups and addresses."""

    def __init__(self, settings: Settings, *, metrics: LimitMetrics) -> None:
        self._metrics = metrics
        limits = settings.limits
        everybody = Allowance(
            limits.running_vms,
            limits.ondemand_vms,
            settings.general.max_waiting_per_client,
            limits.disk_gigabytes,
        )
        self.lifetime = settings.vm_lifetime
        """How long VMs last that are taken without a token; None: without an end."""
        self._lifetime_with_token = settings.lifetime_with_token
        self._everybody = everybody
        self._own: dict[str, Allowance] = {}
        for group in reversed(limits.groups):
            self._own |= dict.fromkeys(group.users, group.of(everybody))
        self._own |= dict.fromkeys(settings.general.admins, UNLIMITED)
        self._lowest = _lowest([everybody, *self._own.values()])
        by_address = limits.by_address
        self._of_address = Allowance(
            by_address.running_vms,
            by_address.ondemand_vms,
            by_address.waiting_checkouts,
            by_address.disk_gigabytes,
            limits.anonymous_ondemand_vms,
        )
        self.limits_addresses = any(getattr(by_address, name) for name in AddressLimits.model_fields)
        self._needs_token = settings.needs_token
        self._users: dict[str, str] = {}

    async def within(
        self,
        token: str | None,
        call: Callable[[Client], Awaitable[Answer]],
        *,
        address: str = "",
        takes_turns: bool = False,
    ) -> Answer:
        """Ask with what the client may have; with `takes_turns` an address is a client in any case.

        Raises QuotaExceeded, TooManyRequests, and what else `call` does.
        """
        try:
            if token is None or not self._needs_token:
                return await call(self._of(address, is_named=takes_turns))
            return await self._within_own(token, call)
        except QuotaExceeded as refusal:
            self._metrics.over_quota(refusal.what)
            raise
        except TooManyRequests:
            self._metrics.over_quota("finished_requests")
            raise

    async def _within_own(self, token: str, call: Callable[[Client], Awaitable[Answer]]) -> Answer:
        digest = token_digest(token)
        user = self._users.get(digest)
        tried = self._lowest if user is None else self.of(user)
        try:
            return await call(Client("", tried, self._lifetime_with_token))
        except QuotaExceeded as refusal:
            if user is not None or refusal.user is None:
                raise
            self._remember(digest, refusal.user)
            own = self.of(refusal.user)
            if own == tried:
                raise
        return await call(Client("", own, self._lifetime_with_token))

    def of(self, user: str) -> Allowance:
        """Say what a user may have."""
        return self._own.get(user, self._everybody)

    def _of(self, address: str, *, is_named: bool) -> Client:
        is_named = bool(address) and (is_named or self.limits_addresses)
        return Client(f"a:{network_of(address)}" if is_named else "", self._of_address)

    def _remember(self, digest: str, user: str) -> None:
        if len(self._users) >= _USERS_KEPT:
            self._users.clear()
        self._users[digest] = user


def _lowest(allowances: list[Allowance]) -> Allowance:
    """Give the lowest of each number; 0, which is no limit, is the highest."""
    numbers = {
        name: min((value for one in allowances if (value := getattr(one, name))), default=0)
        for name in _MEMBERS
    }
    return Allowance(**numbers)
