"""The use cases of one VM: to show it, and to change it for its user."""

from dataclasses import replace

import structlog

from vmpooler_api.metrics.tasks import TaskMetrics
from vmpooler_api.quotas import Quotas
from vmpooler_api.vms.changes import ChangeParser
from vmpooler_api.vms.schemas import VmReport, report_vm
from vmpooler_common.config import Settings
from vmpooler_common.model.events import EventName
from vmpooler_common.model.features import Feature
from vmpooler_common.store.core.errors import NoSuchVm
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.store import Store
from vmpooler_common.store.tasks.tasks import TaskBounds
from vmpooler_common.store.vms.changes import Changed, VmChange

log = structlog.get_logger(__name__)


class VmService:
    """Shows VMs, and changes them for those who may.

    With `only_owner`, one that was taken with a token is changed only for its user or one of `admins`.
    """

    def __init__(self, store: Store, settings: Settings, *, quotas: Quotas, tasks: TaskMetrics) -> None:
        self._quotas = quotas
        self._checkouts = store.checkouts
        self._changes = store.changes
        self._pools = [pool.name for pool in settings.pools]
        self._lifetime = settings.vm_lifetime
        self._parser = ChangeParser(settings)
        self._only_owner = settings.general.enforce_ownership
        self._admins = tuple(settings.general.admins)
        self._without_disks = settings.providers_without(Feature.DISKS)
        self._tasks = tasks

    def pools(self) -> list[str]:
        """Give the names of all pools in the order of the configuration."""
        return list(self._pools)

    async def show(self, vm: str) -> VmReport:
        """Describe a VM by its short name. Raises NoSuchVm, StoreUnavailable."""
        record, now = await self._checkouts.look_up(vm)
        if record is None:
            raise NoSuchVm(f"nothing is known of a VM {vm}, or not any more")
        return report_vm(record, now, lifetime=self._lifetime)

    async def change(self, vm: str, body: bytes, *, token: str | None) -> None:
        """Change a running VM as the body says, wholly or not at all.

        Raises, in this order, NoSuchVm, UnknownToken or NotOwner, BadRequest or UnfitChange, TooManyTags,
        TooManyTasks, IncapableCloud or QuotaExceeded; or StoreUnavailable.
        """
        wanted = self._parser.parse(body)
        operation = new_operation()
        changed = await self._quotas.within(
            token,
            lambda client: self._changes.modify(
                vm,
                replace(
                    wanted.change, bounds=TaskBounds(self._without_disks, client.allowance.disk_gigabytes)
                ),
                operation=operation,
                access=wanted.access,
                token=token,
                only_owner=self._only_owner,
                admins=self._admins,
            ),
        )
        if wanted.refusal is not None:
            raise wanted.refusal
        if wanted.change != VmChange():
            _report(vm, wanted.change, changed)
        if wanted.change.disk is not None:
            self._tasks.accepted(wanted.change.disk.kind)


def _report(vm: str, change: VmChange, changed: Changed) -> None:
    log.info(
        EventName.VM_CHANGED,
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
