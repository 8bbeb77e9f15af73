"""Settings as they may be shown: no secret among them, and all else."""

import json
from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text, with_pool, with_value
from vmpooler_common.config.declare.field import type_of
from vmpooler_common.config.sections.catalogue import settings_groups
from vmpooler_common.config.show.redaction import MASK, redacted

SECRET = "hush"
DIRECTORY = {"host": "ldap.example", "base": "dc=example", "user_object": "uid"}
ACCOUNT = {"user_dn": "cn=vmpooler", "password": SECRET}
DECLARED: dict[str, dict[str, Any]] = {
    "redis.url": with_value(("redis", "url"), f"redis://user:{SECRET}@lab:6379/0"),
    "redis.password": with_value(("redis", "password"), SECRET),
    "auth.ldap.service_account_hash.password": COMPLETE
    | {"auth": {"provider": "ldap", "ldap": DIRECTORY | {"service_account_hash": ACCOUNT}}},
    "dns_configs.*.key_secret": with_value(
        ("dns_configs", "lab"),
        {
            "dns_class": "rfc2136",
            "domain": "lab.example",
            "server": "ns.lab.example",
            "key_name": "vmpooler",
            "key_secret": SECRET,
        },
    ),
    "providers.*.password": with_value(
        ("providers", "lab"),
        {"provider_class": "vsphere", "server": "lab", "username": "me", "password": SECRET},
    ),
}
"""Every setting that is declared to be a secret, with a document that sets it."""
UNDECLARED: list[tuple[str | int, ...]] = [
    *(("providers", "plug-in", key) for key in ("password", "api_key", "authToken", "CLIENT_SECRET", "pwd")),
    ("providers", "plug-in", "deep", "credentials"),
    ("dns_configs", "lab", "account_key"),
    ("pools", 0, "root_passphrase"),
]


def shown(document: dict[str, Any]) -> str:
    return json.dumps(redacted(load_text(document).settings))


def test_every_secret_that_is_declared_is_among_these() -> None:
    secrets = {
        name
        for group in settings_groups()
        for name, field in group.settings()
        if (kind := type_of(field)) is not None and kind.secret
    }
    assert secrets == DECLARED.keys()


@pytest.mark.parametrize("name", DECLARED)
def test_a_declared_secret_is_masked(name: str) -> None:
    text = shown(DECLARED[name])
    assert SECRET not in text
    assert MASK in text


@pytest.mark.parametrize("path", UNDECLARED)
@pytest.mark.parametrize("value", [SECRET, [SECRET], {"value": [{"a": SECRET}]}])
def test_what_looks_like_a_secret_is_masked_whatever_it_holds(
    path: tuple[str | int, ...], value: Any
) -> None:
    assert SECRET not in shown(with_value(path, value))


@pytest.mark.parametrize("name", ["sig", "token", "password", "X-Amz-Signature"])
def test_secrets_in_an_address_are_masked_whatever_its_key(name: str) -> None:
    address = f"https://lab/image?{name}={SECRET}&size=2"
    assert SECRET not in shown(with_value(("pools", 0, "template"), address))
    assert SECRET not in shown(with_value(("providers", "plug-in", "endpoint"), address))


@pytest.mark.parametrize(
    "address", [f"https://me:{SECRET}@lab/", f"amqp://{SECRET}@lab", f"https://me:a/b@{SECRET}@lab"]
)
def test_credentials_in_an_address_are_masked_whatever_its_key(address: str) -> None:
    assert SECRET not in shown(with_value(("providers", "plug-in", "endpoint"), address))
    assert SECRET not in shown(with_value(("config", "site_name"), address))


def test_the_account_that_searches_the_directory_is_masked_whole() -> None:
    assert "cn=vmpooler" not in shown(DECLARED["auth.ldap.service_account_hash.password"])


def test_settings_are_shown_in_the_units_in_which_they_are_written() -> None:
    document = with_pool(timeout=7, timeout_notification=2.5) | {"config": {"vm_lifetime": 12}}
    full = redacted(load_text(document).settings)
    assert full["config"]["vm_lifetime"] == 12
    assert full["config"]["check_loop_delay_min"] == 5
    assert (full["pools"][0]["timeout"], full["pools"][0]["timeout_notification"]) == (7, 2.5)
    assert full["redis"]["data_ttl"] == 168


def test_what_is_no_secret_is_shown() -> None:
    document = with_value(("config", "backend_weight"), {"account-cluster": 3})
    document["tagfilter"] = {"token_url": "a(b)"}
    document["config"] |= {"admins": ["alice"], "trusted_proxies": ["10.0.0.0/8"], "token_ttl": 5}
    full = redacted(load_text(document).settings)
    assert full["config"]["backend_weight"] == {"account-cluster": 3}
    assert full["config"]["admins"] == ["alice"]
    assert full["config"]["trusted_proxies"] == ["10.0.0.0/8"]
    assert full["config"]["token_ttl"] == 5
    assert full["tagfilter"] == {"token_url": "a(b)"}
    assert full["pools"][0]["template"] == "templates/linux"


def test_a_text_that_can_not_be_written_is_shown_as_well_as_it_can() -> None:
    json.dumps(redacted(load_text(with_value(("providers", "plug-in", "a"), "\ud800")).settings)).encode()
