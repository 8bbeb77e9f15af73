"""What is told of one VM."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.api.in_process import Api, make_ready
from vmpooler_api.vms.schemas import report_vm
from vmpooler_common.model.vm import VmRecord, VmState

NOW = datetime(2026, 3, 1, 12, 0, 0, 400_000, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(
    state: VmState = VmState.RUNNING, lifetime: timedelta | None = 24 * HOUR, **facts: Any
) -> dict[str, Any]:
    """Report a VM of `facts`; one that runs was taken an hour ago for two hours unless they say otherwise."""
    if state is VmState.RUNNING:
        facts = {"checked_out_at": NOW - HOUR, "ends_at": NOW + HOUR} | facts
    record = VmRecord(name="one", state=state, pool="pool1", provider="dummy", domain="example.test", **facts)
    return report_vm(record, NOW, lifetime=lifetime).model_dump(exclude_none=True)


def test_a_running_vm_tells_its_times() -> None:
    assert told(ip="192.0.2.1", host="host-1") == {
        "template": "pool1",
        "lifetime": 2,
        "running": 1.0,
        "remaining": 1.0,
        "start_time": "2026-03-01T11:00:00+00:00",
        "end_time": "2026-03-01T13:00:00+00:00",
        "state": "running",
        "ip": "192.0.2.1",
        "fqdn": "one.example.test",
        "host": "host-1",
    }


def test_members_stand_in_their_order() -> None:
    members = list(told(ip="192.0.2.1", host="host-1", tags={"project": "installer"}))
    times = ["running", "remaining", "start_time", "end_time"]
    assert members == ["template", "lifetime", *times, "state", "tags", "ip", "fqdn", "host"]


def test_a_lifetime_of_no_whole_hours_is_a_fraction() -> None:
    assert told(ends_at=NOW + 0.5 * HOUR)["lifetime"] == 1.5
    assert isinstance(told()["lifetime"], int)


def test_an_overdue_vm_has_less_than_nothing_remaining() -> None:
    assert told(ends_at=NOW - 0.25 * HOUR)["remaining"] == -0.25


def test_a_vm_without_end_has_a_lifetime_of_nothing() -> None:
    report = told(ends_at=None)
    assert (report["lifetime"], report["remaining"]) == (0, -1.0)
    assert report["start_time"] == report["end_time"]


@pytest.mark.parametrize("state", [VmState.COMPLETED, VmState.DESTROYING, VmState.GONE])
def test_a_returned_vm_is_destroyed_and_ran_until_its_return(state: VmState) -> None:
    report = told(state, checked_out_at=NOW - 3 * HOUR, completed_at=NOW - HOUR, ends_at=NOW)
    assert (report["state"], report["running"]) == ("destroyed", 2.0)
    assert not {"remaining", "start_time", "end_time"} & set(report)


def test_a_destroyed_vm_that_nobody_had_never_ran() -> None:
    assert "running" not in told(VmState.GONE, completed_at=NOW)


def test_a_ready_vm_tells_the_configured_lifetime() -> None:
    report = told(VmState.READY)
    assert (report["state"], report["lifetime"], report["ip"]) == ("ready", 24, "")


async def test_a_short_name_has_no_fqdn(api: Api) -> None:
    await make_ready(api.fleet, "pool1", "one", domain="")
    report = (await api.client.get("/api/v3/vm/one")).json()["one"]
    assert "fqdn" not in report
    assert "host" not in report
