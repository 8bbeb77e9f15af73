"""The use cases of tasks: adding a disk, taking a snapshot, reverting to one."""

import re
from collections.abc import Callable
from typing import Any

import structlog

from vmpooler_api.metrics.tasks import TaskMetrics
from vmpooler_api.quotas import Quotas
from vmpooler_api.web.errors import BadRequest
from vmpooler_api.web.parameters import new_identifier, short_name
from vmpooler_common.config import Settings
from vmpooler_common.model.events import EventName
from vmpooler_common.model.vm import TaskKind, TaskState, VmTask
from vmpooler_common.store.core.errors import (
    IncapableCloud,
    NoSuchVm,
    NotOwner,
    QuotaExceeded,
    TooManyTasks,
    UnknownToken,
)
from vmpooler_common.store.store import Store
from vmpooler_common.store.tasks.tasks import TaskBounds, feature_of

log = structlog.get_logger(__name__)


class TaskService:
    """Takes tasks up for the managers to do; each is one round trip, and so is each refusal.

    Every method gives the task with the VM's short name, and raises UnknownToken, which goes before all
    others, BadRequest, NoSuchVm, NotOwner, TooManyTasks, IncapableCloud, QuotaExceeded, StoreUnavailable.
    """

    def __init__(self, store: Store, settings: Settings, *, quotas: Quotas, metrics: TaskMetrics) -> None:
        self._quotas = quotas
        self._store = store
        self._needs_token = settings.needs_token
        self._only_owner = settings.general.enforce_ownership
        self._admins = tuple(settings.general.admins)
        self._incapable = {kind: settings.providers_without(feature_of(kind)) for kind in TaskKind}
        self._metrics = metrics

    async def add_disk(self, name: str, size: str, *, token: str | None) -> tuple[str, VmTask]:
        """Have a disk added, of so many GB."""
        return await self._order(lambda: (short_name(name), _disk(size)), token)

    async def take_snapshot(self, name: str, *, token: str | None) -> tuple[str, VmTask]:
        """Have a snapshot taken; the task's id is its name."""
        return await self._order(lambda: (short_name(name), _task(TaskKind.SNAPSHOT)), token)

    async def go_back(self, name: str, snapshot: str, *, token: str | None) -> tuple[str, VmTask]:
        """Have the VM put back to a snapshot. Raises NoSuchVm also when it has no such snapshot."""
        return await self._order(lambda: (short_name(name), _task(TaskKind.REVERT, snapshot)), token)

    async def _order(self, read: Callable[[], tuple[str, VmTask]], token: str | None) -> tuple[str, VmTask]:
        try:
            vm, task = await self._ordered(read, token)
        except (UnknownToken, NotOwner):
            self._metrics.unauthorized()
            raise
        except (BadRequest, NoSuchVm, TooManyTasks, IncapableCloud, QuotaExceeded):
            self._metrics.refused()
            raise
        self._metrics.accepted(task.kind)
        return vm, task

    async def _ordered(self, read: Callable[[], tuple[str, VmTask]], token: str | None) -> tuple[str, VmTask]:
        if self._needs_token and token is None:
            raise UnknownToken("this needs a valid token: send X-AUTH-TOKEN")
        try:
            vm, task = read()
        except BadRequest:
            # Who may not ask isn't told what is wrong with the question.
            if self._needs_token and token is not None:
                await self._store.tokens.check(token)
            raise
        accepted = await self._quotas.within(
            token,
            lambda client: self._store.tasks.add(
                vm,
                task,
                token=token,
                needs_token=self._needs_token,
                only_owner=self._only_owner,
                admins=self._admins,
                bounds=TaskBounds(self._incapable[task.kind], client.allowance.disk_gigabytes),
            ),
        )
        log.info(
            EventName.TASK_ACCEPTED,
            vm=vm,
            task=task.id,
            kind=task.kind.value,
            detail=task.detail or None,
            pool=accepted.pool,
            provider_id=accepted.provider_id,
            user=accepted.user,
        )
        return vm, task


def _disk(size: str) -> VmTask:
    try:
        return disk_of(size)
    except ValueError as error:
        raise BadRequest(str(error)) from None


def _task(kind: TaskKind, detail: str = "") -> VmTask:
    return VmTask(id=new_identifier(), kind=kind, detail=detail, state=TaskState.PENDING)


LARGEST_DISK = 2048
"""GB."""
_DIGITS = re.compile(r"[0-9]+")


def disk_of(size: Any) -> VmTask:
    """Make the task that adds a disk of so many GB: digits, in a path or parsed JSON.

    Raises ValueError with a text for the client.
    """
    if not isinstance(size, str) or not _DIGITS.fullmatch(size):
        raise ValueError("Disk size must be a valid integer")
    digits = size.lstrip("0")
    if not digits:
        raise ValueError("Disk size must be at least 1")
    if len(digits) > len(str(LARGEST_DISK)) or int(digits) > LARGEST_DISK:
        raise ValueError(f"Disk size must be at most {LARGEST_DISK}")
    return VmTask(id=new_identifier(), kind=TaskKind.DISK, detail=digits, state=TaskState.PENDING)
