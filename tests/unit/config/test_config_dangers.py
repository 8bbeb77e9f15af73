"""Warnings of set-ups that let in, or tell, more people than was perhaps meant."""

from typing import Any

import pytest

from tests.unit.config.documents import COMPLETE, load_text
from vmpooler_common.config import Service

DEBUG = {"VMPOOLER_DEBUG": "1"}
DUMMY = {"auth": {"provider": "dummy"}}
LDAP = {"auth": {"provider": "ldap", "ldap": {"host": "ldap", "base": "dc=lab", "user_object": "uid"}}}
CHANGES = {"experimental_features": True}


def warned(sections: dict[str, Any], environ: dict[str, str], *, service: Service = "api") -> list[str]:
    """Give the warnings as their places and the beginnings of their texts."""
    loaded = load_text(COMPLETE | sections, environ, service=service)
    return [f"{warning.place}: {warning.found}"[:40] for warning in loaded.warnings]


@pytest.mark.parametrize(
    ("sections", "environ", "beginning"),
    [
        (DUMMY, DEBUG, "auth.provider: dummy takes everybody"),
        ({"redis": {"server": "redis.lab"}}, {}, "redis.server: Redis at redis.lab has no"),
        ({"redis": {"server": "redis.lab", "password": "x"}}, {}, "redis.server: what is said to Redis"),
        ({"redis": {"url": "redis://:x@10.0.0.7"}}, {}, "redis.url: what is said to Redis"),
        ({"redis": {"url": "rediss://10.0.0.7"}}, {}, "redis.url: Redis at 10.0.0.7 has no"),
        ({"redis": {"url": "rediss://:x@lab?ssl_cert_reqs=none"}}, {}, "redis.url: whose certificate"),
        ({"redis": {"url": "rediss://:x@lab?ssl_check_hostname=No"}}, {}, "redis.url: whose certificate"),
        ({"redis": {"tls_ca_file": __file__}}, {}, "redis.tls_ca_file: no effect without"),
        ({"config": {"trusted_proxies": "10.0.0.0/8, 0.0.0.0/0"}}, {}, "config.trusted_proxies: everybody"),
        ({"config": {"trusted_proxies": ["::/0"]}}, {}, "config.trusted_proxies: everybody"),
        (LDAP | {"config": {"enforce_ownership": False}}, {}, "config.enforce_ownership: with false"),
        (LDAP | {"config": CHANGES}, {}, "config.admins: there are none, so nobody"),
        (LDAP | {"config": CHANGES | {"pool_changes": "any"}}, {}, "config.pool_changes: with any every"),
        ({}, {"VMPOOLER_HOST": "10.0.0.9"}, "listen.host: without the section auth"),
        ({}, {"VMPOOLER_HOST": "localhost, 10.0.0.9"}, "listen.host: without the section auth"),
        ({}, {"VMPOOLER_HOST": "::"}, "listen.host: without the section auth"),
        ({}, {"VMPOOLER_HOST": "vm.lab"}, "listen.host: without the section auth"),
    ],
)
def test_a_dangerous_set_up_is_a_warning(
    sections: dict[str, Any], environ: dict[str, str], beginning: str
) -> None:
    told = warned(sections, environ)
    assert [text.startswith(beginning) for text in told].count(True) == 1, told


@pytest.mark.parametrize(
    ("sections", "environ", "service"),
    [
        ({}, {"VMPOOLER_HOST": "localhost"}, "api"),
        ({}, {"VMPOOLER_HOST": "::1"}, "api"),
        ({}, {"VMPOOLER_HOST": "10.0.0.9"}, "manager"),
        (LDAP, {"VMPOOLER_HOST": "10.0.0.9"}, "api"),
        ({"redis": {"url": "unix:///run/redis.sock"}}, {}, "api"),
        ({"redis": {"url": "rediss://:x@redis.lab"}}, {}, "api"),
        ({"redis": {"server": "redis.lab", "password": "x", "tls": True}}, {}, "api"),
        ({"redis": {"server": "127.0.0.1"}}, {}, "manager"),
        (LDAP | {"config": CHANGES | {"admins": ["root"]}}, {}, "api"),
        ({"config": CHANGES | {"enforce_ownership": False}}, {}, "api"),
    ],
)
def test_other_set_ups_are_not(sections: dict[str, Any], environ: dict[str, str], service: Service) -> None:
    assert warned(sections, environ, service=service) == []
