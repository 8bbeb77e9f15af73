"""Prometheus' own linter finds nothing to say."""

import subprocess

import pytest

from tests.support.needs import needs_program
from tests.unit.metrics.verb import Reporter
from tests.unit.metrics.verbs import VERBS
from vmpooler_common.metrics.exposition import exposition


@pytest.mark.parametrize("service", ["api", "manager"])
def test_promtool_finds_no_fault_in_an_exposition_with_every_metric(service: str) -> None:
    promtool = needs_program("promtool", package="prometheus")
    reporter = Reporter(service)
    for verb in VERBS:
        if verb.service == service:
            verb.tell(reporter)
    checked = subprocess.run(
        [promtool, "check", "metrics"],
        input=exposition(reporter.registry),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert (checked.returncode, checked.stdout.decode()) == (0, "")
