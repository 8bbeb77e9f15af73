"""Set-ups that work and are dangerous: each is a warning, at start and by `--check-config`."""

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from vmpooler_common.config.document.node import Node, Origin
from vmpooler_common.config.document.problems import Findings
from vmpooler_common.config.read.assembly import Sections
from vmpooler_common.config.sections.limits import AddressLimits


def warn_of_dangers(sections: Sections, findings: Findings, *, serves_users: bool) -> None:
    """Warn of everything that lets in, or tells, more people than was perhaps meant.

    `serves_users` is whether it is the API that is to listen: the manager only shows its health and metrics.
    """
    if serves_users:
        _warn_of_no_users(sections, findings)
    _warn_of_pool_changes(sections, findings)
    _warn_of_redis(sections, findings)
    auth, general = sections.auth, sections.general
    if auth is not None and auth.provider == "dummy":
        found = "dummy takes everybody whose name and password differ, as whoever they say they are"
        findings.warn(_origin(sections, "auth", "provider"), found)
    if any(network.prefixlen == 0 for network in general.trusted_proxies):
        found = "everybody is trusted, so every client may say that it has another's address"
        findings.warn(_origin(sections, "config", "trusted_proxies"), found)
    if auth is not None and not general.enforce_ownership:
        found = "with false every user may return and change everybody's VMs"
        findings.warn(_origin(sections, "config", "enforce_ownership"), found)


def _warn_of_no_users(sections: Sections, findings: Findings) -> None:
    reached = [host for host in sections.listen.host if not is_local(host)]
    if sections.auth is None and reached:
        found = f"without the section auth everybody who reaches {reached[0]} may take and return all VMs"
        if not any(getattr(sections.limits.by_address, name) for name in AddressLimits.model_fields):
            found += "; limits.by_address, and trusted_proxies behind proxies, keep one from taking all"
        findings.warn(_origin(sections, "listen", "host"), found)


def _warn_of_pool_changes(sections: Sections, findings: Findings) -> None:
    general = sections.general
    if sections.auth is None or not general.experimental_features:
        return
    if general.pool_changes == "any":
        found = "with any every user may change, empty and refill all pools"
        findings.warn(_origin(sections, "config", "pool_changes"), found)
    elif not general.admins:
        found = "there are none, so nobody may change pools, unless config.pool_changes is any"
        findings.warn(_origin(sections, "config", "admins"), found)


def _warn_of_redis(sections: Sections, findings: Findings) -> None:
    redis = sections.redis
    if redis.url is None:
        key, host, has_password, is_encrypted = "server", redis.server, redis.password is not None, redis.tls
    else:
        url = urlsplit(redis.url.get_secret_value())
        key, host = "url", url.hostname or ""
        has_password = bool(url.password)
        is_encrypted = url.scheme == "rediss"
        options = parse_qs(url.query)
        has_password = has_password or "password" in options
        if url.scheme == "unix":
            return
        if "none" in options.get("ssl_cert_reqs", ()) or _is_off(options.get("ssl_check_hostname", ())):
            found = "whose certificate it is isn't checked: anybody in between reads and changes what is said"
            findings.warn(_origin(sections, "redis", "url"), found)
    if is_local(host):
        return
    origin = _origin(sections, "redis", key)
    if not has_password:
        findings.warn(origin, f"Redis at {host} has no password: who reaches it may do everything")
    if not is_encrypted:
        found = f"what is said to Redis at {host} isn't encrypted: everybody on the way reads and changes it"
        findings.warn(origin, found)


def _is_off(values: Iterable[str]) -> bool:
    return any(value.lower() in {"0", "f", "false", "n", "no"} for value in values)


def is_local(host: str) -> bool:
    """Tell whether only this machine is reached under this name or address."""
    name = host.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _origin(sections: Sections, section: str, key: str) -> Origin:
    node: Node | None = sections.root.find(section, key)
    if node is not None:
        return node.origin
    above = sections.root.find(section) or sections.root
    place = above.origin if sections.root.find(section) else above.origin.key(section)
    return place.key(key, line=above.origin.line)
