"""Environment variables: each sets one key, stronger than any document."""

import re
from collections.abc import Mapping
from difflib import get_close_matches

from pydantic.fields import FieldInfo

from vmpooler_common.config.declare.field import setting_of, type_of
from vmpooler_common.config.declare.types import Wrong, as_flag
from vmpooler_common.config.document.node import Node, Origin
from vmpooler_common.config.document.problems import Findings
from vmpooler_common.config.sections.catalogue import single_settings

CONFIG = "VMPOOLER_CONFIG"
CONFIG_FILE = "VMPOOLER_CONFIG_FILE"
DEBUG = "VMPOOLER_DEBUG"
EXTRA_CONFIG = "EXTRA_CONFIG"
GENERAL_VARIABLES = {
    CONFIG: "whole document as text; the file isn't read then",
    CONFIG_FILE: "path of the document, else ./vmpooler.yaml",
    DEBUG: "allows auth.provider dummy",
}
"""Variables that are no single key's, with their meaning."""

_OLD_NAMES = {"PURGE_UNCONFIGURED_FOLDERS": "PURGE_UNCONFIGURED_RESOURCES"}
_OTHERS = frozenset(
    {
        "VMPOOLER_API_PORT",
        "VMPOOLER_MANAGER_PORT",
        "VMPOOLER_EXAMPLES",
        "VMPOOLER_NO_SKIPS",
        "VMPOOLER_TEST_REDIS",
    }
)
"""Read by the Makefile and the tests, from whose environment a service may inherit them."""
_KUBERNETES_VALUE = re.compile(r"(tcp|udp|sctp)://")
_KUBERNETES_NAME = re.compile(r"VMPOOLER_(.*_)?(SERVICE_(HOST|PORT)(_.*)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_.*)?)")


def source_of(variable: str) -> str:
    """Return how messages name the variable."""
    return f"environment variable {variable}"


def is_debugging(environ: Mapping[str, str]) -> bool:
    """Return whether VMPOOLER_DEBUG is set to anything but a word for false."""
    value = environ.get(DEBUG, "")
    try:
        return as_flag(value)
    except Wrong:
        return True


def overlay(root: Node, environ: Mapping[str, str], findings: Findings) -> Node:
    """Return the document with the variables' values in it, as the texts that they are."""
    for name, field in single_settings():
        for variable in setting_of(field).environment:
            value = environ.get(variable)
            if value is None or not _counts(variable, value, field, name, findings):
                continue
            origin = Origin(source_of(variable), name)
            if variable in _OLD_NAMES:
                findings.warn(origin, f"the variable's name is old: use {_OLD_NAMES[variable]}")
            root = root.replaced(tuple(name.split(".")), Node(value, origin))
            break
    _warn_unknown(environ, findings)
    return root


def without_empty_receivers(root: Node) -> Node:
    """Return the document without `statsd` and `graphite` whose server is empty: that means none."""
    for name in ("statsd", "graphite"):
        server = root.find(name, "server")
        if server is not None and server.value in (None, ""):
            root = root.without(name)
    return root


def _counts(variable: str, value: str, field: FieldInfo, name: str, findings: Findings) -> bool:
    """Return whether the variable sets something."""
    if _KUBERNETES_VALUE.match(value) and variable.endswith("PORT"):
        where = Origin(source_of(variable), name)
        findings.warn(where, "ignored: it is the address that Kubernetes gives for a service of that name")
        return False
    kind = type_of(field)
    return bool(value) or (kind is not None and not kind.blank_is_unset)


def _warn_unknown(environ: Mapping[str, str], findings: Findings) -> None:
    known = {variable for _, field in single_settings() for variable in setting_of(field).environment}
    known |= GENERAL_VARIABLES.keys()
    for variable in sorted(environ):
        if (
            not variable.startswith("VMPOOLER_")
            or variable in known | _OTHERS
            or _KUBERNETES_NAME.fullmatch(variable)
            or (variable.endswith("_PORT") and _KUBERNETES_VALUE.match(environ[variable]))
        ):
            continue
        close = get_close_matches(variable, sorted(known), n=1)
        advice = f": did you mean {close[0]}?" if close else ""
        findings.warn(Origin(source_of(variable)), f"the variable is not known and has no effect{advice}")
