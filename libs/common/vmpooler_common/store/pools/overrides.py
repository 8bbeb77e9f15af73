"""Setting sizes, templates and clone targets of pools while they are used, and draining pools."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from vmpooler_common.model.overrides import CurrentOverrides, Property
from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.core.connection import Reply
from vmpooler_common.store.core.errors import NotOwner, UnknownToken
from vmpooler_common.store.core.scripts import Named, Scripts
from vmpooler_common.store.core.times import from_ms_or_none


@dataclass(frozen=True, slots=True)
class Permission:
    """Who asks, and who may."""

    token: str | None = None
    needs_token: bool = False
    admins: Collection[str] = ()
    only_admins: bool = False
    """Its user must be one of the admins; whoever needs none isn't asked for one."""


NOBODY_ASKED = Permission()
"""Of an operator at the command line, or where no token is needed."""


@dataclass(frozen=True, slots=True)
class PoolChange:
    """One property of one pool; texts of stored values, empty where there is none."""

    pool: str
    configured: str
    value: str
    """Empty: what is configured counts again."""


@dataclass(frozen=True, slots=True)
class Overridden:
    """What was done, and who asked for it."""

    user: str | None
    """Empty where no token is needed."""
    before: Sequence[str]
    """What counted before, for each change."""


@dataclass(frozen=True, slots=True)
class Paused:
    """What became of pausing a pool, or of letting it work again."""

    user: str | None
    is_change: bool
    since: datetime | None
    """When it was paused; None when it wasn't."""


@dataclass(frozen=True, slots=True)
class Resumed:
    """Deletion goes on at a provider."""

    user: str | None
    released: int
    """VMs that are missing or unknown there by now; no safety limit counts them for a day."""


class PoolChanges:
    """Each method is one round trip, and safe to repeat with the same operation.

    All but `current` note the use of the token, and raise UnknownToken, NotOwner, StoreUnavailable.
    """

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def current(self) -> CurrentOverrides:
        """Give what is set. Raises StoreUnavailable."""
        found = await self._scripts.fetch("show_overrides")
        return CurrentOverrides(
            sizes=_mapping(list(found["sizes"])),
            templates=_mapping(list(found["templates"])),
            clone_targets=_mapping(list(found["clone_targets"])),
            prepared=_mapping(list(found["templates_ready"])),
        )

    async def override(
        self, what: Property, changes: Sequence[PoolChange], *, permission: Permission, operation: str
    ) -> Overridden:
        """Make all changes atomically, or none."""
        reply = await self._scripts.fetch(
            "override_pools",
            operation=operation,
            **_asker(permission),
            property=what,
            changes=[asdict(change) for change in changes],
        )
        _check(reply["outcome"])
        return Overridden(reply["user"] or None, list(reply["before"]))

    async def drain(self, pools: Sequence[str], *, permission: Permission, operation: str) -> str | None:
        """Have all VMs of these pools that are pending or ready replaced, once; give the user who asks."""
        reply = await self._scripts.fetch(
            "drain_pools", operation=operation, **_asker(permission), pools=pools
        )
        _check(reply["outcome"])
        return reply["user"] or None

    async def pause(self, pool: str, reason: str | None, *, permission: Permission, operation: str) -> Paused:
        """Pause a pool for this reason; None: let it work again."""
        reply = await self._scripts.fetch(
            "pause_pool",
            operation=operation,
            **_asker(permission),
            pool=pool,
            paused=reason is not None,
            reason=reason or "",
        )
        _check(reply["outcome"])
        return Paused(reply["user"] or None, bool(reply["is_change"]), from_ms_or_none(reply["since"]))

    async def resume_deletion(self, provider: str, *, permission: Permission = NOBODY_ASKED) -> Resumed:
        """Resume deletion at a provider because an operator says so."""
        reply = await self._scripts.fetch("resume_deletion", provider=provider, **_asker(permission))
        _check(reply["outcome"])
        return Resumed(reply["user"] or None, reply["released"])

    async def check(self, permission: Permission) -> None:
        """Only check that the token may; for what is decided before another verb is asked."""
        token = token_digest(permission.token)
        _check(
            await self._scripts.run_named(
                "authorise", token=token, only_admins=permission.only_admins, admins=list(permission.admins)
            )
        )


def _asker(permission: Permission) -> dict[str, Named]:
    return {
        "token": token_digest(permission.token),
        "needs_token": permission.needs_token,
        "only_admins": permission.only_admins,
        "admins": list(permission.admins),
    }


def _check(outcome: str) -> None:
    match outcome:
        case "unauthorized":
            raise UnknownToken
        case "foreign":
            raise NotOwner


def _mapping(flat: Sequence[Reply]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
