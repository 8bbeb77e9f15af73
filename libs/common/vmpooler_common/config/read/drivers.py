"""Whether the configured drivers can be loaded here, as the manager will need them."""

from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, metadata

from vmpooler_common.config.document.problems import Findings
from vmpooler_common.config.read.assembly import Sections

DRIVERS = "vmpooler.providers"
"""The group of entry points in which packages name their drivers."""
DNS_PLUGINS = "vmpooler.dns"
"""The same for plug-ins that keep DNS records."""
_PACKAGE = "vmpooler"


def check_drivers(sections: Sections, findings: Findings) -> None:
    """Note every provider whose driver isn't installed, or can't be imported."""
    installed = {point.name.lower(): point for point in entry_points(group=DRIVERS)}
    for provider in sections.providers.values():
        reason = _why_missing(provider.driver, installed)
        if reason is not None:
            origin = (provider.node.find("provider_class") or provider.node).origin
            findings.error(origin, f"the driver {provider.driver!r} {reason}", _remedy(provider.driver))


def _why_missing(driver: str, installed: dict[str, EntryPoint]) -> str | None:
    point = installed.get(driver)
    if point is None:
        return f"is not installed (installed: {', '.join(sorted(installed)) or 'none'})"
    try:
        point.load()
    except (Exception, SystemExit) as error:
        # Foreign code: importing it may raise anything, as in the manager's registry of drivers.
        return f"can't be loaded: {type(error).__name__}: {error}"
    return None


def _remedy(driver: str) -> str:
    try:
        extras = metadata(_PACKAGE).get_all("Provides-Extra") or []
    except PackageNotFoundError:
        extras = []
    brought = f"pip install '{_PACKAGE}[{driver}]'" if driver in extras else "install its package"
    return f"an installed driver: {brought}, or check elsewhere with --allow-missing-drivers"
