"""Every item of the 3.x contract's checklist is a test that is named by its number.

The first test of an item in each file begins with the item's own words: after [C] what clients of 3.x rely
on, after [H] where this service is deliberately better, after [C/H] some of both. Where the words name keys
of 3.x in Redis, the test checks what they mean. What is deliberately different stands below the words.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

FOLDER = Path(__file__).parent
ITEMS = set(range(1, 279))
NOT_APPLICABLE = {
    3,  # v1, v2 and paths without a version are served
    159,  # a default lifetime is always configured
    275,  # paths are counted by their template
}


def numbered(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the numbers of the items that a file tests, each with the docstring of its first test."""
    seen: set[int] = set()
    for node in ast.parse(path.read_text()).body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        found = re.match(r"test_(\d{3})_", node.name)
        if found is not None and (number := int(found[1])) not in seen:
            seen.add(number)
            yield number, ast.get_docstring(node) or ""


def test_every_item_that_applies_has_a_test_that_quotes_it() -> None:
    texts: dict[int, str] = {}
    for path in sorted(FOLDER.glob("test_*.py")):
        for number, text in numbered(path):
            quote = " ".join(text.partition("\n\n")[0].split())
            assert re.match(r"\[(C|H|C/H)\] \S", quote), f"{path.name}: {number}"
            assert texts.setdefault(number, quote) == quote, f"{path.name}: {number}"
    assert texts.keys() == ITEMS - NOT_APPLICABLE
