"""The queries that operators are given are valid, and ask for metrics that exist."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

import vmpooler_api.metrics
import vmpooler_manager.metrics
from tests.support.needs import needs_program
from vmpooler_common.metrics.describe import declarations

PAGE = Path(__file__).parents[3] / "docs" / "metrics.md"


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
        name.removesuffix("_bucket") for query in queries() for name in re.findall(r"vmpooler_\w+", query)
    }
    assert asked
    assert asked <= known


def test_every_query_of_the_page_is_valid(tmp_path: Path) -> None:
    promtool = needs_program("promtool", package="prometheus")
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries())]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "page", "rules": rules}]}))
    checked = subprocess.run([promtool, "check", "rules", file], capture_output=True, text=True, check=False)
    if checked.returncode:
        pytest.fail(checked.stdout + checked.stderr)
    assert f"{len(rules)} rules found" in checked.stdout
