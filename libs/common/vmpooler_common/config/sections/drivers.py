"""The settings of drivers and DNS plug-ins. Each declares its own; its package names them in an entry point.

An entry of the group `vmpooler.provider_settings` has the driver's name and leads to a subclass of
`CommonProvider`; one of `vmpooler.dns_settings` has the plug-in's name and leads to a subclass of
`DnsSection`. Both services read them, so their modules must not import the cloud's or server's library.
"""

from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import TypeVar

from vmpooler_common.config.declare.field import Section
from vmpooler_common.config.sections.dns import DnsSection
from vmpooler_common.config.sections.providers import CommonProvider

GROUP = "vmpooler.provider_settings"
DNS_GROUP = "vmpooler.dns_settings"

Declared = TypeVar("Declared", bound=Section)


class DriverSettingsError(Exception):
    """A driver's or plug-in's settings are installed and can't be read; the text says why."""


def settings_of_driver(driver: str) -> type[CommonProvider] | None:
    """Return what the driver declares, whatever the case of its name; None when it declares nothing.

    Raises DriverSettingsError when its declaration can't be imported or is none.
    """
    return _settings_of(driver, GROUP, CommonProvider)


def settings_of_dns_plugin(dns_class: str) -> type[DnsSection] | None:
    """Return the same of a DNS plug-in. Raises DriverSettingsError likewise."""
    return _settings_of(dns_class, DNS_GROUP, DnsSection)


def settings_of_drivers() -> Mapping[str, type[CommonProvider]]:
    """Return what the installed drivers declare, sorted by name, without what can't be read."""
    return _readable(GROUP, CommonProvider)


def settings_of_dns_plugins() -> Mapping[str, type[DnsSection]]:
    """Return the same of the installed DNS plug-ins that have settings of their own."""
    readable = _readable(DNS_GROUP, DnsSection)
    return {name: model for name, model in readable.items() if model is not DnsSection}


def _settings_of(name: str, group: str, base: type[Declared]) -> type[Declared] | None:
    point = _points(group).get(name.lower())
    return None if point is None else _load(point, base)


def _readable(group: str, base: type[Declared]) -> dict[str, type[Declared]]:
    readable = {}
    for name in sorted(_points(group)):
        try:
            readable[name] = _load(_points(group)[name], base)
        except DriverSettingsError:
            continue  # whoever configures it is told
    return readable


@cache
def _points(group: str) -> Mapping[str, EntryPoint]:
    return MappingProxyType({point.name.lower(): point for point in entry_points(group=group)})


@cache
def _imported(point: EntryPoint) -> object:
    try:
        return point.load()
    except (Exception, SystemExit) as error:
        # Foreign code: importing it may raise anything, as in the manager's registry of drivers.
        raise DriverSettingsError(f"{type(error).__name__}: {error}") from error


def _load(point: EntryPoint, base: type[Declared]) -> type[Declared]:
    declared = _imported(point)
    if not (isinstance(declared, type) and issubclass(declared, base)):
        raise DriverSettingsError(f"{point.value} is no subclass of {base.__name__}")
    return declared
