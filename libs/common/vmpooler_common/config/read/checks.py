"""What no single value shows: names that must exist, parts that must fit together."""

from collections.abc import Mapping
from pathlib import Path

from vmpooler_common.config.document.node import Node, Origin
from vmpooler_common.config.document.problems import Findings
from vmpooler_common.config.read.assembly import Sections
from vmpooler_common.config.read.environment import DEBUG, is_debugging, source_of
from vmpooler_common.config.sections.access import LdapSection
from vmpooler_common.config.sections.dns import Rfc2136Section, is_base64
from vmpooler_common.config.sections.pools import PoolSection

BUILT_IN_PROVIDER = "dummy"
"""A provider that needs no entry in `providers`; a pool has to name it all the same."""

_LONGEST_LOGIN = 7
"""Seconds. The API gives requests so long to end when it stops."""
_NO_END = "with 0 or less a VM that was handed out is never taken back"


def check(sections: Sections, environ: Mapping[str, str], findings: Findings) -> None:
    """Note every mistake and doubt between the sections."""
    _check_domain(sections, environ, findings)
    _check_auth(sections, environ, findings)
    _check_metrics(sections, findings)
    _check_redis(sections, findings)
    _check_lifetimes(sections, findings)
    _check_dns(sections, findings)
    _check_pools(sections, findings)
    _check_pool_dns(sections, findings)


def _check_domain(sections: Sections, environ: Mapping[str, str], findings: Findings) -> None:
    instead = (
        "no such key: give an entry of dns_configs the domain, and name the entry in the pools' dns_plugin"
    )
    node = sections.root.find("config", "domain")
    if node is not None:
        findings.error(node.origin, "the key was removed in version 3", instead)
    if "DOMAIN" in environ:
        findings.error(Origin(source_of("DOMAIN"), "config.domain"), "the variable was removed", instead)


def _check_auth(sections: Sections, environ: Mapping[str, str], findings: Findings) -> None:
    node = sections.root.find("auth")
    if node is None:
        return
    provider = node.find("provider")
    if provider is None or provider.value is None:
        if node.value is None or isinstance(node.value, dict):
            findings.error(
                node.origin.key("provider", line=node.origin.line),
                "missing, so nobody could log in",
                "dummy or ldap, or no section auth",
            )
    elif sections.auth is not None and sections.auth.provider == "dummy" and not is_debugging(environ):
        findings.error(
            provider.origin,
            f"dummy lets everybody in, and {DEBUG} is not set",
            f"ldap, or {DEBUG}=1 for a trial",
        )
    elif sections.auth is not None and sections.auth.provider == "ldap":
        _check_directory(node, sections.auth.ldap or LdapSection(), findings)


def _check_directory(auth: Node, directory: LdapSection, findings: Findings) -> None:
    node = auth.find("ldap")
    place = Origin(auth.origin.source, "auth.ldap", (node or auth).origin.line)
    for key, expected in (
        ("host", "the directory's host"),
        ("base", "the entry below which users are, or several"),
        ("user_object", "the attribute that holds the user's name, such as uid, or several"),
    ):
        if not _is_set(auth.find("ldap", key)):
            findings.error(place.key(key, line=place.line), "missing, so nobody could log in", expected)
    account = directory.service_account_hash
    if account is not None and (account.user_dn is None or account.password is None):
        findings.error(place.key("service_account_hash"), "incomplete", "both user_dn and password")
    if (directory.connect_timeout + directory.receive_timeout).total_seconds() > _LONGEST_LOGIN:
        found = (
            f"with connect_timeout more than {_LONGEST_LOGIN} s, for which a stop of the API may have to wait"
        )
        findings.warn(place.key("receive_timeout"), found)
    encryption = directory.encryption
    if encryption.method == "none":
        found = "not encrypted: everybody on the way to the directory reads the users' passwords"
        findings.warn(place.key("encryption").key("method"), found)
    elif not encryption.tls_options.verifies:
        found = "the certificate isn't checked: anybody in between reads the users' passwords"
        findings.warn(place.key("encryption").key("tls_options").key("verify_mode"), found)


