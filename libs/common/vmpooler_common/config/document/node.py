"""A parsed document: plain values that remember where they were written."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from vmpooler_common.logs import without_url_secrets

Scalar: TypeAlias = str | int | float | bool | None

_BARE_KEY = re.compile(r"[\w-]+")
_CREDENTIALS = re.compile(r"://[^/\s]*@")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written: a file (or variable, or the command line), a place in it, a line from 1."""

    source: str
    place: str = ""
    line: int | None = None

    def key(self, name: str, *, line: int | None = None) -> "Origin":
        """Return the place of the key `name` below this one."""
        if not _BARE_KEY.fullmatch(name):
            return Origin(self.source, f"{self.place}[{name!r}]", line)
        return Origin(self.source, f"{self.place}.{name}" if self.place else name, line)

    def item(self, index: int, *, line: int | None = None) -> "Origin":
        """Return the place of the list item `index`, counted from 0, below this one."""
        return Origin(self.source, f"{self.place}[{index}]", line)


@dataclass(frozen=True, slots=True)
class Node:
    """One value of a document. Keys are texts without the leading colon of Ruby's symbols."""

    value: "Scalar | Mapping[str, Node] | tuple[Node, ...]"
    origin: Origin

    @property
    def children(self) -> "Mapping[str, Node]":
        """The node's keys; none when it isn't a mapping."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> "tuple[Node, ...]":
        """The node's list items; none when it isn't a list."""
        return self.value if isinstance(self.value, tuple) else ()

    def find(self, *path: str | int) -> "Node | None":
        """Return the node at `path` below this one, None where there is none."""
        node: Node | None = self
        for step in path:
            if node is None:
                return None
            if isinstance(step, str):
                node = node.children.get(step)
            else:
                node = node.items[step] if 0 <= step < len(node.items) else None
        return node

    def replaced(self, path: tuple[str, ...], node: "Node") -> "Node":
        """Return this mapping with `node` at `path`; missing or null levels are made.

        A level that is something else than a mapping stays: the mistake is reported, not painted over.
        """
        if not path:
            return node
        if self.value is not None and not isinstance(self.value, Mapping):
            return self
        made = Node(None, Origin(node.origin.source, self.origin.key(path[0]).place))
        child = self.children.get(path[0], made)
        return Node({**self.children, path[0]: child.replaced(path[1:], node)}, self.origin)

    def without(self, *keys: str) -> "Node":
        """Return this mapping without `keys`."""
        return Node({name: node for name, node in self.children.items() if name not in keys}, self.origin)

    def describe_type(self) -> str:
        """Say what kind of value this is, without showing it."""
        match self.value:
            case None:
                return "nothing"
            case bool():
                return "a boolean"
            case int() | float():
                return "a number"
            case str():
                return "a text"
            case tuple():
                return "a list"
            case _:
                return "a mapping"

    def describe(self) -> str:
        """Show a scalar, shortened and without credentials of an address; of others only the type."""
        match self.value:
            case None | tuple() | Mapping():
                return self.describe_type()
            case bool():
                return "true" if self.value else "false"
            case str():
                text = without_url_secrets(_CREDENTIALS.sub("://…@", self.value), mask="…")
                return repr(text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…")
            case _:
                return str(self.value)


def plain(node: Node) -> Any:
    """Return the bare values; a null in a mapping is a key that isn't set."""
    match node.value:
        case tuple():
            return [plain(item) for item in node.value]
        case Mapping():
            return {key: plain(child) for key, child in node.value.items() if child.value is not None}
        case _:
            return node.value
