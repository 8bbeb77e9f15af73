"""The part of the section `config` about what is kept of failures, tidying up, and health."""

from datetime import timedelta
from typing import Annotated

from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import duration, flag, whole


class HealthThresholds(Section):
    """The mapping `config.health_thresholds`: from which numbers on the service isn't healthy."""

    pending_queue_max: Annotated[int, whole(), Setting("Pending VMs of a pool", unit="VMs")] = 100
    ready_queue_max: Annotated[int, whole(), Setting("Ready VMs of a pool", unit="VMs")] = 500
    dlq_max_warning: Annotated[int, whole(), Setting("Kept failures: degraded", unit="entries")] = 100
    dlq_max_critical: Annotated[int, whole(), Setting("Kept failures: unhealthy", unit="entries")] = 1000
    stuck_vm_age_threshold: Annotated[
        timedelta, duration("seconds", above=0), Setting("A VM that is pending for this time is stuck")
    ] = timedelta(hours=2)
    stuck_vm_max_warning: Annotated[int, whole(), Setting("Stuck VMs: degraded", unit="VMs")] = 10
    stuck_vm_max_critical: Annotated[int, whole(), Setting("Stuck VMs: unhealthy", unit="VMs")] = 50


class UpkeepSection(Section):
    """Keys of `config` about failures that are kept, tidying up and health."""

    dlq_enabled: Annotated[bool, flag(), Setting("Keep what failed, to look at it later")] = False
    dlq_ttl: Annotated[
        timedelta, duration("hours", above=0), Setting("Kept failures are forgotten after this time")
    ] = timedelta(hours=168)
    dlq_max_entries: Annotated[int, whole(minimum=1), Setting("Failures that are kept", unit="entries")] = (
        10000
    )
    purge_enabled: Annotated[bool, flag(), Setting("Remove records that are too old")] = False
    purge_interval: Annotated[
        timedelta,
        duration("seconds", above=0),
        Setting("How often places that no pool uses are looked for", in_effect=True),
    ] = timedelta(hours=1)
    purge_dry_run: Annotated[
        bool, flag(), Setting("Only say which places would be removed", in_effect=True)
    ] = False
    max_pending_age: Annotated[
        timedelta, duration("seconds", above=0), Setting("Age at which a pending VM is removed")
    ] = timedelta(hours=2)
    max_ready_age: Annotated[
        timedelta, duration("seconds", above=0), Setting("Age at which a ready VM is removed")
    ] = timedelta(hours=24)
    max_completed_age: Annotated[
        timedelta, duration("seconds", above=0), Setting("Age at which a completed VM is removed")
    ] = timedelta(hours=1)
    max_orphaned_age: Annotated[
        timedelta, duration("seconds", above=0), Setting("Age at which a record without a VM is removed")
    ] = timedelta(hours=24)
    max_request_age: Annotated[
        timedelta | None,
        duration("seconds", above=0),
        Setting("Age at which an on-demand request is removed"),
    ] = None
    health_check_enabled: Annotated[bool, flag(), Setting("Judge the health of the pools")] = False
    health_check_interval: Annotated[
        timedelta, duration("seconds", above=0), Setting("How often health is judged")
    ] = timedelta(seconds=300)
    health_thresholds: Annotated[HealthThresholds, Setting("What still counts as healthy")] = (
        HealthThresholds()
    )
