"""The lines of the exposition that each event changes, kept in `golden/`, one file for each service.

After a change that is meant, write them anew and read the difference before you commit it:

    .venv/bin/python -m tests.unit.metrics.golden_files
"""

from collections.abc import Iterator
from pathlib import Path

from tests.unit.metrics.verb import Reporter
from tests.unit.metrics.verbs import VERBS

DIRECTORY = Path(__file__).with_name("golden")
SERVICES = ("api", "manager")


def golden_file(service: str) -> Path:
    """Name a service's file."""
    return DIRECTORY / f"{service}.txt"


def transcript(service: str) -> str:
    """Tell a service's catalogues all events, one after the other, and write down what each one changes.

    Raises ValueError for an event that changes nothing.
    """
    return "\n".join(_events(service))


def _events(service: str) -> Iterator[str]:
    reporter = Reporter(service)
    before = set(reporter.lines())
    for verb in VERBS:
        if verb.service != service:
            continue
        verb.tell(reporter)
        lines = reporter.lines()
        changed = [line for line in lines if line not in before and not line.startswith("#")]
        if not changed:
            raise ValueError(f"{service}: {verb} changes no line of the exposition")
        yield f"{verb}\n" + "".join(f"    {line}\n" for line in changed)
        before = set(lines)


if __name__ == "__main__":
    DIRECTORY.mkdir(exist_ok=True)
    for name in SERVICES:
        golden_file(name).write_text(transcript(name))
