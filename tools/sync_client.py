"""Makes the client for threads from the one for asyncio: `python -m tools.sync_client`."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
CLIENT = ROOT / "clients" / "vmpooler_client"
BY_HAND = frozenset({"__init__.py", "io.py"})
"""Files that both have and that aren't made."""

_WORDS = (
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
    (r"\bAsync(?=[A-Z])", ""),
    (r"\b_async\b", "_sync"),
    (r"\b__a(enter|exit)__\b", r"__\1__"),
    (r"\baclose\b", "close"),
)


def made(source: str) -> str:
    """Give a module for threads, not formatted yet."""
    for pattern, replacement in _WORDS:
        source = re.sub(pattern, replacement, source)
    return source


def formatted(path: Path) -> str:
    """Give the module for threads that belongs to one for asyncio."""
    ruff = Path(sys.executable).with_name("ruff")
    source = made(path.read_text())
    for command in (["check", "--fix-only", "--quiet", "--select", "I"], ["format", "--quiet"]):
        finished = subprocess.run(
            [ruff, *command, "--stdin-filename", path.parent.with_name("_sync") / path.name, "-"],
            input=source,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        source = finished.stdout
    return source


def modules() -> dict[str, str]:
    """Give all modules for threads by their file names."""
    paths = [path for path in sorted((CLIENT / "_async").glob("*.py")) if path.name not in BY_HAND]
    return {path.name: formatted(path) for path in paths}


if __name__ == "__main__":
    for name, text in modules().items():
        (CLIENT / "_sync" / name).write_text(text)
