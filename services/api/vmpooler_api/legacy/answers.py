"""What v1 says otherwise than v3: short names, and their domain once beside them.

Clients of v1 append a member `domain` to every name of the same answer, and take names as they are where
there is none. So it is given only where all VMs of an answer have the same one.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from vmpooler_common.config import PoolSettings

Answer = dict[str, Any]
Revision = Callable[[Answer], Answer]
"""Turns the answer of v3, which isn't changed, into that of v1."""

DOMAIN = "domain"


class RevisionsOfV1:
    """Knows which answers are otherwise in v1. `pools` are those that VMs may come from."""

    def __init__(self, pools: Iterable[PoolSettings]) -> None:
        # Nobody knows yet what a new request will be met with.
        domain = _common(pool.domain for pool in pools)
        self._opened: Revision | None = partial(with_domain, domain=domain) if domain else None

    def of(self, method: str, path: str) -> Revision | None:
        """Give the revision of a successful answer; `path` is what follows `/api/v1`. None: as in v3."""
        match method, path.split("/")[1:]:
            case ("POST", ["vm"] | ["vm", _]) | ("GET", ["ondemandvm", _]):
                return with_short_names
            case ("POST", ["ondemandvm"] | ["ondemandvm", _]):
                return self._opened
            case ("GET", ["vm", _]):
                return with_domains_of_vms
        return None


def with_short_names(answer: Answer) -> Answer:
    """Cut the domain off the host names of all members, and append it; unless they have several, or none."""
    domain = _common(_domain(hostname) for value in answer.values() for hostname in _hostnames(value))
    if not domain:
        return answer
    revised = {
        name: {**value, "hostname": _cut(value["hostname"])} if _hostnames(value) else value
        for name, value in answer.items()
    }
    return with_domain(revised, domain)


def with_domain(answer: Answer, domain: str) -> Answer:
    """Append the domain."""
    return {**answer, DOMAIN: domain}


def with_domains_of_vms(answer: Answer) -> Answer:
    """Tell each VM's domain behind its address, and no full name. There are clients that die without one."""
    return {
        name: _with_domain_of_vm(value) if isinstance(value, dict) else value
        for name, value in answer.items()
    }


def _with_domain_of_vm(vm: dict[str, Any]) -> dict[str, Any]:
    revised: dict[str, Any] = {}
    for name, value in vm.items():
        if name != "fqdn":
            revised[name] = value
        if name == "ip":
            revised[DOMAIN] = _domain(vm.get("fqdn", ""))
    return revised


def _hostnames(value: Any) -> list[str]:
    """Give the host names of one member of an answer; none of a member that isn't about VMs."""
    hostnames = value.get("hostname") if isinstance(value, dict) else None
    if hostnames is None:
        return []
    return hostnames if isinstance(hostnames, list) else [hostnames]


def _cut(hostname: str | list[str]) -> str | list[str]:
    if isinstance(hostname, list):
        return [name.partition(".")[0] for name in hostname]
    return hostname.partition(".")[0]


def _domain(hostname: str) -> str:
    return hostname.partition(".")[2]


def _common(domains: Iterable[str]) -> str:
    """Give the domain that all have; empty when they differ, and when there are none."""
    found = set(domains)
    return found.pop() if len(found) == 1 else ""
