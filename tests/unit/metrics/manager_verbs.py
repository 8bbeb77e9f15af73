"""Every verb of the manager's own catalogues."""

from functools import partial

from tests.unit.metrics.verb import Verb
from vmpooler_common.model.pool import Sizes
from vmpooler_common.model.problem import ProblemKind

_manager = partial(Verb.of, "manager")

_COUNTS = {"size": 7, "sizes": Sizes(pending=1, ready=2, running=3, completed=4, destroying=5, suspect=6)}

MANAGER_VERBS = (
    _manager("pools", "counted", "debian", **_COUNTS),
    _manager("pools", "broken", "debian"),
    _manager("pools", "mended", "debian"),
    _manager("pools", "foreign", "debian", 3),
    _manager("pools", "checked", "debian", 0.25),
    _manager("pools", "check_failed", "debian", "provider"),
    _manager("vms", "became_ready", "debian", 45),
    _manager("vms", "cloned", "debian", 0.05),
    _manager("vms", "destroyed", "debian", 15),
    _manager("vms", "refill_started", 0.02),
    _manager("vms", "migrated", "debian", 12, source="host1", target="host2"),
    _manager("vms", "migration_failed", "debian"),
    _manager("vms", "failed", "debian", "powered_off"),
    _manager("providers", "called", "dummy", "list_vms", result="throttled", seconds=1.5),
    _manager("providers", "called", "dummy", "create", result="ok", seconds=1.5),
    _manager("providers", "unused_places", "dummy", 2),
    _manager("providers", "deletion_paused", "dummy"),
    _manager("providers", "deletion_resumed", "dummy"),
    _manager("dns", "called", "lab", "publish", result="timeout", seconds=1.5),
    _manager("dns", "failing", "lab", is_failing=True),
    _manager("dns", "names_taken", "lab", 2),
    _manager("dns", "swept", "lab", orphans=3, removed=2, foreign=1),
    _manager("loops", "leased", 4),
    _manager("loops", "servable", 3),
    _manager("pools", "held_back", "debian", 2),
    _manager("pools", "paused", "debian", is_paused=True),
    _manager("pools", "problem", "debian", ProblemKind.CLONES),
    _manager("loops", "cloning", pools=5, requests=3),
    _manager("requests", "granted", "debian", 0.25, warm=True, user="alice"),
    _manager("requests", "granted", "debian", 0.25, warm=False, user=None),
    _manager("requests", "waiting", "debian", 4),
    _manager("requests", "failed", 2),
    _manager("inboxes", "dead", "requests"),
    _manager("tasks", "done", "disk", 0.25),
    _manager("tasks", "failed", "revert"),
    _manager("tasks", "retried", "revert"),
    _manager("tasks", "over", "revert"),
    _manager("loops", "clock_unsteady"),
    _manager("loops", "clock_steady"),
    _manager("loops", "restarted"),
    _manager("loops", "events_missed"),
)