def _check_metrics(sections: Sections, findings: Findings) -> None:
    chosen = [name for name in ("statsd", "graphite", "prometheus") if _is_set(sections.root.find(name))]
    for name in chosen[1:]:
        node = sections.root.find(name)
        if node is not None:
            findings.warn(
                node.origin, f"{chosen[0]} is stronger; the Prometheus endpoint exists all the same"
            )
    for name in ("statsd", "graphite"):
        node = sections.root.find(name)
        if node is not None and isinstance(node.value, dict) and not _is_set(node.find("server")):
            expected = "a host; empty for none"
            findings.error(node.origin.key("server", line=node.origin.line), "missing", expected)


def _check_redis(sections: Sections, findings: Findings) -> None:
    node = sections.root.find("redis")
    authorities = node.find("tls_ca_file") if node else None
    if authorities is not None and sections.redis.tls_ca_file is not None:
        if not Path(sections.redis.tls_ca_file).is_file():
            findings.error(authorities.origin, f"found {authorities.describe()}", "a file that exists")
        elif not sections.redis.tls and sections.redis.url is None:
            findings.warn(authorities.origin, "no effect without redis.tls: nothing is encrypted")
    url = node.find("url") if node else None
    if node is None or not _is_set(url) or url is None or url.origin.source == source_of("REDIS_URL"):
        return
    for key in ("server", "port", "username", "password", "tls", "tls_ca_file"):
        beaten = node.find(key)
        if beaten is not None and beaten.value is not None:
            findings.warn(beaten.origin, "ignored beside redis.url")


def _check_lifetimes(sections: Sections, findings: Findings) -> None:
    general = sections.general
    node = sections.root.find("config", "vm_lifetime")
    if node is not None and general.vm_lifetime.total_seconds() <= 0:
        findings.warn(node.origin, _NO_END)
    node = sections.root.find("config", "vm_lifetime_auth")
    if (
        node is not None
        and general.vm_lifetime_auth is not None
        and general.vm_lifetime_auth.total_seconds() <= 0
    ):
        findings.warn(node.origin, "with 0 or less a token changes nothing: vm_lifetime counts")
    node = sections.root.find("config", "check_loop_delay_max")
    if node is not None and general.check_loop_delay_max < general.check_loop_delay_min:
        findings.warn(node.origin, "below check_loop_delay_min, so the same is taken for it")


def _check_dns(sections: Sections, findings: Findings) -> None:
    for name, entry in sections.dns_configs.items():
        node = sections.root.find("dns_configs", name)
        if node is None:
            continue
        if isinstance(entry, Rfc2136Section):
            _check_updates(node, entry, findings)
        elif not entry.domain and not _is_set(node.find("domain")):
            findings.warn(node.origin, "no domain, so its pools' VMs have short names")


def _check_updates(node: Node, entry: Rfc2136Section, findings: Findings) -> None:
    """Note what dynamic updates lack."""
    for key, expected in (
        ("domain", "the domain of its pools' VMs"),
        ("server", "the zone's primary server"),
        ("key_name", "the name of the TSIG key that may change the zone"),
    ):
        if not _is_set(node.find(key)):
            findings.error(node.origin.key(key, line=node.origin.line), "missing", expected)
    if not _is_set(node.find("key_secret")) and not _is_set(node.find("key_file")):
        missing = node.origin.key("key_secret", line=node.origin.line)
        findings.error(missing, "missing", "the TSIG key in base64, or key_file, a file that holds it")
    if entry.key_secret is not None and not is_base64(entry.key_secret.get_secret_value()):
        findings.error(_origin(node, "key_secret"), "no base64", "the TSIG key in base64")
    if entry.zone and not f".{entry.domain}".lower().endswith(f".{entry.zone}".lower().rstrip(".")):
        expected = f"a zone that holds the domain {entry.domain}"
        findings.error(_origin(node, "zone"), f"found {entry.zone!r}", expected)


