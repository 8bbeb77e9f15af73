"""Domains whose records are kept at a server."""

from datetime import timedelta
from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, mistakes, with_value

UPDATES = {
    "dns_class": "rfc2136",
    "domain": "lab.example",
    "server": "ns.lab.example",
    "key_name": "vmpooler",
    "key_secret": "c2VjcmV0",
}


def updates(**changes: Any) -> dict[str, Any]:
    """Give a document whose domain takes updates; None removes a key."""
    entry = {key: value for key, value in {**UPDATES, **changes}.items() if value is not None}
    return with_value(("dns_configs", "lab"), entry)


def test_what_a_plug_in_needs_is_read_with_its_defaults() -> None:
    loaded = load_text(updates(reverse_zones="2.0.192.in-addr.arpa", dns_class="RFC2136"))
    entry = loaded.settings.dns_configs["lab"]
    assert loaded.warnings == ()
    assert entry.orphan_check_interval == timedelta(minutes=10)
    assert dict(entry.options) == {
        "server": "ns.lab.example",
        "key_name": "vmpooler",
        "key_secret": "c2VjcmV0",
        "reverse_zones": ("2.0.192.in-addr.arpa",),
    }
    assert loaded.settings.pools[0].dns_entry == "lab"


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"server": None}, "server"),
        ({"domain": None}, "domain"),
        ({"key_name": None}, "key_name"),
        ({"key_secret": None}, "key_secret"),
        ({"key_secret": "no base64!"}, "key_secret"),
        ({"zone": "other.example"}, "zone"),
        ({"zone": "ab.example", "domain": "lab.example"}, "zone"),
        ({"reverse_zones": ["lab.example"]}, "reverse_zones[0]"),
        ({"port": 0}, "port"),
        ({"ttl": "long"}, "ttl"),
        ({"key_algorithm": "hmac-md5"}, "key_algorithm"),
        ({"orphan_check_interval": -1}, "orphan_check_interval"),
    ],
)
def test_a_mistake_is_named_with_its_place(changes: dict[str, Any], place: str) -> None:
    [problem] = mistakes(updates(**changes))
    assert problem.place == f"dns_configs.lab.{place}"
    assert "no base64!" not in str(problem)


@pytest.mark.parametrize("zone", ["lab.example", "example", "LAB.example."])
def test_a_domain_is_in_its_zone(zone: str) -> None:
    assert load_text(updates(zone=zone)).settings.dns_configs["lab"].domain == "lab.example"


def test_an_unknown_key_is_a_warning_that_names_the_nearest() -> None:
    [warning] = load_text(updates(sever="a")).warnings
    assert "server" in str(warning)


def test_checking_asks_for_the_file_of_the_key() -> None:
    [problem] = mistakes(updates(key_secret=None, key_file="/nowhere"), needs_drivers=True)
    assert problem.place == "dns_configs.lab.key_file"
    assert "/nowhere" in problem.found


def test_checking_tells_of_a_plug_in_that_is_not_installed() -> None:
    [problem] = mistakes(with_value(("dns_configs", "lab", "dns_class"), "gcp"), needs_drivers=True)
    assert problem.place == "dns_configs.lab.dns_class"
    assert "not installed (installed: dynamic-dns, rfc2136)" in problem.found
    assert load_text(with_value(("dns_configs", "lab", "dns_class"), "gcp")).warnings == ()


@pytest.mark.parametrize(
    ("provider", "checks"),
    [({}, False), ({"skip_dns_check_before_creating_vm": False}, True), ({"provider_class": "other"}, True)],
)
def test_new_names_are_looked_up_unless_the_provider_or_its_driver_says_no(
    provider: dict[str, Any], checks: bool
) -> None:
    loaded = load_text(COMPLETE | {"providers": {"dummy": provider}})
    assert loaded.settings.providers["dummy"].checks_names is checks
