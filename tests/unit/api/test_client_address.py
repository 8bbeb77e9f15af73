"""Who a client is: only trusted proxies are believed, and only about whom they were asked by."""

from ipaddress import ip_network
from typing import Any

import pytest

from vmpooler_api.web.client_address import ClientAddresses, network_of

TRUSTED = ("10.0.0.0/8", "2001:db8:1::/48")


def address(peer: str | None, *forwarded: str, trusted: tuple[str, ...] = TRUSTED) -> str:
    scope: dict[str, Any] = {
        "client": peer and (peer, 40000),
        "headers": [(b"host", b"api"), *((b"x-forwarded-for", each.encode()) for each in forwarded)],
    }
    return ClientAddresses([ip_network(each) for each in trusted]).address_of(scope)


def test_without_a_proxy_it_is_the_peer() -> None:
    assert address("192.0.2.1") == "192.0.2.1"


def test_a_peer_that_is_no_trusted_proxy_is_not_believed() -> None:
    assert address("192.0.2.1", "198.51.100.1") == "192.0.2.1"


def test_nobody_is_believed_by_default() -> None:
    assert address("127.0.0.1", "198.51.100.1", trusted=()) == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "client"),
    [
        (["198.51.100.1"], "198.51.100.1"),
        (["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        (["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        (["203.0.113.9", "198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        (["203.0.113.9, nonsense, 10.0.0.2"], "10.0.0.2"),
        (["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        (["198.51.100.1:5678"], "198.51.100.1"),
        (["[2001:db8:2::1]:5678"], "2001:db8:2::1"),
        (["2001:db8:2::1, 2001:db8:1::7"], "2001:db8:2::1"),
        (["::ffff:198.51.100.1"], "198.51.100.1"),
        ([""], "10.0.0.1"),
        ([], "10.0.0.1"),
    ],
)
def test_it_is_the_last_address_that_is_no_trusted_proxy(forwarded: list[str], client: str) -> None:
    assert address("10.0.0.1", *forwarded) == client


@pytest.mark.parametrize("peer", [None, "", "/run/api.sock", "testclient"])
def test_a_peer_without_an_address_is_unknown(peer: str | None) -> None:
    assert address(peer, "198.51.100.1") == "unknown"


@pytest.mark.parametrize(
    ("client", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:2:3:4:5:6:7", "2001:db8:2:3::/64"),
        ("2001:db8:2:3::9", "2001:db8:2:3::/64"),
        ("unknown", "unknown"),
    ],
)
def test_addresses_of_one_ipv6_network_are_one_client(client: str, counted: str) -> None:
    assert network_of(client) == counted