def _check_pools(sections: Sections, findings: Findings) -> None:
    is_unread = any(not problem.place for problem in findings.problems)  # a whole document
    if not sections.pools and not is_unread and not _is_set(sections.root.find("pools")):
        findings.warn(
            sections.root.origin.key("pools"), "no pools are configured, so there are no VMs to hand out"
        )
    first: dict[str, Origin] = {}
    for node, pool in sections.pools:
        for key in ("name", "size", "template"):
            if not _is_set(node.find(key)) and (node.value is None or isinstance(node.value, dict)):
                findings.error(node.origin.key(key, line=node.origin.line), "missing", f"the pool's {key}")
        if pool.name in first:
            other = first[pool.name]
            where = f"{other.place} in line {other.line}" if other.line else other.place
            findings.error(
                _origin(node, "name"), f"{pool.name!r} is the name of {where}, too", "another name"
            )
        elif pool.name:
            first[pool.name] = node.origin
        _check_pool_provider(sections, node, pool, findings)
        _check_pool_delays(sections, node, pool, findings)


def _check_pool_provider(sections: Sections, node: Node, pool: PoolSection, findings: Findings) -> None:
    if pool.provider in sections.providers or pool.provider == BUILT_IN_PROVIDER:
        return
    if pool.provider:
        found = f"{pool.provider!r} is not defined"
    elif _is_set(node.find("provider")) or not isinstance(node.value, dict):
        return  # what is there has been found wrong
    elif sections.providers:
        found = "missing, and there are several providers"
    else:
        found = (
            f"missing, and there are no providers ({BUILT_IN_PROVIDER}: VMs that don't exist, for a trial)"
        )
    expected = _one_of(sections.providers, "an entry of providers", also=BUILT_IN_PROVIDER)
    findings.error(_origin(node, "provider"), found, expected)


def _check_pool_dns(sections: Sections, findings: Findings) -> None:
    without: list[Node] = []
    for node, _ in sections.pools:
        plugin = node.find("dns_plugin")
        if plugin is None or plugin.value is None:
            without.append(node)
        elif isinstance(plugin.value, str | int) and str(plugin.value) not in sections.dns_configs:
            expected = _one_of(sections.dns_configs, "an entry of dns_configs")
            findings.error(plugin.origin, f"{plugin.describe()} is not defined", expected)
    if without:
        entries = list(sections.dns_configs)
        taken = f"the only entry, {entries[0]}, is taken" if len(entries) == 1 else "VMs have short names"
        first, others = without[0].origin, len(without) - 1
        also = f", nor by {others} other {'pool' if others == 1 else 'pools'}" if others else ""
        findings.warn(first.key("dns_plugin", line=first.line), f"not given{also}: {taken}")


def _check_pool_delays(sections: Sections, node: Node, pool: PoolSection, findings: Findings) -> None:
    longest, first = pool.check_loop_delay_max, pool.check_loop_delay_min
    own = node.find("check_loop_delay_max") or node.find("check_loop_delay_min")
    if own is None:
        return
    if (longest or sections.general.check_loop_delay_max) < (first or sections.general.check_loop_delay_min):
        findings.warn(
            own.origin, "check_loop_delay_max is below check_loop_delay_min, which is taken for both"
        )


def _is_set(node: Node | None) -> bool:
    return node is not None and node.value is not None


def _origin(node: Node, key: str) -> Origin:
    child = node.find(key)
    return child.origin if child else node.origin.key(key, line=node.origin.line)


def _one_of(names: Mapping[str, object], what: str, *, also: str | None = None) -> str:
    known = sorted({*names, *((also,) if also else ())})
    return f"{what}: {', '.join(known)}" if known else f"{what} (there is none)"
