"""The names of routes for metrics and the log, where a request is answered before it reaches one."""

from collections.abc import Iterable

from starlette.routing import compile_path

from vmpooler_common.metrics.route_template import UNMATCHED


class RouteNames:
    """Finds the template that a path fits."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._templates = [(compile_path(template)[0], template) for template in templates]

    def of(self, path: str) -> str:
        """Give the template, or "unmatched"."""
        return next((template for pattern, template in self._templates if pattern.match(path)), UNMATCHED)
