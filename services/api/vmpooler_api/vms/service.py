"""The use case of changing a VM that somebody has."""

from collections.abc import Collection

import structlog

from vmpooler_api.metrics.tasks import TaskMetrics
from vmpooler_api.vms.changes import ChangeParser
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.vms.changes import Change, Changed, Changes

log = structlog.get_logger(__name__)


class ChangeService:
    """Changes VMs for those who may.

    With `only_owner`, one that was taken with a token is changed only for its user or one of `admins`.
    """

    def __init__(
        self,
        changes: Changes,
        reader: ChangeParser,
        *,
        only_owner: bool,
        admins: Collection[str],
        tasks: TaskMetrics,
    ) -> None:
        self._changes = changes
        self._reader = reader
        self._only_owner = only_owner
        self._admins = tuple(admins)
        self._tasks = tasks

    async def change(self, vm: str, body: bytes, *, token: str | None) -> None:
        """Change a running VM as the body says, wholly or not at all.

        Raises, in this order, NoSuchVm, UnknownToken or NotOwner, BadRequest or UnfitChange, TooManyTags,
        TooManyTasks; or StoreUnavailable.
        """
        wish = self._reader.read(body)
        changed = await self._changes.modify(
            vm,
            wish.change,
            operation=new_operation(),
            access=wish.access,
            token=token,
            only_owner=self._only_owner,
            admins=self._admins,
        )
        if wish.refusal is not None:
            raise wish.refusal
        if wish.change != Change():
            _tell(vm, wish.change, changed)
        if wish.change.disk is not None:
            self._tasks.accepted(wish.change.disk.kind)


def _tell(vm: str, change: Change, changed: Changed) -> None:
    log.info(
        "vm changed",
        vm=vm,
        pool=changed.pool,
        provider_id=changed.provider_id,
        user=changed.user,
        owner=changed.owner,
        ends=changed.ends_at.isoformat() if change.lifetime and changed.ends_at else None,
        tags=sorted(change.tags) or None,
        task=change.disk.id if change.disk else None,
        disk=change.disk.detail if change.disk else None,
    )
