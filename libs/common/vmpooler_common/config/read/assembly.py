"""The whole document as sections: every part read, whatever is wrong with the others."""

from collections.abc import Callable
from dataclasses import dataclass

from vmpooler_common.config.declare.field import Section
from vmpooler_common.config.document.node import Node
from vmpooler_common.config.document.problems import Findings
from vmpooler_common.config.read.sections import (
    AnySection,
    note_not_in_effect,
    read_section,
    suggest,
    warn_unknown,
)
from vmpooler_common.config.sections.access import AuthSection, RateLimits
from vmpooler_common.config.sections.catalogue import known_sections
from vmpooler_common.config.sections.dns import DYNAMIC_DNS, DnsSection
from vmpooler_common.config.sections.drivers import (
    DriverSettingsError,
    settings_of_dns_plugin,
    settings_of_driver,
)
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

_CONFIG_MODELS = (GeneralSection, ServingSection, VsphereDefaults, ResilienceSection, UpkeepSection)


@dataclass(frozen=True, slots=True)
class ReadProvider:
    """An entry of `providers`."""

    node: Node
    driver: str
    """Its class, in lower case."""
    section: CommonProvider


@dataclass(frozen=True, slots=True)
class Sections:
    """Everything that was read, with defaults where something was wrong or missing."""

    root: Node
    top: TopLevel
    listen: ListenSection
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
    rate_limits: RateLimits
    dns_configs: dict[str, DnsSection]
    providers: dict[str, ReadProvider]
    pools: tuple[tuple[Node, PoolSection], ...]

    def part_of_config(self, model: type[Section] | None) -> Section | None:
        """Return the part of the section `config` that is declared by `model`."""
        parts = (self.general, self.vsphere_defaults, self.resilience, self.upkeep)
        return next((part for part in parts if type(part) is model), None)


def assemble(root: Node, findings: Findings) -> Sections:
    """Read every section of `root`; mistakes and doubts go to `findings`."""
    reader = _Reader(root, findings)
    reader.warn_unknown_sections()
    config = root.find("config") or Node(None, root.origin.key("config"))
    warn_unknown(config.without("domain"), _CONFIG_MODELS, findings)
    providers = reader.providers()
    return Sections(
        root=root,
        top=reader.part("", TopLevel),
        listen=reader.part("listen", ListenSection),
        general=reader.part("config", GeneralSection),
        serving=reader.part("config", ServingSection),
        vsphere_defaults=reader.part("config", VsphereDefaults),
        resilience=reader.part("config", ResilienceSection),
        upkeep=reader.part("config", UpkeepSection),
        redis=reader.section("redis", RedisSection),
        prometheus=reader.section("prometheus", PrometheusSection),
        statsd=reader.optional("statsd", StatsdSection),
        graphite=reader.optional("graphite", GraphiteSection),
        graphs=reader.optional("graphs", GraphsSection),
        tracing=reader.section("tracing", TracingSection),
        auth=reader.optional("auth", AuthSection),
        limits=reader.section("limits", LimitsSection),
        rate_limits=reader.section("rate_limits", RateLimits),
        dns_configs=reader.dns_configs(),
        providers=providers,
        pools=reader.pools(providers),
    )


class _Reader:
    def __init__(self, root: Node, findings: Findings) -> None:
        self._root = root
        self._findings = findings
        self._reported: set[int] = set()

    def warn_unknown_sections(self) -> None:
        known = known_sections()
        for key, node in self._root.children.items():
            if key not in known:
                found = f"the section is not known and has no effect{suggest(key, known)}"
                self._findings.warn(node.origin, found)

    def part(self, path: str, model: type[AnySection]) -> AnySection:
        """Read those keys at `path` that `model` knows."""
        node = self._root.find(path) if path else self._root
        if node is None:
            return model()
        note_not_in_effect(node, model, path, self._findings)
        if node.value is not None and not isinstance(node.value, dict):
            # Several models read the same section: its one mistake is noted once.
            if id(node) in self._reported:
                return model()
            self._reported.add(id(node))
        return read_section(node, model, self._findings)

    def section(self, path: str, model: type[AnySection]) -> AnySection:
        """Read the section at `path`, of which `model` knows every key."""
        node = self._root.find(path)
        if node is not None:
            warn_unknown(node, (model,), self._findings)
        return self.part(path, model)

    def optional(self, path: str, model: type[AnySection]) -> AnySection | None:
        """Read the section at `path` if there is one."""
        node = self._root.find(path)
        return self.section(path, model) if node is not None and node.value is not None else None

    def dns_configs(self) -> dict[str, DnsSection]:
        result = {}
        for name, node in self._entries("dns_configs").items():
            plugin = _class_of(node, "dns_class", DYNAMIC_DNS)
            declared = self._declared(settings_of_dns_plugin, plugin, node, what="DNS plug-in")
            result[name] = read_section(node, declared or DnsSection, self._findings)
            if declared:
                warn_unknown(node, (declared,), self._findings)
        return result

    def providers(self) -> dict[str, ReadProvider]:
        result = {}
        for name, node in self._entries("providers").items():
            driver = _class_of(node, "provider_class", name)
            declared = self._declared(settings_of_driver, driver, node, what="driver")
            model = declared or CommonProvider
            section = read_section(node, model, self._findings)
            note_not_in_effect(node, model, "providers.*", self._findings)
            if declared:
                warn_unknown(node, (declared,), self._findings)
            result[name] = ReadProvider(node, driver, section)
        return result

    def _declared(
        self, settings_of: Callable[[str], type[AnySection] | None], name: str, node: Node, *, what: str
    ) -> type[AnySection] | None:
        try:
            return settings_of(name)
        except DriverSettingsError as error:
            found = f"the settings of the {what} {name} can't be read and aren't checked: {error}"
            self._findings.warn(node.origin, found)
            return None

    def pools(self, providers: dict[str, ReadProvider]) -> tuple[tuple[Node, PoolSection], ...]:
        node = self._root.find("pools")
        if node is None or node.value is None:
            return ()
        if not isinstance(node.value, tuple):
            self._findings.error(node.origin, f"found {node.describe_type()}", "a list of pools")
            return ()
        return tuple((pool, self._pool(pool, providers)) for pool in node.value)

    def _pool(self, node: Node, providers: dict[str, ReadProvider]) -> PoolSection:
        pool = read_section(node, PoolSection, self._findings)
        note_not_in_effect(node, PoolSection, "pools[]", self._findings)
        if not pool.provider and len(providers) == 1:
            pool = pool.model_copy(update={"provider": next(iter(providers))})
        provider = providers.get(pool.provider)
        options = frozenset() if provider is None else provider.section.pool_options
        if options is not None:
            warn_unknown(node.without(*options), (PoolSection,), self._findings)
        return pool

    def _entries(self, path: str) -> dict[str, Node]:
        node = self._root.find(path)
        if node is None or node.value is None:
            return {}
        if not isinstance(node.value, dict):
            self._findings.error(
                node.origin, f"found {node.describe_type()}", "a mapping of names to settings"
            )
            return {}
        return dict(node.value)


def _class_of(node: Node, key: str, default: str) -> str:
    """Return the name, in lower case, of the driver or plug-in that an entry names."""
    named = node.find(key)
    return str(named.value if named and named.value is not None else default).lower()
