"""Names of series as statsd and Graphite know them: levels that are joined by dots."""

import re

from vmpooler_common.metrics.declaration import PLACE, Declaration

_FOREIGN = re.compile(r"[^\w-]+")
"""What would end a level or a name: dots, spaces, slashes, and the marks of both protocols."""
_AT_ENDS = "/{}. "
"""Left out there, so that the path `/vm/{name}` becomes `vm_name`."""
NOTHING = "_"
"""The level of a value of which nothing is left."""


def dotted_name(declaration: Declaration, values: tuple[str, ...], *, prefix: str) -> str:
    """Name one series below `prefix`, which may hold dots; `values` as in the declaration's order."""
    by_label = dict(zip(declaration.label_names, values, strict=True))
    name = PLACE.sub(lambda place: level(by_label[place[1]]), declaration.dotted)
    return ".".join((*map(level, prefix.split(".")), name))


def level(text: str) -> str:
    """Make one level of a text."""
    return _FOREIGN.sub("_", text.strip(_AT_ENDS)) or NOTHING
