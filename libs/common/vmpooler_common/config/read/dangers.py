"""Set-ups that work and are dangerous: each is a warning, at start and by `--check-config`."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from vmpooler_common.config.document.node import Node, Origin
from vmpooler_common.config.document.problems import Findings
from vmpooler_common.config.read.assembly import Sections


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
    host = sections.listen.host
    if sections.auth is None and not is_local(host):
        found = f"without the section auth everybody who reaches {host} may take, change and return all VMs"
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
        key, host, has_password, is_encrypted = "server", redis.server, redis.password is not None, False
    else:
        url = urlsplit(redis.url.get_secret_value())
        key, host = "url", url.hostname or ""
        has_password = bool(url.password)
        is_encrypted = url.scheme == "rediss"
        if url.scheme == "unix":
            return
    if is_local(host):
        return
    origin = _origin(sections, "redis", key)
    if not has_password:
        findings.warn(origin, f"Redis at {host} has no password: who reaches it may do everything")
    if not is_encrypted:
        found = f"what is said to Redis at {host} isn't encrypted: everybody on the way reads and changes it"
        findings.warn(origin, found)


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
