"""The sockets that a service's web server listens on: one for each address of each host that it is given."""

import errno
import socket
from collections.abc import Iterator, Sequence
from contextlib import suppress

ALL_IPV6, ALL_IPV4 = "::", "0.0.0.0"  # noqa: S104 - recognised, not bound
_LACKING = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""What says that this machine has no such address."""


def bind(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """Bind all addresses of `hosts`; with port 0 the first one's free port goes for all. Raises OSError.

    `::` takes connections of both families, unless 0.0.0.0 is given, too. Of a name with several addresses
    those that this machine lacks are left out.
    """
    bound: list[socket.socket] = []
    try:
        for host in dict.fromkeys(hosts):
            bound.extend(_bound_at(host, port or _port_of(bound), both=ALL_IPV4 not in hosts))
    except OSError:
        for listener in bound:
            listener.close()
        raise
    return bound


def url_of(listener: socket.socket) -> str:
    """Give the address under which a bound socket is reached."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _port_of(bound: Sequence[socket.socket]) -> int:
    return int(bound[0].getsockname()[1]) if bound else 0


def _bound_at(host: str, port: int, *, both: bool) -> Iterator[socket.socket]:
    """Bind each address of a host. `both`: the one of all IPv6 addresses takes IPv4 connections, too."""
    lacking: OSError | None = None
    is_bound = False
    for family, address in _addresses(host):
        try:
            listener = _bound(family, address, port, serves_both_families=both and host == ALL_IPV6)
        except OSError as error:
            told = OSError(error.errno, f"{str(error.strerror).lower()}: {host}, port {port}")
            if error.errno not in _LACKING:
                raise told from error
            lacking = told
        else:
            is_bound = True
            port = port or _port_of([listener])
            yield listener
    if lacking is not None and not is_bound:
        raise lacking


def _addresses(host: str) -> list[tuple[socket.AddressFamily, str]]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    return list(dict.fromkeys((family, str(address[0])) for family, _, _, _, address in found))


def _bound(
    family: socket.AddressFamily, address: str, port: int, *, serves_both_families: bool
) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            with suppress(OSError):  # a system without the choice serves what it serves
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not serves_both_families))
        listener.bind((address, port))
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener
