"""Finds the plug-in of a domain among the installed ones, by the entry point group `vmpooler.dns`.

Nothing of a plug-in is imported before an entry of `dns_configs` that uses it is made.
"""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from vmpooler_common.config.read.drivers import DNS_PLUGINS
from vmpooler_common.config.sections.dns import DnsSection
from vmpooler_common.config.show.redaction import MASK, looks_secret
from vmpooler_manager.dns.contract import DnsPlugin
from vmpooler_manager.dns.errors import DnsMisconfigured

PluginSettings = TypeVar("PluginSettings", bound=DnsSection)


def load(name: str, dns_class: str, settings: Mapping[str, Any]) -> DnsPlugin:
    """Make the plug-in `dns_class`, in whatever case, for the entry called `name`; it has not been opened.

    Raises DnsMisconfigured when there is no such plug-in or it can't be loaded, and for wrong settings.
    """
    point = _entry_point(dns_class)
    try:
        factory = point.load()
        plugin: DnsPlugin = factory(name, settings)
    except DnsMisconfigured:
        raise  # in the plug-in's own words
    except (Exception, SystemExit) as error:
        # The border to foreign code: it may raise anything, or even exit, and one broken plug-in must not
        # keep the manager from serving other pools.
        cause = _without_secrets(f"{type(error).__name__}: {error}", settings)
        if isinstance(error, ValidationError):
            cause = "; ".join(map(_describe, error.errors(include_url=False)))
        raise DnsMisconfigured(f"DNS plug-in {dns_class!r} can't be used: {cause}") from error
    return plugin


def read_settings(model: type[PluginSettings], name: str, configured: Mapping[str, Any]) -> PluginSettings:
    """Read a plug-in's settings by its declaration; a key without a value counts as absent.

    Raises DnsMisconfigured that lists every mistake with its key, what was expected and what was given.
    """
    given = {key: value for key, value in configured.items() if value is not None}
    try:
        return model.model_validate(given)
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
    # Raised here, without its cause: the cause's text may show a secret.
    raise DnsMisconfigured(f"settings of dns_configs.{name}: {'; '.join(map(_describe, mistakes))}")


def _describe(mistake: ErrorDetails) -> str:
    key = ".".join(map(str, mistake["loc"]))
    may_be_shown = not mistake.get("ctx", {}).get("secret", True)
    given = f" (given: {mistake['input']!r})" if may_be_shown else ""
    return f"{key}: {mistake['msg']}{given}"


def _without_secrets(text: str, settings: Mapping[str, Any]) -> str:
    """Mask what a plug-in says of its secrets: everybody may read in the status why a pool is broken."""
    for key, value in settings.items():
        if looks_secret(key) and isinstance(value, str) and value:
            text = text.replace(value, MASK)
    return text


def _entry_point(dns_class: str) -> EntryPoint:
    installed = entry_points(group=DNS_PLUGINS)
    points = [point for point in installed if point.name.lower() == dns_class.lower()]
    if not points:
        others = ", ".join(sorted({point.name for point in installed})) or "none"
        raise DnsMisconfigured(f"DNS plug-in not installed: {dns_class} (installed: {others})")
    places = sorted({point.value for point in points})
    if len(places) > 1:
        raise DnsMisconfigured(f"DNS plug-in {dns_class!r} is installed more than once: {', '.join(places)}")
    return points[0]
