"""Whom a request comes from: the peer of the connection, or whom trusted proxies say they forward for."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from starlette.types import Scope

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

UNKNOWN = "unknown"
"""Stands for a peer without an address, such as one on a Unix socket."""


class ClientAddresses:
    """Reads addresses. Only proxies in `trusted` are believed what `X-Forwarded-For` says."""

    def __init__(self, trusted: Sequence[Network]) -> None:
        self._trusted = tuple(trusted)

    def address_of(self, scope: Scope) -> str:
        """Give the client's address, or `UNKNOWN`.

        Each proxy appends the address that it was asked from, so the last one that isn't a trusted
        proxy is the client; whatever stands before it, the client may have invented.
        """
        client = scope.get("client")
        address = _parsed(client[0]) if client else None
        if address is None:
            return UNKNOWN
        if self._trusted and self._is_trusted(address):
            for forwarded in reversed(_forwarded(scope)):
                earlier = _parsed(forwarded)
                if earlier is None:
                    break
                address = earlier
                if not self._is_trusted(address):
                    break
        return str(address)

    def is_proxy(self, scope: Scope) -> bool:
        """Tell whether the request comes from a trusted proxy."""
        client = scope.get("client")
        address = _parsed(client[0]) if client else None
        return address is not None and self._is_trusted(address)

    def _is_trusted(self, address: Address) -> bool:
        return any(address in network for network in self._trusted)


def network_of(address: str) -> str:
    """Give what is counted as one client: the address, or the /64 of an IPv6 one.

    Whoever has one IPv6 address has a whole /64 of them to choose from.
    """
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return address


def _forwarded(scope: Scope) -> list[str]:
    headers = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
    return ",".join(headers).split(",") if headers else []


def _parsed(text: str) -> Address | None:
    """Read an address, with or without a port; None for anything else."""
    bare = text.strip()
    if bare.startswith("["):
        bare = bare[1:].partition("]")[0]
    elif bare.count(":") == 1:
        bare = bare.partition(":")[0]
    try:
        address = ip_address(bare)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
