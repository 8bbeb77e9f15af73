"""The settings of drivers. Each driver declares its own, and its package names them in an entry point.

An entry of the group `vmpooler.provider_settings` has the driver's name and leads to a subclass of
`CommonProvider`. Both services read it, so its module must not import the cloud's library.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from vmpooler_common.config.sections.providers import CommonProvider

GROUP = "vmpooler.provider_settings"


class DriverSettingsError(Exception):
    """A driver's settings are installed and can't be read; the text says why."""


def settings_of_driver(driver: str) -> type[CommonProvider] | None:
    """Return what the driver declares, whatever the case of its name; None when it declares nothing.

    Raises DriverSettingsError when its declaration can't be imported or is none.
    """
    point = _declared().get(driver.lower())
    return None if point is None else _load(point)


def settings_of_drivers() -> Mapping[str, type[CommonProvider]]:
    """Return what the installed drivers declare, sorted by name, without what can't be read."""
    readable = {}
    for driver in sorted(_declared()):
        try:
            readable[driver] = _load(_declared()[driver])
        except DriverSettingsError:
            continue  # whoever configures this driver is told
    return readable


@cache
def _declared() -> Mapping[str, EntryPoint]:
    return MappingProxyType({point.name.lower(): point for point in entry_points(group=GROUP)})


@cache
def _load(point: EntryPoint) -> type[CommonProvider]:
    try:
        declared = point.load()
    except (Exception, SystemExit) as error:
        # Foreign code: importing it may raise anything, as in the manager's registry of drivers.
        raise DriverSettingsError(f"{type(error).__name__}: {error}") from error
    if not (isinstance(declared, type) and issubclass(declared, CommonProvider)):
        raise DriverSettingsError(f"{point.value} is no subclass of CommonProvider")
    return declared
