"""Every verb of the API's own catalogues."""

from typing import Any

from tests.unit.metrics.verb import Verb


def _api(subsystem: str, name: str, *arguments: Any, line: str, **named: Any) -> Verb:
    return Verb("api", subsystem, name, arguments, line, named)


API_VERBS = (
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
    _api("deletes", "done", line='vmpooler_vm_deletes_total{result="success",vmpooler_instance="ci"} 1.0'),
    _api("deletes", "failed", line='vmpooler_vm_deletes_total{result="failed",vmpooler_instance="ci"} 1.0'),
    _api(
        "deletes",
        "unauthorized",
        line='vmpooler_vm_deletes_total{result="unauthorized",vmpooler_instance="ci"} 1.0',
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
)
