"""Finds which route answered a request, as its template: `/vm/{hostname}`, never a path that was asked for.

Paths hold host names, tokens and whatever scanners try; as label values they would have no bound.
"""

from collections.abc import Iterable
from typing import Any

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Scope

UNMATCHED = "unmatched"
NOTED = "vmpooler.route_template"
"""Key of the scope under which whoever answers in a route's place notes its template."""


def route_template(scope: Scope, routes: Iterable[BaseRoute], *, root_path: str) -> str:
    """Tell the template of the route that has handled `scope`, or "unmatched" when none did.

    `routes` are the application's, `root_path` is the scope's from before the application saw it: a
    mount changes it. What is mounted without routes of its own is told as `/static/{path}`.
    """
    if NOTED in scope:
        return str(scope[NOTED])
    endpoint = scope.get("endpoint")
    if endpoint is None:
        return UNMATCHED
    if scope.get("root_path", "") == root_path:
        included = _included(scope)
        if included is not None:
            return included
    return _walked(routes, scope["path"].removeprefix(root_path), endpoint) or UNMATCHED


def _included(scope: Scope) -> str | None:
    # A route that reached the application by include_router knows its own part of the path only;
    # FastAPI notes the whole template in the scope.
    notes = scope.get("fastapi")
    context = notes.get("effective_route_context") if isinstance(notes, dict) else None
    route = getattr(context, "starlette_route", None) or context
    return getattr(route, "path_format", None)


def _walked(routes: Iterable[BaseRoute], path: str, endpoint: Any) -> str | None:
    # Several routes may share an endpoint, and a route that the path would fit may have been passed
    # over: only both together say which one it was.
    for route in routes:
        if isinstance(route, Route):
            if route.endpoint is endpoint and route.path_regex.match(path):
                return route.path_format
        elif isinstance(route, Mount):
            mounted = route.path_regex.match(path)
            if mounted:
                inner = _walked(route.routes, f"/{mounted['path']}", endpoint)
                return route.path_format if inner is None else f"{route.path}{inner}"
    return None
