"""Which documents a configuration comes from, read and merged: the base document and the extra files."""

from collections.abc import Mapping
from pathlib import Path

from vmpooler_common.config.declare.types import split_list
from vmpooler_common.config.document.merge import merge
from vmpooler_common.config.document.node import Node, Origin, plain
from vmpooler_common.config.document.problems import Findings
from vmpooler_common.config.document.yaml import parse
from vmpooler_common.config.read.environment import CONFIG, CONFIG_FILE, EXTRA_CONFIG, source_of
from vmpooler_common.config.read.legacy import migrate

DEFAULT_FILE = "vmpooler.yaml"


def read_documents(path: Path | None, environ: Mapping[str, str], findings: Findings) -> Node:
    """Return the merged document; what can't be read is noted, and read as if it were empty."""
    root = _base(path, environ, findings)
    for extra in _extra_paths(root, environ):
        root = merge(root, _read(Path(extra), findings))
    return root


def _base(path: Path | None, environ: Mapping[str, str], findings: Findings) -> Node:
    if path is not None:
        return _read(path, findings)
    if CONFIG in environ:
        return _parsed(environ[CONFIG], source_of(CONFIG), findings)
    if environ.get(CONFIG_FILE):
        return _read(Path(environ[CONFIG_FILE]), findings)
    return _read(Path(DEFAULT_FILE), findings, missing=f"that file, --config FILE, {CONFIG_FILE} or {CONFIG}")


def _extra_paths(root: Node, environ: Mapping[str, str]) -> list[str]:
    """Return the extra files' paths, the weakest first. A mistake in the key is noted where it is read."""
    node = root.find("config", "extra_config")
    written = environ.get(EXTRA_CONFIG) or (plain(node) if node else None)
    parts = split_list(written)
    return [part for part in parts if isinstance(part, str)] if isinstance(parts, list) else []


def _read(path: Path, findings: Findings, *, missing: str = "a readable file") -> Node:
    source = str(path)
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        findings.error(Origin(source, line=line), "bytes that are no text", "a file in UTF-8")
    except OSError as error:
        findings.error(Origin(source), f"can't be read: {error.strerror}", missing)
    except ValueError:  # a path with a NUL in it
        findings.error(Origin(repr(source)), "can't be read: no possible path", missing)
    else:
        return _parsed(text, source, findings)
    return Node({}, Origin(source))


def _parsed(text: str, source: str, findings: Findings) -> Node:
    root = parse(text, source, findings)
    return Node({}, Origin(source)) if root is None else migrate(root, findings)
