"""What the API tells of one VM."""

from datetime import datetime, timedelta

from pydantic import BaseModel, Field

from vmpooler_common.model import VmRecord, VmState

_HOUR = timedelta(hours=1)
_STATES = {VmState.PENDING: "pending", VmState.READY: "ready", VmState.RUNNING: "running"}
_DESTROYED = "destroyed"


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
    ip: str = Field(description="Address; empty when not known.")
    fqdn: str | None = Field(None, description="Name with its domain, if it has one.")
    host: str | None = Field(None, description="Host that the VM runs on, if known.")


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


def _hours(duration: timedelta) -> float:
    return round(duration / _HOUR, 2)


def _hours_of_lifetime(duration: timedelta) -> int | float:
    hours = duration / _HOUR
    return int(hours) if hours.is_integer() else hours
