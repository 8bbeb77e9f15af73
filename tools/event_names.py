"""Writes docs/events.md from `vmpooler_common.model.events`."""

import ast
import inspect
from collections.abc import Iterator

from vmpooler_common.model import events

_HEAD = """\
# Log events

Every line of the log has an event of this list: the member `event` in JSON, the first word in text. The
names are an interface: search and alert by them. The stream of events in Redis uses the same names. This
page is written from `model/events.py`: `.venv/bin/python -m tools.event_names > docs/events.md`.

| event | is told when |
| --- | --- |"""


def page() -> str:
    """Give the text of the page."""
    rows = (f"| `{name}` | {meaning} |" for name, meaning in _members())
    return "\n".join((_HEAD, *rows)) + "\n"


def _members() -> Iterator[tuple[str, str]]:
    """Give name and docstring of each member, read from the source: Python doesn't keep these docstrings."""
    (cls,) = ast.parse(inspect.getsource(events.EventName)).body
    if not isinstance(cls, ast.ClassDef):
        raise TypeError(cls)
    following = [*cls.body[1:], None]
    for node, after in zip(cls.body, following, strict=True):
        match node:
            case ast.Assign(value=ast.Constant(value=str(name))):
                pass
            case _:
                continue
        match after:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield name, " ".join(text.split())
            case _:
                subject, what = name.split(".")
                yield name, f"{subject.capitalize()} {what.replace('_', ' ')}."


if __name__ == "__main__":
    print(page(), end="")
