"""Tasks on running VMs as their users see them: disks, snapshots, going back to one."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from vmpooler_common.model.features import LACKING, Feature
from vmpooler_common.model.vm import TaskKind, TaskState, VmTask
from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.core.errors import (
    IncapableCloud,
    NoSuchVm,
    NotOwner,
    QuotaExceeded,
    TooManyTasks,
    UnknownToken,
    not_running,
)
from vmpooler_common.store.core.scripts import Scripts

_FIELD = "task:"


@dataclass(frozen=True, slots=True)
class TaskAccepted:
    """What is known of the VM of a task that was taken up."""

    pool: str
    provider_id: str
    user: str | None
    """Whose token was given; empty without one."""


@dataclass(frozen=True, slots=True)
class TaskBounds:
    """What keeps a task from being taken up."""

    incapable: Collection[str] = ()
    """Providers that can't do such things."""
    most_disk: int = 0
    """GB of disks that whoever took the VM may have; 0: any size."""


NO_BOUNDS = TaskBounds()


class Tasks:
    """The API's side."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def add(
        self,
        vm: str,
        task: VmTask,
        *,
        token: str | None,
        needs_token: bool,
        only_owner: bool,
        admins: Collection[str] = (),
        bounds: TaskBounds = NO_BOUNDS,
    ) -> TaskAccepted:
        """Take up a pending task of a running VM, in one round trip; its id marks a repetition.

        Who may give a VM back may have things done to it. Raises UnknownToken, NotOwner, NoSuchVm, also when
        there is no such snapshot to go back to, TooManyTasks, IncapableCloud, QuotaExceeded,
        StoreUnavailable.
        """
        reply = await self._scripts.fetch(
            "add_task",
            id=task.id,
            vm=vm,
            token=token_digest(token),
            needs_token=needs_token,
            kind=task.kind,
            detail=task.detail,
            only_owner=only_owner,
            admins=list(admins),
            incapable=list(bounds.incapable),
            most_disk=bounds.most_disk,
        )
        match reply["outcome"]:
            case "ok":
                return TaskAccepted(reply["pool"], reply["provider_id"], reply["user"] or None)
            case "unauthorized":
                raise UnknownToken("this needs a valid token: send X-AUTH-TOKEN")
            case "foreign":
                raise NotOwner("this VM was taken by another user, who has this done, or an admin")
            case "limit":
                raise too_much_disk(reply, bounds)
            case "full" | "many" | "incapable" as reason:
                raise no_task(vm, task.kind, reason)
            case _:
                snapshot = "; or it has no such snapshot" if task.kind is TaskKind.REVERT else ""
                raise NoSuchVm(not_running(vm) + snapshot)


def feature_of(kind: TaskKind) -> Feature:
    """Say what a driver must declare for such tasks."""
    return Feature.DISKS if kind is TaskKind.DISK else Feature.SNAPSHOTS


def no_task(vm: str, kind: TaskKind, reason: str) -> TooManyTasks | IncapableCloud:
    """Put what a script says into words: `full` too many wait, `many` the VM has too many of the kind,
    `incapable` its cloud can't do such a thing."""
    if reason == "incapable":
        return IncapableCloud(LACKING[feature_of(kind)])
    if reason == "full":
        return TooManyTasks(f"too many tasks of {vm} are waiting; try again when some are over")
    return TooManyTasks(f"{vm} has as many {kind}s as a VM may have")


def too_much_disk(reply: Mapping[str, Any], bounds: TaskBounds) -> QuotaExceeded:
    """Put into words what a script says of one more disk."""
    return QuotaExceeded(
        reply["what"],
        user=reply["user"] or None,
        has=reply["has"],
        would_have=reply["would_have"],
        allowed=bounds.most_disk,
    )


def tasks_of(stored: Mapping[str, str]) -> tuple[VmTask, ...]:
    """Read the tasks among the stored fields of a record, in their order."""
    found = []
    for field, text in stored.items():
        if field.startswith(_FIELD):
            facts = json.loads(text)
            found.append((facts["n"], _task(field.removeprefix(_FIELD), facts)))
    return tuple(task for _, task in sorted(found, key=lambda numbered: numbered[0]))


def _task(id: str, facts: Mapping[str, Any]) -> VmTask:  # noqa: A002 - the field's name
    return VmTask(
        id=id,
        kind=TaskKind(facts["kind"]),
        detail=facts["detail"],
        state=TaskState(facts["state"]),
        reason=facts["reason"],
        is_undone=bool(facts.get("undone")),
    )
