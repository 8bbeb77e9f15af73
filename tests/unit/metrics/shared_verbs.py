"""Every verb of the catalogues that both services have."""

from tests.unit.metrics.verb import Verb


def shared_verbs(service: str) -> tuple[Verb, ...]:
    """Give those that this service, `api` or `manager`, tells."""
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
        Verb(
            service,
            "users",
            "allocated",
            ("debian",),
            'vmpooler_user_total{operation="allocate",pool="debian",user="alice_b",'
            'vmpooler_instance="ci"} 1.0',
            {"user": "alice.b"},
        ),
        Verb(
            service,
            "users",
            "destroyed",
            ("debian",),
            'vmpooler_user_total{operation="destroy",pool="debian",user="unauthenticated",'
            'vmpooler_instance="ci"} 1.0',
            {"user": ""},
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
