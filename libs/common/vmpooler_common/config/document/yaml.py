"""YAML to nodes: with line numbers, every repeated key found, and without YAML 1.1's surprises.

Only text, numbers, booleans, null, lists and mappings exist. A number is one only when it is written
the plain decimal way: `010`, `1_000`, `0x1f` and `1:30` stay text, so that a name is never changed
and no number is read as octal. Dates stay text too.
"""

import re
from collections.abc import Iterator

import yaml
from yaml.composer import Composer
from yaml.parser import Parser
from yaml.reader import Reader, ReaderError
from yaml.resolver import BaseResolver
from yaml.scanner import Scanner

from vmpooler_common.config.document.node import Node, Origin, Scalar
from vmpooler_common.config.document.problems import Findings

_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset({"true", "yes", "on"})
_BOOLEAN = re.compile(r"(?i:true|false|yes|no|on|off)")
_WHOLE = re.compile(r"[-+]?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[-+]?[0-9]{1,18}\.[0-9]{0,18}(?:[eE][-+]?[0-9]{1,3})?")
_QUOTED = re.compile(r"'([^']*)'")
_MOST_LEVELS = 50
_MOST_VALUES = 200_000


class _Loader(Reader, Scanner, Parser, Composer, BaseResolver):
    """Composes nodes; nothing is constructed from them here."""

    def __init__(self, text: str) -> None:
        Reader.__init__(self, text)
        Scanner.__init__(self)
        Parser.__init__(self)
        Composer.__init__(self)
        BaseResolver.__init__(self)


for _name, _pattern, _first in (
    ("bool", re.compile(rf"(?:{_BOOLEAN.pattern})$"), "tTfFyYnNoO"),
    ("int", re.compile(rf"(?:{_WHOLE.pattern})$"), "-+0123456789"),
    ("float", re.compile(rf"(?:{_NUMBER.pattern})$"), "-+0123456789"),
    ("null", re.compile(r"(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""]),
    ("merge", re.compile(r"<<$"), "<"),
):
    _Loader.add_implicit_resolver(_TAG + _name, _pattern, list(_first))


def parse(text: str, source: str, findings: Findings) -> Node | None:
    """Return the document's node, None when it can't be read; mistakes go to `findings`.

    `source` names the document in messages. An empty document is an empty mapping.
    """
    origin = Origin(source)
    try:
        root = _Loader(text).get_single_node()
        node = Node({}, origin) if root is None else _Converter(findings).convert(root, origin, ())
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        findings.error(Origin(source, line=line), "a character that YAML doesn't allow", "printable text")
        return None
    except yaml.MarkedYAMLError as error:
        what = _QUOTED.sub(_without_pieces, error.problem or "not readable")
        mark = error.problem_mark or error.context_mark
        findings.error(Origin(source, line=mark.line + 1 if mark else None), what, "valid YAML")
        return None
    except (RecursionError, _TooMuchError):
        findings.error(origin, "nested too deeply, or too long", "a document of a few levels")
        return None
    except (ValueError, OverflowError):  # from the YAML library: a character or a number that can't exist
        findings.error(origin, "an escaped character or a directive that doesn't exist", "valid YAML")
        return None
    if node.value is None:
        return Node({}, origin)
    if not isinstance(node.value, dict):
        findings.error(node.origin, f"found {node.describe_type()}", "a mapping of sections")
        return None
    return node


def _without_pieces(quoted: re.Match[str]) -> str:
    """Leave single characters and names of YAML's parts; other pieces may be of a password."""
    piece = quoted[1]
    return quoted[0] if len(piece) <= 1 or piece.startswith("<") else "'…'"


class _TooMuchError(Exception):
    """The document, with its anchors' contents, is larger than any configuration."""


class _Converter:
    """Turns composed nodes into ours, noting repeated keys and what has no meaning here."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._values = 0

    def convert(self, node: yaml.Node, origin: Origin, above: tuple[int, ...]) -> Node:
        """Convert `node`; `above` holds the identities of the nodes around it."""
        here = Origin(origin.source, origin.place, node.start_mark.line + 1)
        if id(node) in above:
            self._findings.error(here, "an anchor that contains itself", "a value that ends")
            return Node(None, here)
        self._values += 1
        if self._values > _MOST_VALUES or len(above) > _MOST_LEVELS:
            raise _TooMuchError
        inside = (*above, id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == f"{_TAG}map":
            return Node(self._mapping(node, here, inside), here)
        if isinstance(node, yaml.SequenceNode) and node.tag == f"{_TAG}seq":
            items = (self.convert(item, here.item(index), inside) for index, item in enumerate(node.value))
            return Node(tuple(items), here)
        if isinstance(node, yaml.ScalarNode) and node.tag.startswith(_TAG):
            return Node(self._scalar(node, here), here)
        self._findings.error(here, "an object tag", "text, a number, a boolean, a list or a mapping")
        return Node(None, here)

    def _scalar(self, node: yaml.ScalarNode, here: Origin) -> Scalar:
        written = node.value
        match node.tag.removeprefix(_TAG):
            case "str" | "merge":
                return str(written)
            case "null":
                return None
            case "bool" if _BOOLEAN.fullmatch(written):
                return written.lower() in _TRUE
            case "int" if _WHOLE.fullmatch(written):
                return int(written)
            case "float" if _NUMBER.fullmatch(written) or _WHOLE.fullmatch(written):
                return float(written)
        self._findings.error(here, "a tag that doesn't fit its value", "a value without a tag")
        return None

    def _mapping(self, node: yaml.MappingNode, here: Origin, above: tuple[int, ...]) -> dict[str, Node]:
        result: dict[str, Node] = {}
        written: dict[str, str] = {}
        merged: list[Node] = []
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if key_node.tag == f"{_TAG}merge":
                merged.extend(self._merged(self.convert(value_node, here, above)))
                continue
            if not isinstance(key_node, yaml.ScalarNode) or not key_node.value.removeprefix(":"):
                self._findings.error(Origin(here.source, here.place, line), "a key without a name", "a text")
                continue
            key = key_node.value.removeprefix(":")
            child = self.convert(value_node, here.key(key), above)
            origin = here.key(key, line=line)
            if key not in result:
                result[key] = Node(child.value, origin)
                written[key] = key_node.value
            elif written[key] == key_node.value:
                self._findings.error(origin, "the key is written twice", "one of them")
            else:
                self._findings.error(origin, f"found both ':{key}' and '{key}'", "one of them")
        for base in merged:
            result = {**base.children, **result}
        return result

    def _merged(self, node: Node) -> Iterator[Node]:
        """Yield the mappings that `<<` takes in, the strongest first."""
        for candidate in node.items if isinstance(node.value, tuple) else (node,):
            if isinstance(candidate.value, dict):
                yield candidate
            else:
                self._findings.error(candidate.origin, "'<<' with something else", "a mapping's anchor")
