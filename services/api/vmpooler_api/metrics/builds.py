"""Builds that use VMs, as the tag of their URL names them."""

from collections.abc import Collection
from dataclasses import dataclass

from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.catalogues.usage import OPERATION, user_label
from vmpooler_common.metrics.declaration import Label, counter
from vmpooler_common.metrics.instrument import Instrument

COMPONENT = "RMM_COMPONENT_TO_TEST_NAME"
LITMUS = "litmus"
_NONE = "none"


@dataclass(frozen=True, slots=True)
class Build:
    """A build; each text is as in the URL, but with underscores for dots, and never empty."""

    jenkins_instance: str
    """Its server."""
    value_stream: str
    branch: str
    project: str
    job_name: str
    component: str


def read_build_url(url: str) -> Build | None:
    """Read a URL; None when it isn't of the form `scheme://SERVER/…/JOB/LABELS/…`.

    JOB is joined by underscores from value stream, project, name and branch. LABELS is a comma list of
    `key=value`, where COMPONENT says what is tested.
    """
    scheme, _, rest = url.partition("://")
    parts = rest.split("/")
    if not scheme or len(parts) < 4 or not parts[0]:
        return None
    value_stream, *between, branch = parts[2].split("_") if "_" in parts[2] else ("", "")
    if not between or not value_stream or not branch or not between[0]:
        return None
    labels = dict(label.partition("=")[::2] for label in reversed(parts[3].split(",")))
    return Build(
        jenkins_instance=_label(parts[0]),
        value_stream=_label(value_stream),
        branch=_label(branch),
        project=_label(between[0]),
        job_name=_label("_".join(between[1:])),
        component=_label(labels.get(COMPONENT, "")),
    )


def _label(text: str) -> str:
    return text.replace(".", "_") or _NONE


_POOL = Label("pool")


class BuildMetrics:
    """VMs by the build that they are tagged with. A VM is tagged after its checkout, so only when it is
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

    def destroyed_by_litmus(self, pool: str, *, user: str | None) -> None:
        """A litmus build is done with a VM; the user is empty for one who gave no token."""
        self._litmus.record(1, user_label(user), "destroy", pool)

    def destroyed_by_job(self, pool: str, build: Build) -> None:
        """Another build is done with a VM."""
        self._jenkins.record(1, build.jenkins_instance, build.value_stream, "destroy", pool)
        self._branches.record(1, build.branch, build.project, "destroy", pool)
        self._jobs.record(1, build.job_name, build.component, "destroy", pool)
