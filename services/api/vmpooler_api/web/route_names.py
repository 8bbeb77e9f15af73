"""The names of routes for metrics and the log, where a request is answered before it reaches one."""

import re
from collections.abc import Callable, Iterable
from functools import cached_property

from starlette.routing import compile_path

from vmpooler_common.metrics.route_template import UNMATCHED


class RouteNames:
    """Finds the template that a path fits. `templates` is called when the first one is looked for."""

    def __init__(self, templates: Callable[[], Iterable[str]]) -> None:
        self._templates = templates

    def of(self, path: str) -> str:
        """Give the template, or "unmatched"."""
        return next((template for pattern, template in self._patterns if pattern.match(path)), UNMATCHED)

    @cached_property
    def _patterns(self) -> list[tuple[re.Pattern[str], str]]:
        return [(compile_path(template)[0], template) for template in self._templates()]
