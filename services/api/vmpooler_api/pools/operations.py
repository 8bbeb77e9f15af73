"""What operators do to pools and providers while they work: pause, let work again, resume deletion."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from vmpooler_api.web.errors import BadRequest, NotEnabled, UnknownName
from vmpooler_api.web.request import Numeral
from vmpooler_common.config import Settings
from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import UnknownToken
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.pools.overrides import Paused, Permission, PoolChanges

LONGEST_REASON = 500
"""Characters."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PausedPool:
    """A pool that is paused now."""

    reason: str
    since: datetime | None
    is_change: bool


class OperatorService:
    """Admins only where tokens are checked; elsewhere only where pools may be changed through the API.

    Raises, beside what each method says, NotEnabled, UnknownToken, NotOwner, StoreUnavailable.
    """

    def __init__(self, changes: PoolChanges, settings: Settings) -> None:
        self._changes = changes
        self._pools = frozenset(pool.name for pool in settings.pools)
        self._providers = settings.providers.keys()
        self._needs_token = settings.needs_token
        self._is_enabled = settings.needs_token or settings.general.experimental_features
        self._admins = settings.general.admins

    async def pause(self, pool: str, reason: object, *, token: str | None) -> PausedPool:
        """Have no VM of a pool made or handed out; returns and ends of lifetimes go on.

        Raises UnknownName, BadRequest for a reason that is missing or too long.
        """
        permission = await self._permission(token)
        if pool not in self._pools:
            await self._refuse(permission)
        if not isinstance(reason, str) or not _is_reason(reason):
            if self._needs_token:
                await self._changes.check(permission)
            raise BadRequest(f"reason must be a text of 1 to {LONGEST_REASON} characters: why it is paused")
        done = await self._set(pool, reason, permission)
        if done.is_change:
            log.warning(EventName.POOL_PAUSED, pool=pool, user=done.user, reason=reason)
        return PausedPool(reason, done.since, done.is_change)

    async def resume(self, pool: str, *, token: str | None) -> bool:
        """Let a pool work again; says whether it was paused. Raises UnknownName."""
        permission = await self._permission(token)
        if pool not in self._pools:
            await self._refuse(permission)
        done = await self._set(pool, None, permission)
        if done.is_change:
            log.warning(EventName.POOL_RESUMED, pool=pool, user=done.user)
        return done.is_change

    async def resume_deletion(self, provider: str, *, token: str | None) -> int:
        """Resume deletion at a provider; give the number of VMs that no safety limit counts for a day.

        Raises UnknownName.
        """
        permission = await self._permission(token)
        if provider not in self._providers:
            await self._refuse(permission)
        done = await self._changes.resume_deletion(provider, permission=permission)
        log.warning(
            EventName.PROVIDER_DELETION_RESUMED,
            provider=provider,
            user=done.user,
            vms=done.released,
            reason="an operator resumed it through the API",
        )
        return done.released

    async def _permission(self, token: str | None) -> Permission:
        if not self._is_enabled:
            raise NotEnabled
        if not self._needs_token:
            return Permission()
        if token is None:
            raise UnknownToken
        return Permission(token, True, self._admins, only_admins=True)

    async def _refuse(self, permission: Permission) -> None:
        """Tell only those that may ask that there is no such name."""
        if self._needs_token:
            await self._changes.check(permission)
        raise UnknownName

    async def _set(self, pool: str, reason: str | None, permission: Permission) -> Paused:
        return await self._changes.pause(pool, reason, permission=permission, operation=new_operation())


def _is_reason(text: str) -> bool:
    is_short = len(text.strip()) > 0 and len(text) <= LONGEST_REASON
    return is_short and text.isprintable() and not isinstance(text, Numeral)
