"""Finds the driver of a provider among the installed ones, by the entry point group `vmpooler.providers`.

Nothing of a driver is imported before a provider that uses it is made.
"""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from pydantic import ValidationError

from vmpooler_common.config.read.drivers import DRIVERS
from vmpooler_common.config.show.redaction import MASK, looks_secret
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.providers.contract import Provider
from vmpooler_manager.providers.errors import PermanentError

GROUP = DRIVERS


def installed() -> tuple[str, ...]:
    """Names of the installed drivers, sorted."""
    return tuple(sorted({point.name for point in entry_points(group=GROUP)}))


def load(
    name: str, provider_class: str | None, *, settings: Mapping[str, Any], metrics: ConnectionMetrics
) -> Provider:
    """Make the provider called `name`, with the driver `provider_class` (None: the one called `name`).

    Upper and lower case are the same in a driver's name. The provider has not been opened.

    Raises PermanentError when there is no such driver, when it can't be loaded or made, for wrong settings.
    """
    driver = provider_class or name
    point = _entry_point(driver)
    try:
        factory = point.load()
    except (Exception, SystemExit) as error:
        # The border to foreign code: running somebody else's module may raise anything, or even exit, and one
        # broken plug-in must not keep the manager from serving the other providers.
        raise PermanentError(f"driver {driver!r} can't be loaded: {_cause(error)}") from error
    if not callable(factory):
        raise PermanentError(f"driver {driver!r} can't be loaded: {point.value} can't be called")
    try:
        provider: Provider = factory(name, settings, metrics)
    except PermanentError:
        raise  # in the driver's own words
    except (Exception, SystemExit) as error:
        # The same border.
        cause = _without_secrets(_cause(error), settings)
        raise PermanentError(f"driver {driver!r} failed at its start: {cause}") from error
    return provider


def _cause(error: BaseException) -> str:
    if not isinstance(error, ValidationError):
        return f"{type(error).__name__}: {error}"
    # Its own text shows what was given, which may be a password.
    mistakes = error.errors(include_url=False, include_input=False, include_context=False)
    told = "; ".join(f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in mistakes)
    return f"{type(error).__name__}: {told}"


def _without_secrets(text: str, settings: Mapping[str, Any]) -> str:
    """Mask what a driver says of its secrets: everybody may read in the status why a pool is broken."""
    for key, value in settings.items():
        if looks_secret(key) and isinstance(value, str | int) and not isinstance(value, bool) and value:
            text = text.replace(str(value), MASK)
    return text


def _entry_point(driver: str) -> EntryPoint:
    points = [point for point in entry_points(group=GROUP) if point.name.lower() == driver.lower()]
    if not points:
        others = ", ".join(installed()) or "none"
        raise PermanentError(f"driver not installed: {driver} (installed: {others})")
    places = sorted({point.value for point in points})
    if len(places) > 1:
        raise PermanentError(f"driver {driver!r} is installed more than once: {', '.join(places)}")
    return points[0]
