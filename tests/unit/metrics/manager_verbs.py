"""Every verb of the manager's own catalogues."""

from typing import Any

from tests.unit.metrics.verb import Verb
from vmpooler_common.model.pool import Sizes


def _manager(subsystem: str, name: str, *arguments: Any, line: str, **named: Any) -> Verb:
    return Verb("manager", subsystem, name, arguments, line, named)


_COUNTS = {"size": 7, "sizes": Sizes(pending=1, ready=2, running=3, completed=4, destroying=5, suspect=6)}

MANAGER_VERBS = (
    _manager(
        "pools",
        "counted",
        "debian",
        line='vmpooler_pool_vms{pool="debian",state="destroying",vmpooler_instance="ci"} 5.0',
        **_COUNTS,
    ),
    _manager(
        "pools",
        "counted",
        "debian",
        line='vmpooler_pool_vms{pool="debian",state="pending",vmpooler_instance="ci"} 1.0',
        **_COUNTS,
    ),
    _manager(
        "pools",
        "counted",
        "debian",
        line='vmpooler_pool_vms{pool="debian",state="suspect",vmpooler_instance="ci"} 6.0',
        **_COUNTS,
    ),
    _manager(
        "pools",
        "counted",
        "debian",
        line='vmpooler_pool_size{pool="debian",vmpooler_instance="ci"} 7.0',
        **_COUNTS,
    ),
    _manager(
        "pools",
        "broken",
        "debian",
        line='vmpooler_pool_broken{pool="debian",vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "pools",
        "mended",
        "debian",
        line='vmpooler_pool_broken{pool="debian",vmpooler_instance="ci"} 0.0',
    ),
    _manager(
        "pools",
        "foreign",
        "debian",
        3,
        line='vmpooler_foreign_vms{pool="debian",vmpooler_instance="ci"} 3.0',
    ),
    _manager(
        "pools",
        "checked",
        "debian",
        0.25,
        line='vmpooler_pool_check_seconds_sum{pool="debian",vmpooler_instance="ci"} 0.25',
    ),
    _manager(
        "pools",
        "check_failed",
        "debian",
        "provider",
        line='vmpooler_pool_checks_failed_total{cause="provider",pool="debian",vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "vms",
        "became_ready",
        "debian",
        45,
        line='vmpooler_vm_ready_seconds_bucket{le="60.0",pool="debian",vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "vms",
        "cloned",
        "debian",
        0.05,
        line='vmpooler_clone_seconds_bucket{le="0.1",pool="debian",vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "vms",
        "destroyed",
        "debian",
        15,
        line='vmpooler_destroy_seconds_bucket{le="20.0",pool="debian",vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "vms",
        "refill_started",
        0.02,
        line='vmpooler_refill_delay_seconds_bucket{le="0.025",vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "vms",
        "failed",
        "debian",
        "powered_off",
        line='vmpooler_vm_failures_total{pool="debian",reason="powered_off",vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "providers",
        "called",
        "dummy",
        "list_vms",
        line='vmpooler_provider_calls_total{operation="list_vms",provider="dummy",result="throttled",'
        'vmpooler_instance="ci"} 1.0',
        result="throttled",
        seconds=1.5,
    ),
    _manager(
        "providers",
        "called",
        "dummy",
        "create",
        line='vmpooler_provider_call_seconds_sum{operation="create",provider="dummy",'
        'vmpooler_instance="ci"} 1.5',
        result="ok",
        seconds=1.5,
    ),
    _manager(
        "providers",
        "deletion_paused",
        "dummy",
        line='vmpooler_provider_halted{provider="dummy",vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "providers",
        "deletion_resumed",
        "dummy",
        line='vmpooler_provider_halted{provider="dummy",vmpooler_instance="ci"} 0.0',
    ),
    _manager("loops", "leased", 4, line='vmpooler_leases_held{vmpooler_instance="ci"} 4.0'),
    _manager(
        "loops",
        "cloning",
        pools=5,
        requests=3,
        line='vmpooler_clone_slots_in_use{kind="ondemand",vmpooler_instance="ci"} 3.0',
    ),
    _manager(
        "requests",
        "granted",
        "debian",
        0.25,
        warm=True,
        user="alice",
        line='vmpooler_ondemand_wait_seconds_sum{pool="debian",source="warm",vmpooler_instance="ci"} 0.25',
    ),
    _manager(
        "requests",
        "granted",
        "debian",
        0.25,
        warm=False,
        user="",
        line='vmpooler_user_total{operation="allocate",pool="debian",user="unauthenticated",'
        'vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "requests",
        "waiting",
        "debian",
        4,
        line='vmpooler_pool_backlog{pool="debian",vmpooler_instance="ci"} 4.0',
    ),
    _manager(
        "requests", "failed", 2, line='vmpooler_ondemand_requests_failed_total{vmpooler_instance="ci"} 2.0'
    ),
    _manager(
        "inboxes",
        "dead",
        "requests",
        line='vmpooler_dlq_entries_total{queue="requests",vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "tasks",
        "done",
        "disk",
        0.25,
        line='vmpooler_vm_task_seconds_sum{kind="disk",vmpooler_instance="ci"} 0.25',
    ),
    *(
        _manager(
            "tasks",
            verb,
            "revert",
            line=f'vmpooler_vm_tasks_total{{kind="revert",result="{verb}",vmpooler_instance="ci"}} 1.0',
        )
        for verb in ("failed", "retried", "over")
    ),
    _manager("loops", "clock_unsteady", line='vmpooler_clock_unsteady{vmpooler_instance="ci"} 1.0'),
    _manager("loops", "clock_steady", line='vmpooler_clock_unsteady{vmpooler_instance="ci"} 0.0'),
    _manager("loops", "restarted", line='vmpooler_loop_restarts_total{vmpooler_instance="ci"} 1.0'),
    _manager("loops", "events_missed", line='vmpooler_events_missed_total{vmpooler_instance="ci"} 1.0'),
)
