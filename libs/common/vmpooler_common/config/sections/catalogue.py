"""Every part of a configuration with the model of its keys: what tables, variables and checks go through."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pydantic.fields import FieldInfo

from vmpooler_common.config.declare.field import Section, walk
from vmpooler_common.config.sections.access import AuthSection, RateLimits
from vmpooler_common.config.sections.dns import DnsSection
from vmpooler_common.config.sections.drivers import settings_of_dns_plugins, settings_of_drivers
from vmpooler_common.config.sections.general import GeneralSection
from vmpooler_common.config.sections.limits import LimitsSection
from vmpooler_common.config.sections.listen import ListenSection
from vmpooler_common.config.sections.metrics import (
    GraphiteSection,
    GraphsSection,
    PrometheusSection,
    StatsdSection,
    TracingSection,
)
from vmpooler_common.config.sections.pools import PoolSection
from vmpooler_common.config.sections.providers import CommonProvider
from vmpooler_common.config.sections.redis import RedisSection
from vmpooler_common.config.sections.resilience import ResilienceSection
from vmpooler_common.config.sections.serving import ServingSection
from vmpooler_common.config.sections.top import TopLevel
from vmpooler_common.config.sections.upkeep import UpkeepSection
from vmpooler_common.config.sections.vsphere import VsphereDefaults


@dataclass(frozen=True, slots=True)
class SettingsGroup:
    """One table of settings, with the section that declares them."""

    path: str
    """Where its keys are: `config`, `pools[]` (each item of the list), `providers.*` (each entry)."""
    title: str
    model: type[Section]
    hidden: frozenset[str] = frozenset()
    """Keys that another group of the same path shows."""

    @property
    def is_single(self) -> bool:
        """Whether there is one of it, so that an environment variable can mean it."""
        return not self.path.endswith(("[]", ".*"))

    def settings(self) -> Iterator[tuple[str, FieldInfo]]:
        """Yield the dotted name and the declaration of every setting."""
        for name, field in walk(self.model, self.path):
            if name.removeprefix(f"{self.path}.") not in self.hidden:
                yield name, field


_COMMON = frozenset(CommonProvider.model_fields)
_COMMON_DNS = frozenset(DnsSection.model_fields)

_GROUPS = (
    SettingsGroup("listen", "command line and environment only", ListenSection),
    SettingsGroup("config", "general", GeneralSection),
    SettingsGroup("config", "serving HTTP", ServingSection),
    SettingsGroup("config", "all vSphere providers", VsphereDefaults),
    SettingsGroup("config", "failing providers", ResilienceSection),
    SettingsGroup("config", "failures kept, tidying up, health", UpkeepSection),
    SettingsGroup("pools[]", "each pool", PoolSection),
    SettingsGroup("dns_configs.*", "each domain", DnsSection),
    SettingsGroup("providers.*", "each provider", CommonProvider),
    SettingsGroup("redis", "Redis", RedisSection),
    SettingsGroup("auth", "users", AuthSection),
    SettingsGroup("limits", "limits of what one client has", LimitsSection),
    SettingsGroup("rate_limits", "limits of requests", RateLimits),
    SettingsGroup("prometheus", "metrics for Prometheus", PrometheusSection),
    SettingsGroup("statsd", "metrics for statsd, stronger than graphite and prometheus", StatsdSection),
    SettingsGroup("graphite", "metrics for Graphite, stronger than prometheus", GraphiteSection),
    SettingsGroup("graphs", "history on the dashboard", GraphsSection),
    SettingsGroup("tracing", "traces", TracingSection),
    SettingsGroup("", "top level", TopLevel),
)
"""In the order in which they are shown; what drivers and plug-ins declare follows what all of them have."""


@cache
def settings_groups() -> tuple[SettingsGroup, ...]:
    """Return every group of settings, those of the installed drivers too."""
    drivers = [
        SettingsGroup("providers.*", f"each provider of the class {driver}", model, _COMMON | _shared(model))
        for driver, model in settings_of_drivers().items()
    ]
    plugins = [
        SettingsGroup("dns_configs.*", f"each domain of the class {plugin}", model, _COMMON_DNS)
        for plugin, model in settings_of_dns_plugins().items()
    ]
    own = {CommonProvider: drivers, DnsSection: plugins}
    return tuple(one for group in _GROUPS for one in (group, *own.get(group.model, ())))


def _shared(model: type[CommonProvider]) -> frozenset[str]:
    """Return the keys that a provider may set although they are shown in `config`."""
    return frozenset() if model.shared_keys is None else frozenset(model.shared_keys.model_fields)


@cache
def single_settings() -> tuple[tuple[str, FieldInfo], ...]:
    """Return every setting that exists once."""
    return tuple(setting for group in _GROUPS if group.is_single for setting in group.settings())


def known_sections() -> frozenset[str]:
    """Return the keys of the top level; `listen` is there when the environment or the command line set it."""
    names = {group.path.removesuffix("[]").removesuffix(".*") for group in _GROUPS}
    return frozenset(names - {""} | TopLevel.model_fields.keys())


def places_of(key: str) -> tuple[str, ...]:
    """Return the dotted names of all settings called `key`."""
    return tuple(
        name
        for group in settings_groups()
        if group.path != "listen"
        for name, _ in group.settings()
        if name.split(".")[-1] == key
    )
