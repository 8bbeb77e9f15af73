"""The queries that operators are given are valid, and ask for metrics that exist."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

import vmpooler_api.metrics
import vmpooler_manager.metrics
from tests.support.needs import needs_program
from tests.support.project import ROOT
from vmpooler_common.metrics.describe import declarations

PAGE = ROOT / "docs" / "metrics.md"
INSTANCE_LABEL = "vmpooler_instance"


def queries() -> list[str]:
    text = PAGE.read_text()
    shown = "\n\n".join(re.findall(r"```promql\n(.*?)```", text, re.DOTALL))
    lines = re.sub(r"\n +", " ", shown).splitlines()  # a query goes on in indented lines
    return [line for line in lines if line] + re.findall(r"^\| [^|]+ \| `([^`]+)`", text, re.MULTILINE)


def test_every_metric_of_the_page_is_declared() -> None:
    known = {
        f"vmpooler_{declaration.name}"
        for catalogue in (*vmpooler_api.metrics.CATALOGUES, *vmpooler_manager.metrics.CATALOGUES)
        for declaration in declarations(catalogue)
    }
    asked = {
        re.sub(r"_(bucket|count)$", "", name)
        for query in queries()
        for name in re.findall(r"vmpooler_\w+", query)
    } - {INSTANCE_LABEL}
    assert asked
    assert asked <= known


def test_no_query_of_the_page_mixes_installations() -> None:
    aggregations = [
        labels
        for query in queries()
        for labels in re.findall(r"\b(?:sum|min|max|count)\b *(?:by *\(([^)]*)\))? *\(", query)
    ]
    assert aggregations
    for labels in aggregations:
        assert {INSTANCE_LABEL, "job"} & set(labels.split(", ")), labels


def test_the_query_for_lost_processes_means_the_jobs_that_are_shipped() -> None:
    (job,) = {found[1] for query in queries() if (found := re.match(r'up\{job=~"([^"]+)"\} == 0', query))}
    shipped = yaml.safe_load((ROOT / "deploy" / "prometheus.yml").read_text())["scrape_configs"]
    assert shipped
    assert all(re.fullmatch(job, each["job_name"]) for each in shipped)


def test_every_query_of_the_page_is_valid(tmp_path: Path) -> None:
    promtool = needs_program("promtool", package="prometheus")
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries())]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "page", "rules": rules}]}))
    checked = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
    if checked.returncode:
        pytest.fail(checked.stdout + checked.stderr)
    assert f"{len(rules)} rules found" in checked.stdout
