"""What the API tells of one VM."""

from datetime import datetime, timedelta
from typing import Literal, assert_never

from pydantic import BaseModel, Field

from vmpooler_common.model.vm import TaskKind, TaskState, VmRecord, VmState, VmTask

_HOUR = timedelta(hours=1)
_STATES = {VmState.PENDING: "pending", VmState.READY: "ready", VmState.RUNNING: "running"}
_DESTROYED = "destroyed"


class TaskReport(BaseModel):
    """One task on a VM."""

    id: str = Field(description="Of a snapshot, its name.")
    kind: TaskKind
    state: TaskState = Field(description="pending, done or failed.")
    disk: str | None = Field(None, description="The disk to add.", examples=["+8gb"])
    snapshot: str | None = Field(None, description="The snapshot to take, or to go back to.")
    reason: str | None = Field(None, description="Why it failed, or why the last try did.")


class VmReport(BaseModel):
    """One VM; members that don't apply are absent."""

    template: str = Field(description="The VM's pool.")
    lifetime: int | float = Field(description="Hours from the checkout to the end; 0: no end.")
    running: float | None = Field(None, description="Hours since the checkout, or until the return.")
    remaining: float | None = Field(None, description="Hours until the end; negative when overdue.")
    start_time: str | None = Field(None, description="Time of the checkout, RFC 3339.")
    end_time: str | None = Field(None, description="End of the lifetime, RFC 3339.")
    state: str = Field(description="pending, ready, running or destroyed.")
    tags: dict[str, str] | None = Field(None, description="What its users noted on it: key -> value.")
    snapshots: list[str] | None = Field(None, description="Names of its snapshots, the oldest first.")
    disk: list[str] | None = Field(None, description="Disks that were added to it.", examples=[["+8gb"]])
    ip: str = Field(description="Address; empty when not known.")
    fqdn: str | None = Field(None, description="Name with its domain, if it has one.")
    host: str | None = Field(None, description="Host that the VM runs on, if known.")
    migrated: str | None = Field(
        None, description="`true` when it was moved to another host since the checkout.", examples=["true"]
    )
    tasks: list[TaskReport] | None = Field(
        None, description="What was to be done to it, in the order in which it was asked for."
    )


def report_vm(record: VmRecord, now: datetime, *, lifetime: timedelta | None) -> VmReport:
    """Describe a VM at the time `now`; `lifetime` is what one without an end of its own would get."""
    taken = record.checked_out_at
    if taken is not None:
        lifetime = record.ends_at - taken if record.ends_at else None
    effective = lifetime or timedelta()
    report = VmReport(
        template=record.pool,
        lifetime=_hours_of_lifetime(effective),
        state=_STATES.get(record.state, _DESTROYED),
        tags=dict(record.tags) or None,
        ip=record.ip or "",
        fqdn=record.fqdn if record.domain else None,
        host=record.host or None,
        migrated="true" if record.is_migrated else None,
        snapshots=[task.id for task in _there(record, TaskKind.SNAPSHOT)] or None,
        disk=[_disk(task) for task in _there(record, TaskKind.DISK)] or None,
        tasks=[_report_task(task) for task in record.tasks] or None,
    )
    if taken is None:
        return report
    if record.state is not VmState.RUNNING:
        return report.model_copy(update={"running": _hours((record.completed_at or now) - taken)})
    return report.model_copy(
        update={
            "running": _hours(now - taken),
            "remaining": _hours(taken + effective - now),
            "start_time": taken.isoformat(timespec="seconds"),
            "end_time": (taken + effective).isoformat(timespec="seconds"),
        }
    )


def _there(record: VmRecord, kind: TaskKind) -> list[VmTask]:
    """List what tasks of this kind have left with the VM."""
    return [task for task in record.tasks if task.kind is kind and task.is_there]


def _report_task(task: VmTask) -> TaskReport:
    report = TaskReport(id=task.id, kind=task.kind, state=task.state, reason=task.reason or None)
    match task.kind:
        case TaskKind.DISK:
            return report.model_copy(update={"disk": _disk(task)})
        case TaskKind.SNAPSHOT:
            return report.model_copy(update={"snapshot": task.id})
        case TaskKind.REVERT:
            return report.model_copy(update={"snapshot": task.detail})
        case _:
            assert_never(task.kind)


def _disk(task: VmTask) -> str:
    return f"+{task.detail}gb"


def _hours(duration: timedelta) -> float:
    return round(duration / _HOUR, 2)


def _hours_of_lifetime(duration: timedelta) -> int | float:
    hours = duration / _HOUR
    return int(hours) if hours.is_integer() else hours


class Accepted(BaseModel):
    """It will be done; the VM tells when it was."""

    ok: Literal[True] = True


class DiskAccepted(BaseModel):
    """The disk that will be added."""

    disk: str = Field(description="Its size.", examples=["+8gb"])


class SnapshotAccepted(BaseModel):
    """The snapshot that will be taken."""

    snapshot: str = Field(
        description="Its name, 32 characters a-z and 0-9, also the id of the task.",
        examples=["n4eb4kdtp7rwv4x158366vd9jhac8btq"],
    )
