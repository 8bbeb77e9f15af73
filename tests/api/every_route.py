"""All routes that an app has, for tests of what holds for each of them."""

import re
from collections.abc import Mapping

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_VALUES: Mapping[str, str] = {"size": "8"}
_ANY = "pool1"
"""A pool, and as good a name of a VM, a request or a token as any other."""


def every_route(app: FastAPI) -> list[tuple[str, str]]:
    """Give method and path template of each route. HEAD is left out, and so are the files of the pages."""
    return [
        (method, context.path)
        for context in iter_route_contexts(app.routes)
        for method in sorted((context.methods or set()) - {"HEAD"})
        if context.path is not None
    ]


def some_path(template: str) -> str:
    """Give a path that fits a template; what it names is a pool and nothing else."""
    return _PARAMETER.sub(lambda parameter: _VALUES.get(parameter[1], _ANY), template)


def fits(template: str, path: str) -> bool:
    """Tell whether a path, with or without a query, fits a template."""
    pattern = "[^/]+".join(re.escape(part) for part in _PARAMETER.split(template)[::2])
    return re.fullmatch(pattern, path.partition("?")[0]) is not None
