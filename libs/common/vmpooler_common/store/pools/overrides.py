"""Setting sizes, templates and clone targets of pools while they are used, and draining pools."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass

from vmpooler_common.model.overrides import CurrentOverrides, Property
from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.core.connection import Reply
from vmpooler_common.store.core.errors import NotOwner, UnknownToken
from vmpooler_common.store.core.scripts import Named, Scripts


@dataclass(frozen=True, slots=True)
class Permission:
    """Who asks, and who may."""

    token: str | None = None
    needs_token: bool = False
    admins: Collection[str] = ()
    only_admins: bool = False
    """Its user must be one of the admins; whoever needs none isn't asked for one."""


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
            raise UnknownToken("changing pools needs a valid token")
        case "foreign":
            raise NotOwner("this is for admins only")


def _mapping(flat: Sequence[Reply]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
