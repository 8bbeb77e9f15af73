"""Setting sizes, templates and clone targets of pools while they are used, and draining pools."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vmpooler_common.model.overrides import CurrentOverrides, Property
from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.core.connection import Reply
from vmpooler_common.store.core.errors import NotOwner, UnknownToken
from vmpooler_common.store.core.scripts import Argument, Scripts


@dataclass(frozen=True, slots=True)
class Permission:
    """Who asks, and who may."""

    token: str | None = None
    needs_token: bool = False
    admins: Collection[str] = ()
    only_admins: bool = False
    """Its user must be one of the admins; whoever needs none isn't asked for one."""


@dataclass(frozen=True, slots=True)
class Change:
    """One property of one pool; texts of stored values, empty where there is none."""

    pool: str
    configured: str
    value: str
    """Empty: what is configured counts again."""


@dataclass(frozen=True, slots=True)
class Overridden:
    """What was done, and who asked for it."""

    user: str
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
        sizes, templates, clone_targets, prepared = await self._scripts.run("show_overrides")
        return CurrentOverrides(
            sizes=_mapping(sizes),
            templates=_mapping(templates),
            clone_targets=_mapping(clone_targets),
            prepared=_mapping(prepared),
        )

    async def override(
        self, what: Property, changes: Sequence[Change], *, permission: Permission, operation: str
    ) -> Overridden:
        """Make all changes or none. Nothing else may be made of this."""
        flat = [text for change in changes for text in (change.pool, change.configured, change.value)]
        outcome, *told = await self._scripts.run(
            "override_pools",
            operation,
            *_asker(permission),
            what,
            len(changes),
            *flat,
            *permission.admins,
        )
        _check(outcome)
        user, *before = map(str, told)
        return Overridden(user, before)

    async def drain(self, pools: Sequence[str], *, permission: Permission, operation: str) -> str:
        """Have all VMs of these pools that are pending or ready replaced, once; give the user who asks."""
        outcome, *told = await self._scripts.run(
            "drain_pools", operation, *_asker(permission), len(pools), *pools, *permission.admins
        )
        _check(outcome)
        return str(told[0])

    async def check(self, permission: Permission) -> None:
        """Only check that the token may; for what is decided before another verb is asked."""
        token = token_digest(permission.token)
        _check(await self._scripts.run("authorise", token, int(permission.only_admins), *permission.admins))


def _asker(permission: Permission) -> tuple[Argument, ...]:
    return token_digest(permission.token), int(permission.needs_token), int(permission.only_admins)


def _check(outcome: str) -> None:
    match outcome:
        case "unauthorized":
            raise UnknownToken("changing pools needs a valid token")
        case "foreign":
            raise NotOwner("this is for admins only")


def _mapping(flat: Sequence[Reply]) -> dict[str, str]:
    return dict(zip(flat[::2], flat[1::2], strict=True))
