"""The plug-in that the conformance suite tests, and what the suite may use of its server."""

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, replace
from uuid import uuid4

from vmpooler_manager.dns.contract import DnsPlugin, RecordOwner

INSTALLATION = "conformance suite"


@dataclass(frozen=True)
class DnsSubject:
    """A plug-in under test, opened. The suite writes below `domain` only, and removes what it wrote."""

    plugin: DnsPlugin
    domain: str
    addresses_of: Callable[[str], Awaitable[Collection[str]]]
    """Asks the server, without the plug-in, for the addresses of a name; none for an unknown one."""
    occupy: Callable[[str], Awaitable[None]]
    """Has somebody else make an A record, 192.0.2.99, for a name."""
    second: DnsPlugin
    """Another client of the same server, opened."""
    addresses: tuple[str, str] = ("192.0.2.10", "192.0.2.11")
    """Two IPv4 addresses that the suite may use."""
    ipv6_address: str | None = "2001:db8::10"
    """None where the server has no AAAA records."""
    names_of: Callable[[str], Awaitable[Collection[str]]] | None = None
    """Asks the server to which names an address of `addresses` leads (PTR); None where that isn't kept."""


def new_name(subject: DnsSubject) -> str:
    """Make a name in the domain that nobody has."""
    return f"conf-{uuid4().hex[:10]}.{subject.domain}"


def new_owner() -> RecordOwner:
    """Make an owner that nobody else is."""
    return RecordOwner(INSTALLATION, "one", "a cloud", "a pool", "a vm", uuid4().hex)


def another_vm(owner: RecordOwner) -> RecordOwner:
    """Make the owner that a later VM of the same name is."""
    return replace(owner, attempt=uuid4().hex)
