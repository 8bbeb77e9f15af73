"""The pages: every link to another page, or to a heading, leads somewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), ROOT / "tests" / "README.md", *(ROOT / "docs").rglob("*.md")]
_LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]+))?\)")


def _anchors(page: Path) -> set[str]:
    """The names that a web page of GitHub's gives to the headings."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _leads_nowhere(page: Path, target: str, anchor: str) -> bool:
    there = (page.parent / target).resolve() if target else page
    return not there.exists() or bool(anchor and anchor not in _anchors(there))


def test_every_link_between_the_pages_leads_somewhere() -> None:
    links = [(page, link) for page in PAGES for link in _LINK.finditer(page.read_text())]
    assert len(links) > 30
    assert [
        (page.name, link[0]) for page, link in links if _leads_nowhere(page, link[1], link[2] or "")
    ] == []
