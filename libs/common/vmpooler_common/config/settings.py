"""The settings as the services use them: frozen, resolved, safe to print."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from vmpooler_common.config.sections.access import AuthSection, RateLimits
from vmpooler_common.config.sections.general import GeneralSection
from vmpooler_common.config.sections.limits import LimitsSection
from vmpooler_common.config.sections.metrics import (
    GraphiteSection,
    GraphsSection,
    PrometheusSection,
    StatsdSection,
    TracingSection,
)
from vmpooler_common.config.sections.redis import RedisSection
from vmpooler_common.config.sections.resilience import ResilienceSection
from vmpooler_common.config.sections.serving import ServingSection
from vmpooler_common.config.sections.upkeep import UpkeepSection
from vmpooler_common.config.sections.vsphere import VsphereDefaults
from vmpooler_common.model.features import Feature
from vmpooler_common.model.readiness import ReadyCheck


class Options(Mapping[str, Any]):
    """Keys for a driver or a plug-in, secrets among them in plain text: frozen, and shown without values.

    Nested mappings are Options, too; lists are tuples.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Any] | Iterable[tuple[str, Any]] = ()) -> None:
        self._values = {key: _frozen(value) for key, value in dict(values).items()}

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Options({', '.join(self._values)})"


def _frozen(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value if isinstance(value, Options) else Options(value)
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value


@dataclass(frozen=True, slots=True)
class ListenAddress:
    """Where the service's web server listens; port 0 is any free one."""

    hosts: tuple[str, ...]
    port: int


@dataclass(frozen=True, slots=True)
class DnsSettings:
    """One entry of `dns_configs`."""

    name: str
    domain: str
    """Empty for short names."""
    dns_class: str
    """As configured; plug-ins are found whatever the case of its letters."""
    orphan_check_interval: timedelta
    """Time between two looks for records whose VM is gone; zero: none."""
    options: Options
    """The keys of the plug-in, without those above."""


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """One provider. Whether its class is installed is the manager's business."""

    name: str
    provider_class: str
    """As configured; drivers are found whatever the case of its letters."""
    paused: bool
    operation_timeout: timedelta
    """The deadline of any one call."""
    options: Options
    """The keys that are set for the driver, with what `config` holds for all providers of its class."""
    features: frozenset[Feature] | None = None
    """What the driver declares that it can; None where its declaration isn't installed here."""
    purges: bool = False
    """Whether places that no pool uses are removed."""
    allowed_places: frozenset[str] = frozenset()
    """Those that stay all the same."""
    checks_names: bool = True
    """Whether new names are looked up in DNS before they are used."""


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """One pool with its effective values."""

    name: str
    aliases: tuple[str, ...]
    """Each once, without the pool's own name."""
    alias: str | tuple[str, ...] | None
    """As it is configured, which `/status` shows."""
    size: int
    provider: str
    domain: str
    """Empty for short names."""
    dns_plugin: str | None
    """As it is configured, which the API shows."""
    dns_entry: str | None
    """The entry of `dns_configs` that counts; None for short names."""
    template: str
    clone_target: str | None
    timeout: timedelta
    """A VM that isn't ready after this time has failed."""
    ready_ttl: timedelta
    check_loop_delay_min: timedelta
    check_loop_delay_max: timedelta
    check_loop_delay_decay: float
    paused: bool
    """The pool itself, or its provider, is paused."""
    ready_check: ReadyCheck
    ready_check_timeout: timedelta
    """Longest time for one try."""
    checks_hostname: bool
    """Whether a ready VM that calls itself by another name is given up."""
    options: Options
    """The remaining keys that are set."""


@dataclass(frozen=True)
class Settings:
    """Everything that a service may want to know, read once at its start."""

    listen: ListenAddress
    is_debugging: bool
    installation: str
    vm_lifetime: timedelta | None
    """How long a VM belongs to whom it was given; None: without end."""
    lifetime_with_token: timedelta | None
    """The same for a VM that was taken with a token."""
    needs_token: bool
    """Whether tokens are checked: one that is given must be valid. Checkouts without one stay possible."""
    metrics_backend: str
    """The one that is configured: `statsd`, `graphite` or `prometheus`, whose endpoint always exists."""
    general: GeneralSection
    serving: ServingSection
    vsphere_defaults: VsphereDefaults
    resilience: ResilienceSection
    upkeep: UpkeepSection
    redis: RedisSection
    prometheus: PrometheusSection
    statsd: StatsdSection | None
    graphite: GraphiteSection | None
    graphs: GraphsSection | None
    tracing: TracingSection
    auth: AuthSection | None
    limits: LimitsSection
    limits_rates: bool
    rate_limits: RateLimits
    tagfilter: Mapping[str, re.Pattern[str]]
    dns_configs: Mapping[str, DnsSettings]
    providers: Mapping[str, ProviderSettings]
    """By name; `dummy` is among them when a pool uses it, even without an entry."""
    pools: tuple[PoolSettings, ...]
    """In the order of the configuration."""
    _candidates: Mapping[str, tuple[PoolSettings, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Look up once which pools each name stands for."""
        found: dict[str, list[PoolSettings]] = {pool.name: [pool] for pool in self.pools}
        for pool in self.pools:
            for alias in pool.aliases:
                found.setdefault(alias, []).append(pool)
        object.__setattr__(self, "_candidates", {name: tuple(pools) for name, pools in found.items()})

    def providers_without(self, feature: Feature) -> tuple[str, ...]:
        """Return the providers whose drivers are known not to have `feature`."""
        return tuple(
            provider.name
            for provider in self.providers.values()
            if provider.features is not None and feature not in provider.features
        )

    @property
    def names(self) -> frozenset[str]:
        """Every name that VMs can be asked for: pools and aliases."""
        return frozenset(self._candidates)

    def candidates(self, name: str) -> tuple[PoolSettings, ...]:
        """Return the pools whose VMs may be given for `name`; none for an unknown name.

        Each pool once: the one of that name first, then those with that alias, as configured.
        """
        return self._candidates.get(name, ())

    def weights(self, candidates: Iterable[PoolSettings]) -> tuple[int | float, ...] | None:
        """Return the weight of each candidate; None, so that all are equal, when one has none or all have 0.

        A candidate of weight 0 is never the first choice, but a way out when the others have no VM.
        """
        by_target = self.general.backend_weight
        found = tuple(by_target.get(pool.clone_target) if pool.clone_target else None for pool in candidates)
        weights = tuple(weight for weight in found if weight is not None)
        return weights if len(weights) == len(found) and any(weights) else None
