"""What the URL of a CI build says, where its jobs are named by a convention.

Such as `https://jenkins.example.com/job/stream_project_some-job_main/LAYOUT=a,RMM_COMPONENT_TO_TEST_NAME=b/7/`.
"""

from dataclasses import dataclass

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
