"""From sections to settings: every default that depends on another setting is filled in."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from pydantic import SecretStr

from vmpooler_common.config.declare.field import Section
from vmpooler_common.config.document.node import Node, plain
from vmpooler_common.config.read.assembly import ReadProvider, Sections
from vmpooler_common.config.read.checks import BUILT_IN_PROVIDER
from vmpooler_common.config.read.environment import is_debugging
from vmpooler_common.config.sections.dns import DnsSection
from vmpooler_common.config.sections.drivers import settings_of_driver
from vmpooler_common.config.sections.listen import ListenSection
from vmpooler_common.config.sections.pools import PoolSection
from vmpooler_common.config.sections.providers import CommonProvider
from vmpooler_common.config.settings import (
    DnsSettings,
    ListenAddress,
    Options,
    PoolSettings,
    ProviderSettings,
    Settings,
)
from vmpooler_common.model.readiness import ReadyCheck

OPERATION_TIMEOUT = timedelta(seconds=60)
READY_CHECK_TIMEOUT = timedelta(seconds=5)
_PROVIDER_FIELDS = frozenset({"provider_class", "paused", "operation_timeout"})
_DNS_FIELDS = frozenset(DnsSection.model_fields)
_POOL_FIELDS = frozenset(PoolSettings.__slots__) | {"alias", "check_hostname_for_mismatch"}


def resolve(sections: Sections, environ: Mapping[str, str], *, default_port: int) -> Settings:
    """Return the settings. `sections` must be without mistakes; `default_port` is the service's own."""
    general = sections.general
    end = general.vm_lifetime if general.vm_lifetime > timedelta() else None
    with_token = general.vm_lifetime_auth
    port = sections.listen.port
    providers = {name: _provider(name, read, sections) for name, read in sections.providers.items()}
    if any(pool.provider == BUILT_IN_PROVIDER for _, pool in sections.pools):
        providers.setdefault(BUILT_IN_PROVIDER, _built_in())
    return Settings(
        listen=ListenAddress(
            sections.listen.host or ListenSection().host, default_port if port is None else port
        ),
        is_debugging=is_debugging(environ),
        installation=general.installation or general.site_name or "vmpooler",
        vm_lifetime=end,
        lifetime_with_token=with_token if with_token is not None and with_token > timedelta() else end,
        needs_token=sections.auth is not None,
        metrics_backend="statsd" if sections.statsd else "graphite" if sections.graphite else "prometheus",
        general=general,
        serving=sections.serving,
        vsphere_defaults=sections.vsphere_defaults,
        resilience=sections.resilience,
        upkeep=sections.upkeep,
        redis=sections.redis,
        prometheus=sections.prometheus,
        statsd=sections.statsd,
        graphite=sections.graphite,
        graphs=sections.graphs,
        tracing=sections.tracing,
        auth=sections.auth,
        limits_rates=general.rate_limiting_enabled and sections.top.rate_limiting_enabled,
        limits=sections.limits,
        rate_limits=sections.rate_limits,
        tagfilter=sections.top.tagfilter,
        dns_configs=MappingProxyType(
            {name: _dns(name, entry, sections) for name, entry in sections.dns_configs.items()}
        ),
        providers=MappingProxyType(providers),
        pools=tuple(_pool(node, pool, sections, providers) for node, pool in sections.pools),
    )


def _provider(name: str, read: ReadProvider, sections: Sections) -> ProviderSettings:
    section = read.section
    shared = sections.part_of_config(section.shared_keys)
    elsewhere = _PROVIDER_FIELDS | section.renamed_keys.keys()
    return ProviderSettings(
        name=name,
        provider_class=section.provider_class or name,
        paused=section.paused,
        operation_timeout=_operation_timeout(section, shared) or OPERATION_TIMEOUT,
        options=Options(_shared(shared, elsewhere) | _options(read.node, section, elsewhere)),
        features=section.features,
        purges=sections.general.purge_unconfigured_resources
        if section.purge_unconfigured_resources is None
        else section.purge_unconfigured_resources,
        allowed_places=frozenset(section.resources_allowlist),
        checks_names=section.checks_names
        if section.skip_dns_check_before_creating_vm is None
        else not section.skip_dns_check_before_creating_vm,
    )


