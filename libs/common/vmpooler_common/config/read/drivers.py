"""Whether the configured drivers can be loaded here, as the manager will need them."""

from importlib.metadata import EntryPoint, PackageNotFoundError, entry_points, metadata
from pathlib import Path

from vmpooler_common.config.document.problems import Findings
from vmpooler_common.config.read.assembly import Sections
from vmpooler_common.config.sections.dns import Rfc2136Section

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
            findings.error(
                origin, f"the driver {provider.driver!r} {reason}", _remedy(provider.driver, "driver")
            )


def check_dns_plugins(sections: Sections, findings: Findings) -> None:
    """Note every domain whose plug-in isn't installed or can't be imported, and keys that can't be read."""
    installed = {point.name.lower(): point for point in entry_points(group=DNS_PLUGINS)}
    for name, entry in sections.dns_configs.items():
        node = sections.root.find("dns_configs", name)
        if node is None:
            continue
        reason = _why_missing(entry.dns_class.lower(), installed)
        if reason is not None:
            origin = (node.find("dns_class") or node).origin
            extra = "dns" if isinstance(entry, Rfc2136Section) else ""
            findings.error(origin, f"the DNS plug-in {entry.dns_class!r} {reason}", _remedy(extra, "plug-in"))
        file = node.find("key_file")
        if (
            isinstance(entry, Rfc2136Section)
            and entry.key_file
            and file
            and not Path(entry.key_file).is_file()
        ):
            findings.error(file.origin, f"found {file.describe()}", "a file that exists")


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


def _remedy(extra: str, what: str) -> str:
    try:
        extras = metadata(_PACKAGE).get_all("Provides-Extra") or []
    except PackageNotFoundError:
        extras = []
    brought = f"pip install '{_PACKAGE}[{extra}]'" if extra in extras else "install its package"
    return f"an installed {what}: {brought}, or check elsewhere with --allow-missing-drivers"
