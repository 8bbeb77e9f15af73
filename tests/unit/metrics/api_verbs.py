"""Every verb of the API's own catalogues."""

from typing import Any

from tests.unit.metrics.verb import Verb
from vmpooler_api.metrics.builds import Build

BUILD = Build("ci_example", "stream", branch="main", project="project", job_name="job", component="agent")


def _api(subsystem: str, name: str, *arguments: Any, line: str, **named: Any) -> Verb:
    return Verb("api", subsystem, name, arguments, line, named)


API_VERBS = (
    _api(
        "configuration",
        "changed",
        "debian",
        line='vmpooler_config_changes_total{pool="debian",result="changed",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "configuration",
        "unchanged",
        "debian",
        line='vmpooler_config_changes_total{pool="debian",result="unchanged",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "configuration",
        "invalid",
        "nonsense",
        line='vmpooler_config_changes_total{pool="unknown",result="invalid",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "configuration",
        "unauthorized",
        line='vmpooler_config_changes_total{pool="unknown",result="unauthorized",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "configuration",
        "reset",
        "debian",
        line='vmpooler_pool_resets_total{pool="debian",result="success",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "configuration",
        "invalid_reset",
        line='vmpooler_pool_resets_total{pool="unknown",result="invalid",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "configuration",
        "unauthorized_reset",
        line='vmpooler_pool_resets_total{pool="unknown",result="unauthorized",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "checkouts",
        "granted",
        "debian-12-x86_64",
        line='vmpooler_checkouts_total{pool="debian-12-x86_64",result="success",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "checkouts",
        "repeated",
        "debian-12-x86_64",
        line='vmpooler_checkouts_total{pool="debian-12-x86_64",result="repeated",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "checkouts",
        "empty",
        "debian",
        line='vmpooler_checkouts_total{pool="debian",result="empty",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "checkouts",
        "invalid",
        line='vmpooler_checkouts_total{pool="unknown",result="invalid",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "checkouts",
        "unauthorized",
        line='vmpooler_checkouts_total{pool="unknown",result="unauthorized",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "checkouts",
        "unsafe",
        "debian-12-x86_64",
        line='vmpooler_checkouts_total{pool="debian-12-x86_64",result="unsafe",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "waits",
        "waiting",
        7,
        line='vmpooler_checkout_waiting_clients{vmpooler_instance="ci"} 7.0',
    ),
    _api(
        "waits",
        "waited",
        3.0,
        "granted",
        line='vmpooler_checkout_wait_seconds_sum{result="granted",vmpooler_instance="ci"} 3.0',
    ),
    _api("deletes", "done", line='vmpooler_vm_deletes_total{result="success",vmpooler_instance="ci"} 1.0'),
    _api("deletes", "failed", line='vmpooler_vm_deletes_total{result="failed",vmpooler_instance="ci"} 1.0'),
    _api(
        "deletes",
        "unauthorized",
        line='vmpooler_vm_deletes_total{result="unauthorized",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "tasks",
        "accepted",
        "disk",
        line='vmpooler_vm_task_orders_total{kind="disk",result="accepted",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "tasks",
        "refused",
        line='vmpooler_vm_task_orders_total{kind="unknown",result="refused",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "tasks",
        "unauthorized",
        line='vmpooler_vm_task_orders_total{kind="unknown",result="unauthorized",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "ondemand",
        "created",
        line='vmpooler_ondemand_requests_total{result="created",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "ondemand",
        "duplicate",
        line='vmpooler_ondemand_requests_total{result="duplicate",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "ondemand",
        "invalid",
        line='vmpooler_ondemand_requests_total{result="invalid",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "ondemand",
        "too_many",
        line='vmpooler_ondemand_requests_total{result="toomany",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "ondemand",
        "unauthorized",
        line='vmpooler_ondemand_requests_total{result="unauthorized",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "ondemand",
        "waiting",
        7,
        line='vmpooler_ondemand_waiting_clients{vmpooler_instance="ci"} 7.0',
    ),
    _api(
        "limits",
        "refused",
        "vm_creation",
        line='vmpooler_rate_limit_refusals_total{category="vm_creation",vmpooler_instance="ci"} 1.0',
    ),
    _api("limits", "unchecked", line='vmpooler_rate_limit_unchecked_total{vmpooler_instance="ci"} 1.0'),
    _api("logins", "succeeded", line='vmpooler_logins_total{result="success",vmpooler_instance="ci"} 1.0'),
    _api("logins", "failed", line='vmpooler_logins_total{result="failure",vmpooler_instance="ci"} 1.0'),
    _api("logins", "throttled", line='vmpooler_logins_total{result="throttled",vmpooler_instance="ci"} 1.0'),
    _api(
        "logins", "unavailable", line='vmpooler_logins_total{result="unavailable",vmpooler_instance="ci"} 1.0'
    ),
    _api(
        "builds",
        "destroyed_by_litmus",
        "debian-12-x86_64",
        user="alice",
        line='vmpooler_usage_litmus_total{operation="destroy",pool="debian-12-x86_64",user="alice",'
        'vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "builds",
        "destroyed_by_job",
        "debian",
        BUILD,
        line='vmpooler_usage_jenkins_instance_total{jenkins_instance="ci_example",operation="destroy",'
        'pool="debian",value_stream="stream",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "builds",
        "destroyed_by_job",
        "debian",
        BUILD,
        line='vmpooler_usage_branch_project_total{branch="main",operation="destroy",pool="debian",'
        'project="project",vmpooler_instance="ci"} 1.0',
    ),
    _api(
        "builds",
        "destroyed_by_job",
        "elsewhere",
        BUILD,
        line='vmpooler_usage_job_component_total{component_to_test="agent",job_name="job",'
        'operation="destroy",pool="unknown",vmpooler_instance="ci"} 1.0',
    ),
)
