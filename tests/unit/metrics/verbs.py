"""Every verb of every catalogue with the line that it must leave in the exposition."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import CollectorRegistry

from vmpooler_api.metrics import ApiMetrics
from vmpooler_common.metrics.connections import ConnectionMetrics
from vmpooler_common.metrics.exposition import exposition
from vmpooler_common.metrics.prometheus import PrometheusBackend
from vmpooler_common.metrics.pushing import PushMetrics
from vmpooler_manager.metrics import ManagerMetrics

POOLS = ("debian-12-x86_64", "debian")


class Reporter:
    """The catalogues of one service on a registry of their own, as an assembled process has them."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        self.backend = PrometheusBackend(self.registry, prefix="vmpooler", instance="ci")
        self.metrics: ApiMetrics | ManagerMetrics = (
            ApiMetrics(self.backend, names=POOLS) if service == "api" else ManagerMetrics(self.backend)
        )
        self.connections = ConnectionMetrics(self.backend, "redis_connection_pool", service)
        self.pushing = PushMetrics(self.backend)

    def subsystem(self, name: str) -> Any:
        """One catalogue by its attribute."""
        return getattr(self if name in ("connections", "pushing") else self.metrics, name)

    def lines(self) -> list[str]:
        """The exposition as Prometheus reads it."""
        return exposition(self.registry).decode().splitlines()


@dataclass(frozen=True)
class Verb:
    """One event, told to one catalogue."""

    service: str
    subsystem: str
    name: str
    arguments: tuple[Any, ...]
    line: str
    named: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.service}.{self.subsystem}.{self.name}"

    def tell(self, reporter: Reporter) -> None:
        """Report the event."""
        getattr(reporter.subsystem(self.subsystem), self.name)(*self.arguments, **self.named)


def _api(subsystem: str, name: str, *arguments: Any, line: str, **named: Any) -> Verb:
    return Verb("api", subsystem, name, arguments, line, named)


def _manager(subsystem: str, name: str, *arguments: Any, line: str, **named: Any) -> Verb:
    return Verb("manager", subsystem, name, arguments, line, named)


_COUNTS = {"size": 7, "pending": 1, "ready": 2, "running": 3, "completed": 4, "destroying": 5, "suspect": 6}

OWN_VERBS = (
    _api(
        "checkouts",
        "granted",
        "debian-12-x86_64",
        line='vmpooler_checkouts_total{pool="debian-12-x86_64",result="success",vmpooler_instance="ci"} 1.0',
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
        "halted",
        "dummy",
        line='vmpooler_provider_halted{provider="dummy",vmpooler_instance="ci"} 1.0',
    ),
    _manager(
        "providers",
        "released",
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
        line='vmpooler_ondemand_wait_seconds_sum{pool="debian",source="warm",vmpooler_instance="ci"} 0.25',
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
        "requests",
        "dead",
        line='vmpooler_dlq_entries_total{queue="requests",vmpooler_instance="ci"} 1.0',
    ),
    _manager("loops", "clock_unsteady", line='vmpooler_clock_unsteady{vmpooler_instance="ci"} 1.0'),
    _manager("loops", "clock_steady", line='vmpooler_clock_unsteady{vmpooler_instance="ci"} 0.0'),
    _manager("loops", "restarted", line='vmpooler_loop_restarts_total{vmpooler_instance="ci"} 1.0'),
    _manager("loops", "events_missed", line='vmpooler_events_missed_total{vmpooler_instance="ci"} 1.0'),
)


def _shared(service: str) -> tuple[Verb, ...]:
    owned = f'{{owner="{service}",type="redis_connection_pool",vmpooler_instance="ci"}}'
    return (
        Verb(
            service,
            "http",
            "answered",
            (200, "GET"),
            'vmpooler_http_requests_total{code="200",method="get",path="/vm/{hostname}"} 1.0',
            {"path": "/vm/{hostname}", "seconds": 0.02},
        ),
        Verb(
            service,
            "http",
            "answered",
            (200, "GET"),
            'vmpooler_http_request_duration_seconds_bucket{le="0.025",method="get",path="/status"} 1.0',
            {"path": "/status", "seconds": 0.02},
        ),
        Verb(
            service,
            "http",
            "raised",
            (KeyError("x"),),
            'vmpooler_http_exceptions_total{exception="KeyError"} 1.0',
        ),
        Verb(service, "redis", "sent", (3,), 'vmpooler_redis_commands_total{vmpooler_instance="ci"} 3.0'),
        Verb(service, "redis", "sent", (3,), 'vmpooler_redis_round_trips_total{vmpooler_instance="ci"} 1.0'),
        Verb(service, "redis", "answered", (), 'vmpooler_redis_up{vmpooler_instance="ci"} 1.0'),
        Verb(service, "redis", "unreachable", (), 'vmpooler_redis_up{vmpooler_instance="ci"} 0.0'),
        Verb(
            service,
            "redis",
            "unreachable",
            (),
            'vmpooler_redis_errors_total{kind="unreachable",vmpooler_instance="ci"} 1.0',
        ),
        Verb(
            service,
            "redis",
            "timed_out",
            (),
            'vmpooler_redis_errors_total{kind="timeout",vmpooler_instance="ci"} 1.0',
        ),
        Verb(
            service,
            "redis",
            "refused",
            (),
            'vmpooler_redis_errors_total{kind="refused",vmpooler_instance="ci"} 1.0',
        ),
        Verb(
            service,
            "redis",
            "script_failed",
            (),
            'vmpooler_redis_errors_total{kind="script",vmpooler_instance="ci"} 1.0',
        ),
        Verb(
            service,
            "pushing",
            "lost",
            ("statsd", 7),
            'vmpooler_metrics_lost_total{backend="statsd",vmpooler_instance="ci"} 7.0',
        ),
        Verb(
            service,
            "pushing",
            "failed",
            ("graphite",),
            'vmpooler_metrics_send_failures_total{backend="graphite",vmpooler_instance="ci"} 1.0',
        ),
        Verb(service, "connections", "resized", (9,), f"vmpooler_connpool_size{owned} 9.0"),
        Verb(
            service,
            "connections",
            "changed",
            (),
            f"vmpooler_connpool_waiting{owned} 5.0",
            {"in_use": 4, "waiting": 5},
        ),
        Verb(
            service,
            "connections",
            "changed",
            (),
            f"vmpooler_connpool_in_use{owned} 4.0",
            {"in_use": 4, "waiting": 5},
        ),
        Verb(service, "connections", "waited", (61,), f"vmpooler_connection_waited_seconds_sum{owned} 61.0"),
    )


VERBS = (*OWN_VERBS, *_shared("api"), *_shared("manager"))
