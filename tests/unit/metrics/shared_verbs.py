"""Every verb of the catalogues that both services have."""

from functools import partial

from tests.unit.metrics.verb import Verb


def shared_verbs(service: str) -> tuple[Verb, ...]:
    """Give those that this service, `api` or `manager`, tells."""
    verb = partial(Verb.of, service)
    return (
        verb("http", "answered", 200, "GET", path="/vm/{hostname}", seconds=0.02),
        verb("http", "answered", 200, "GET", path="/status", seconds=0.02),
        verb("http", "raised", KeyError("x")),
        verb("http_connections", "open", 5),
        verb("http_connections", "refused"),
        verb("http_connections", "cut", "send"),
        verb("users", "allocated", "debian", user="alice.b"),
        verb("users", "destroyed", "debian", user=None),
        verb("redis", "sent", 3),
        verb("redis", "answered"),
        verb("redis", "unreachable"),
        verb("redis", "timed_out"),
        verb("redis", "refused"),
        verb("redis", "read_only"),
        verb("redis", "written"),
        verb("redis", "script_failed"),
        verb("pushing", "lost", "statsd", 7),
        verb("pushing", "failed", "graphite"),
        verb("connections", "resized", 9),
        verb("connections", "changed", in_use=4, waiting=5),
        verb("connections", "waited", 61),
    )