def _built_in() -> ProviderSettings:
    declared = settings_of_driver(BUILT_IN_PROVIDER) or CommonProvider
    return ProviderSettings(
        BUILT_IN_PROVIDER,
        BUILT_IN_PROVIDER,
        False,
        OPERATION_TIMEOUT,
        Options(),
        declared.features,
        checks_names=declared.checks_names,
    )


def _operation_timeout(section: CommonProvider, shared: Section | None) -> timedelta | None:
    """Return the deadline of a provider's calls, under whatever name it is set; its own is the strongest."""
    names = (
        "operation_timeout",
        *(old for old, new in section.renamed_keys.items() if new == "operation_timeout"),
    )
    found = (getattr(part, name, None) for part in (section, shared) for name in names)
    return next((timeout for timeout in found if timeout is not None), None)


def _shared(shared: Section | None, without: frozenset[str]) -> dict[str, Any]:
    """Return what `config` holds for all providers of a driver, the defaults too."""
    values = {} if shared is None else {name: getattr(shared, name) for name in type(shared).model_fields}
    return {name: value for name, value in values.items() if name not in without and value is not None}


def _dns(name: str, entry: DnsSection, sections: Sections) -> DnsSettings:
    node = sections.root.find("dns_configs", name)
    options = _options(node, entry, _DNS_FIELDS) if node else {}
    return DnsSettings(name, entry.domain, entry.dns_class, entry.orphan_check_interval, Options(options))


def _pool(
    node: Node, pool: PoolSection, sections: Sections, providers: Mapping[str, ProviderSettings]
) -> PoolSettings:
    general = sections.general
    dns_entry = pool.dns_plugin or _only(sections.dns_configs)
    domain = sections.dns_configs[dns_entry].domain if dns_entry else ""
    first_delay = pool.check_loop_delay_min or general.check_loop_delay_min
    return PoolSettings(
        name=pool.name,
        aliases=tuple(alias for alias in dict.fromkeys(pool.alias) if alias != pool.name),
        alias=_alias_as_configured(node, pool),
        size=pool.size,
        provider=pool.provider,
        domain=domain,
        dns_plugin=pool.dns_plugin,
        dns_entry=dns_entry if domain else None,
        template=pool.template,
        clone_target=pool.clone_target or general.clone_target,
        timeout=pool.timeout or general.timeout,
        ready_ttl=pool.ready_ttl or general.ready_ttl,
        check_loop_delay_min=first_delay,
        check_loop_delay_max=max(first_delay, pool.check_loop_delay_max or general.check_loop_delay_max),
        check_loop_delay_decay=pool.check_loop_delay_decay or general.check_loop_delay_decay,
        paused=pool.paused or providers[pool.provider].paused,
        ready_check=pool.ready_check or _default_check(pool.provider, sections),
        ready_check_timeout=pool.ready_check_timeout or READY_CHECK_TIMEOUT,
        checks_hostname=general.check_ready_vm_hostname_for_mismatch
        if pool.check_hostname_for_mismatch is None
        else pool.check_hostname_for_mismatch,
        options=Options(_options(node, pool, _POOL_FIELDS)),
    )


def _default_check(provider: str, sections: Sections) -> ReadyCheck:
    """Return what the driver of the pool's provider declares."""
    read = sections.providers.get(provider)
    declared = settings_of_driver(BUILT_IN_PROVIDER) if read is None else type(read.section)
    return (declared or CommonProvider).ready_check


def _only(entries: Mapping[str, DnsSection]) -> str | None:
    return next(iter(entries)) if len(entries) == 1 else None


def _alias_as_configured(node: Node, pool: PoolSection) -> str | tuple[str, ...] | None:
    written = node.find("alias")
    if written is None or written.value is None:
        return None
    return pool.alias if isinstance(written.value, tuple) else pool.alias[0]


def _options(node: Node, section: Section, without: frozenset[str]) -> dict[str, Any]:
    """Return the keys that are set: known ones as they were read, others as they are written."""
    values: dict[str, Any] = {}
    for key, child in node.children.items():
        if key in without or child.value is None:
            continue
        if key in section.model_fields_set:
            value = getattr(section, key)
            values[key] = value.get_secret_value() if isinstance(value, SecretStr) else value
        elif key not in type(section).model_fields:  # else it was wrong and is ignored
            values[key] = plain(child)
    return values
