"""The page of log events is the list that the code uses, and the code uses nothing else."""

import ast
from pathlib import Path

from tests.support.project import ROOT
from tools.event_names import page

SOURCES = [ROOT / "libs", ROOT / "services"]
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def test_the_page_lists_every_event() -> None:
    assert (ROOT / "docs" / "events.md").read_text() == page(), "write it anew: see its first lines"


def test_no_log_line_has_an_event_of_its_own() -> None:
    """Texts are no interface: who searches for one loses it with the next wording."""
    own = [f"{path}:{line}" for folder in SOURCES for path in folder.rglob("*.py") for line in _texts(path)]
    assert own == []


def _texts(path: Path) -> list[int]:
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in LEVELS
        and isinstance(node.func.value, ast.Name | ast.Call)
        and ast.unparse(node.func.value) in ("log", "structlog.get_logger()")
        and node.args
        and isinstance(node.args[0], ast.Constant | ast.JoinedStr)
    ]
