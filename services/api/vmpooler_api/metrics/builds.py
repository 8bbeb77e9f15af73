"""Which CI jobs use VMs; recorded only where `config.usage_stats` is set."""

from collections.abc import Collection

from vmpooler_api.metrics.build_url import Build
from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.catalogues.usage import OPERATION, user_label
from vmpooler_common.metrics.declaration import Label, counter
from vmpooler_common.metrics.instrument import Instrument

_POOL = Label("pool")


class BuildMetrics:
    """VMs by the build that they are tagged with. A VM is tagged after it was handed out, so only when it is
    returned the build is known: `operation` is always `destroy`. `pools`: those that are configured.
    """

    LITMUS = counter(
        "usage_litmus_total",
        "VMs of builds whose URL contains litmus, by user.",
        labels=(Label("user", is_open=True), OPERATION, _POOL),
        dotted="usage_litmus.{user}.{operation}.{pool}",
    )
    JENKINS = counter(
        "usage_jenkins_instance_total",
        "VMs of other builds, by the server and the value stream in their URL.",
        labels=(
            Label("jenkins_instance", is_open=True),
            Label("value_stream", is_open=True),
            OPERATION,
            _POOL,
        ),
        dotted="usage_jenkins_instance.{jenkins_instance}.{value_stream}.{operation}.{pool}",
    )
    BRANCHES = counter(
        "usage_branch_project_total",
        "The same, by branch and project.",
        labels=(Label("branch", is_open=True), Label("project", is_open=True), OPERATION, _POOL),
        dotted="usage_branch_project.{branch}.{project}.{operation}.{pool}",
    )
    JOBS = counter(
        "usage_job_component_total",
        "The same, by job and tested component.",
        labels=(Label("job_name", is_open=True), Label("component_to_test", is_open=True), OPERATION, _POOL),
        dotted="usage_job_component.{job_name}.{component_to_test}.{operation}.{pool}",
    )

    def __init__(self, backend: Backend, *, pools: Collection[str]) -> None:
        known = {"pool": pools}
        self._litmus = Instrument(backend, self.LITMUS, known=known)
        self._jenkins = Instrument(backend, self.JENKINS, known=known)
        self._branches = Instrument(backend, self.BRANCHES, known=known)
        self._jobs = Instrument(backend, self.JOBS, known=known)

    def destroyed_by_litmus(self, pool: str, *, user: str) -> None:
        """A litmus build is done with a VM; the user is empty for one who gave no token."""
        self._litmus.record(1, user_label(user), "destroy", pool)

    def destroyed_by_job(self, pool: str, build: Build) -> None:
        """Another build is done with a VM."""
        self._jenkins.record(1, build.jenkins_instance, build.value_stream, "destroy", pool)
        self._branches.record(1, build.branch, build.project, "destroy", pool)
        self._jobs.record(1, build.job_name, build.component, "destroy", pool)
