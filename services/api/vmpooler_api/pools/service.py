"""The use cases of changing pools while they are used: by operators, in place of the configuration."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import structlog

from vmpooler_api.metrics.configuration import ConfigurationMetrics
from vmpooler_api.pools.report import ConfigurationReport, FullReport, report_configuration
from vmpooler_api.pools.request import read_pools, read_values
from vmpooler_api.web.errors import Unacceptable, UnknownName, UnusableEntries
from vmpooler_common.config import PoolSettings, Settings
from vmpooler_common.config.show.redaction import redacted
from vmpooler_common.model.events import EventName
from vmpooler_common.model.overrides import Property
from vmpooler_common.store.core.errors import NotOwner, UnknownToken
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.pools.overrides import Overridden, Permission, PoolChange, PoolChanges

log = structlog.get_logger(__name__)

Read = TypeVar("Read")


@dataclass(frozen=True, slots=True)
class TakenBack:
    """What became of a reset, as texts; empty where there is none."""

    before: str
    configured: str

    @property
    def is_change(self) -> bool:
        """Whether something else counts now."""
        return self.before != self.configured


class PoolService:
    """Changes pools. Each method is one round trip, and so is each refusal but those of who gives no token.

    Where tokens are checked one is needed, of an admin unless any user may change pools. Whoever may
    not is told nothing else. Raises, beside what each method says, UnknownToken, NotOwner, StoreUnavailable.
    """

    def __init__(self, changes: PoolChanges, settings: Settings, *, metrics: ConfigurationMetrics) -> None:
        self._changes = changes
        self._settings = settings
        self.may_be_changed = settings.general.experimental_features
        """Whether pools may be changed through the API."""
        self._pools = {pool.name: pool for pool in settings.pools}
        self._needs_token = settings.needs_token
        self._admins = settings.general.admins
        self._only_admins = settings.general.pool_changes == "admins"
        self._metrics = metrics

    async def show(self) -> ConfigurationReport:
        """Describe the pools as they are configured and as they were changed. Raises UnknownName for none."""
        if not self._pools:
            raise UnknownName
        return report_configuration(self._settings.pools, await self._changes.current())

    async def show_everything(self, *, token: str | None) -> FullReport:
        """Give the whole configuration, secrets masked; with authentication for admins only."""
        await self.check_admin(token=token)
        return FullReport(full_config=redacted(self._settings))

    async def set(self, what: Property, body: bytes, *, token: str | None) -> bool:
        """Set a property of pools, all or none; give whether anything is other than before.

        Raises Unacceptable, UnknownName, UnusableEntries.
        """
        with self._refusals_counted(self._metrics.invalid, self._metrics.unauthorized):
            values = await self._read(lambda: read_values(what, body, self._pools.keys()), token)
            changes = [
                PoolChange(pool, configured(self._pools[pool], what), value) for pool, value in values.items()
            ]
            done = await self._override(what, changes, token)
        is_changed = False
        for change, old in zip(changes, done.before, strict=True):
            if change.value == old:
                self._metrics.unchanged(change.pool)
                continue
            is_changed = True
            self._metrics.changed(change.pool)
            _log_change(change.pool, what, before=old, now=change.value, user=done.user)
        return is_changed

    async def take_back(self, what: Property, pool: str, *, token: str | None) -> TakenBack:
        """Let what is configured count again. Raises UnknownName."""
        with self._refusals_counted(self._metrics.invalid, self._metrics.unauthorized):
            wanted = await self._read(lambda: self._known(pool), token)
            change = PoolChange(pool, configured(wanted, what), value="")
            done = await self._override(what, [change], token)
        outcome = TakenBack(done.before[0], change.configured)
        if outcome.is_change:
            self._metrics.changed(pool)
            _log_change(pool, what, before=outcome.before, now=change.configured, user=done.user)
        else:
            self._metrics.unchanged(pool)
        return outcome

    async def reset(self, body: bytes, *, token: str | None) -> None:
        """Have all VMs of pools replaced that nobody has.

        Raises Unacceptable, UnknownName, UnusableEntries.
        """
        with self._refusals_counted(self._metrics.invalid_reset, self._metrics.unauthorized_reset):
            pools = await self._read(lambda: read_pools(body, self._pools.keys()), token)
            user = await self._changes.drain(
                pools, permission=self._permission(token), operation=new_operation()
            )
        for pool in pools:
            self._metrics.reset(pool)
            log.info(EventName.POOL_DRAINED, pool=pool, user=user)

    async def check_admin(self, *, token: str | None) -> None:
        """Let only admins pass where tokens are checked, and everybody elsewhere."""
        if self._needs_token:
            if token is None:
                raise UnknownToken
            await self._changes.check(Permission(token, True, self._admins, only_admins=True))

    async def _override(self, what: Property, changes: list[PoolChange], token: str | None) -> Overridden:
        return await self._changes.override(
            what, changes, permission=self._permission(token), operation=new_operation()
        )

    async def _read(self, read: Callable[[], Read], token: str | None) -> Read:
        if self._needs_token and token is None:
            raise UnknownToken
        try:
            return read()
        except (Unacceptable, UnknownName, UnusableEntries):
            # Who may not ask isn't told what is wrong with the question.
            if self._needs_token:
                await self._changes.check(self._permission(token))
            raise

    def _permission(self, token: str | None) -> Permission:
        if not self._needs_token:
            return Permission()
        return Permission(token, True, self._admins, only_admins=self._only_admins)

    def _known(self, pool: str) -> PoolSettings:
        if pool not in self._pools:
            raise UnknownName
        return self._pools[pool]

    @contextmanager
    def _refusals_counted(
        self, invalid: Callable[..., None], unauthorized: Callable[[], None]
    ) -> Iterator[None]:
        try:
            yield
        except (UnknownToken, NotOwner):
            unauthorized()
            raise
        except (Unacceptable, UnknownName):
            invalid()
            raise
        except UnusableEntries as error:
            for pool in error.names:
                invalid(pool)
            raise


def _log_change(pool: str, what: Property, *, before: str, now: str, user: str | None) -> None:
    log.info(EventName.POOL_CHANGED, pool=pool, what=what.value, before=before, now=now, user=user)


def configured(pool: PoolSettings, what: Property) -> str:
    """Give a property as it is configured, in the form in which it would be stored; empty for none."""
    match what:
        case Property.SIZE:
            return str(pool.size)
        case Property.TEMPLATE:
            return pool.template
        case Property.CLONE_TARGET:
            return pool.clone_target or ""
