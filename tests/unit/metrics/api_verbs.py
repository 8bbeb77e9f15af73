"""Every verb of the API's own catalogues."""

from functools import partial

from tests.unit.metrics.verb import Verb
from vmpooler_api.metrics.builds import Build

BUILD = Build("ci_example", "stream", branch="main", project="project", job_name="job", component="agent")

_api = partial(Verb.of, "api")

API_VERBS = (
    _api("configuration", "changed", "debian"),
    _api("configuration", "unchanged", "debian"),
    _api("configuration", "invalid", "nonsense"),
    _api("configuration", "unauthorized"),
    _api("configuration", "reset", "debian"),
    _api("configuration", "invalid_reset"),
    _api("configuration", "unauthorized_reset"),
    _api("checkouts", "granted", "debian-12-x86_64"),
    _api("checkouts", "repeated", "debian-12-x86_64"),
    _api("checkouts", "empty", "debian"),
    _api("checkouts", "invalid"),
    _api("checkouts", "unauthorized"),
    _api("checkouts", "unsafe", "debian-12-x86_64"),
    _api("waits", "waiting", 7),
    _api("waits", "holding", 2),
    _api("waits", "waited", 3.0, "granted"),
    _api("deletes", "done"),
    _api("deletes", "failed"),
    _api("deletes", "unauthorized"),
    _api("tasks", "accepted", "disk"),
    _api("tasks", "refused"),
    _api("tasks", "unauthorized"),
    _api("ondemand", "created"),
    _api("ondemand", "duplicate"),
    _api("ondemand", "invalid"),
    _api("ondemand", "too_many"),
    _api("ondemand", "unauthorized"),
    _api("ondemand", "waiting", 7),
    _api("limits", "refused", "vm_creation"),
    _api("limits", "unchecked"),
    _api("limits", "over_quota", "running_vms"),
    _api("logins", "succeeded"),
    _api("logins", "failed"),
    _api("logins", "throttled"),
    _api("logins", "refused"),
    _api("logins", "unavailable"),
    _api("builds", "destroyed_by_litmus", "debian-12-x86_64", user="alice"),
    _api("builds", "destroyed_by_job", "debian", BUILD),
    _api("builds", "destroyed_by_job", "elsewhere", BUILD),
)
