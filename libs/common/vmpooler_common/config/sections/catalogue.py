"""Every part of a configuration with the model of its keys: what tables, variables and checks go through."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from pydantic.fields import FieldInfo

from vmpooler_common.config.declare.field import Section, walk
from vmpooler_common.config.sections.access import AuthSection, RateLimits
from vmpooler_common.config.sections.general import GeneralSection
from vmpooler_common.config.sections.listen import ListenSection
from vmpooler_common.config.sections.metrics import (
    GraphiteSection,
    GraphsSection,
    PrometheusSection,
    StatsdSection,
    TracingSection,
)
from vmpooler_common.config.sections.pools import DnsSection, PoolSection
from vmpooler_common.config.sections.providers import CommonProvider, DummyProvider, VsphereProvider
from vmpooler_common.config.sections.redis import RedisSection
from vmpooler_common.config.sections.resilience import ResilienceSection
from vmpooler_common.config.sections.top import TopLevel
from vmpooler_common.config.sections.upkeep import UpkeepSection
from vmpooler_common.config.sections.vsphere_defaults import VsphereDefaults


@dataclass(frozen=True, slots=True)
class Chapter:
    """One table of settings."""

    path: str
    """Where its keys are: `config`, `pools[]` (each item of the list), `providers.*` (each entry)."""
    title: str
    model: type[Section]
    hidden: frozenset[str] = frozenset()
    """Keys that another chapter of the same path shows."""

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

CHAPTERS = (
    Chapter("listen", "command line and environment only", ListenSection),
    Chapter("config", "general", GeneralSection),
    Chapter("config", "all vSphere providers", VsphereDefaults),
    Chapter("config", "failing providers", ResilienceSection),
    Chapter("config", "failures kept, tidying up, health", UpkeepSection),
    Chapter("pools[]", "each pool", PoolSection),
    Chapter("dns_configs.*", "each domain", DnsSection),
    Chapter("providers.*", "each provider", CommonProvider),
    Chapter("providers.*", "each provider of the class dummy", DummyProvider, _COMMON),
    Chapter("providers.*", "each provider of the class vsphere", VsphereProvider, _COMMON),
    Chapter("redis", "Redis", RedisSection),
    Chapter("auth", "users", AuthSection),
    Chapter("rate_limits", "limits of requests", RateLimits),
    Chapter("prometheus", "metrics for Prometheus", PrometheusSection),
    Chapter("statsd", "metrics for statsd, stronger than graphite and prometheus", StatsdSection),
    Chapter("graphite", "metrics for Graphite, stronger than prometheus", GraphiteSection),
    Chapter("graphs", "history on the dashboard", GraphsSection),
    Chapter("tracing", "traces", TracingSection),
    Chapter("", "top level", TopLevel),
)
"""In the order in which they are shown."""


@cache
def single_settings() -> tuple[tuple[str, FieldInfo], ...]:
    """Return every setting that exists once."""
    return tuple(setting for chapter in CHAPTERS if chapter.is_single for setting in chapter.settings())


def known_sections() -> frozenset[str]:
    """Return the keys of the top level; `listen` is there when the environment or the command line set it."""
    names = {chapter.path.removesuffix("[]").removesuffix(".*") for chapter in CHAPTERS}
    return frozenset(names - {""} | TopLevel.model_fields.keys())


def places_of(key: str) -> tuple[str, ...]:
    """Return the dotted names of all settings called `key`."""
    return tuple(
        name
        for chapter in CHAPTERS
        if chapter.path != "listen"
        for name, _ in chapter.settings()
        if name.split(".")[-1] == key
    )
