"""Changing a VM that somebody has: the end of its lifetime, its tags, its disks."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from vmpooler_common.model.vm import TaskKind, VmTask
from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.core.errors import NoSuchVm, NotOwner, TooManyTags, UnknownToken, not_running
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms, from_ms_or_none
from vmpooler_common.store.tasks.tasks import NO_BOUNDS, TaskBounds, no_task, too_much_disk

MOST_TAGS = 50
"""Of one VM, so that its record stays small."""


class Access(StrEnum):
    """Who may make a change."""

    ANYBODY = "anybody"
    HOLDER = "holder"
    """A VM that was taken with a token needs one; any other is everybody's."""
    KNOWN = "known"
    """The same, and any other VM needs a token, too, whose ever."""


@dataclass(frozen=True, slots=True)
class VmChange:
    """What is to be changed; nothing by default."""

    lifetime: timedelta | None = None
    """From the checkout to the end; None leaves the end as it is."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """Name -> value: added, or put in the place of the value that the VM has under this name."""
    disk: VmTask | None = None
    """A pending task that adds one."""
    bounds: TaskBounds = NO_BOUNDS
    """What keeps the disk from being added."""


@dataclass(frozen=True, slots=True)
class Changed:
    """What is known of a VM that was changed."""

    pool: str
    provider_id: str
    owner: str | None
    """User who took it; None for an anonymous VM."""
    user: str | None
    """Whose token was given; None without a known one."""
    ends_at: datetime | None


class Changes:
    """Each method is one round trip, and safe to repeat with the same operation."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def modify(
        self,
        vm: str,
        change: VmChange,
        *,
        operation: str,
        access: Access,
        token: str | None = None,
        only_owner: bool = False,
        admins: Collection[str] = (),
    ) -> Changed:
        """Make all of a change to a running VM, or nothing of it; one of nothing only asks whether it may be.

        With `only_owner` a VM that was taken with a token is changed by its user or one of the `admins`; else
        by whoever has a token. Raises NoSuchVm, UnknownToken, NotOwner, TooManyTags, TooManyTasks,
        IncapableCloud, QuotaExceeded, StoreUnavailable.
        """
        reply = await self._scripts.fetch(
            "change_vm",
            operation=operation,
            vm=vm,
            token=token_digest(token),
            access=access,
            only_owner=only_owner,
            admins=list(admins),
            lifetime=None if change.lifetime is None else duration_ms(change.lifetime),
            tags=list(change.tags.items()),
            most_tags=MOST_TAGS,
            disk=change.disk.id if change.disk else "",
            size=change.disk.detail if change.disk else "",
            incapable=list(change.bounds.incapable),
            most_disk=change.bounds.most_disk,
        )
        match reply["outcome"]:
            case "ok":
                ends_at = from_ms_or_none(reply["ends"])
                owner, user = reply["owner"] or None, reply["user"] or None
                return Changed(reply["pool"], reply["provider_id"], owner, user, ends_at)
            case "unauthorized":
                raise UnknownToken(
                    "a valid token is needed to change this VM; of its user, where it was taken with one"
                )
            case "foreign":
                raise NotOwner("this VM was taken by another user, who changes it, or an admin")
            case "limit":
                raise too_much_disk(reply, change.bounds)
            case "full":
                raise TooManyTags(f"A VM may have at most {MOST_TAGS} tags")
            case "task_full" | "task_many" | "task_incapable" as outcome:
                raise no_task(vm, TaskKind.DISK, outcome.removeprefix("task_"))
            case _:
                raise NoSuchVm(not_running(vm))
