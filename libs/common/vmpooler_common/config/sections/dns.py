"""Entries of `dns_configs`: the keys of every domain, and those of the plug-in for dynamic updates.

Plug-ins of others declare their keys themselves: see `drivers`.
"""

from base64 import b64decode
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, SecretStr

from vmpooler_common.config.declare.addresses import host_name
from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import choice, duration, secret, split_list, text, whole

DYNAMIC_DNS = "dynamic-dns"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_LONGEST_TTL = 2**31 - 1


def is_base64(text: str) -> bool:
    """Whether a text can be a key in base64."""
    try:
        return bool(b64decode(text, validate=True))
    except ValueError:
        return False


class DnsSection(Section):
    """Keys of every domain, whatever its class. A plug-in's own settings are a subclass."""

    domain: Annotated[
        str,
        text(
            "a DNS domain such as example.com, of at most 189 characters",
            pattern=rf"(?=.{{1,189}}$){_LABEL}(\.{_LABEL})*",
        ),
        Setting("Domain of its pools' VMs", in_effect=True, default="none: short names"),
    ] = ""
    dns_class: Annotated[
        str,
        text(),
        Setting(
            "Plug-in that keeps the records; with dynamic-dns somebody else does, such as a DHCP server",
            in_effect=True,
        ),
    ] = DYNAMIC_DNS
    orphan_check_interval: Annotated[
        timedelta,
        duration("minutes", minimum=0),
        Setting("Time between two looks for records of ours whose VM is gone; 0: never", in_effect=True),
    ] = timedelta(minutes=10)


class Rfc2136Section(DnsSection):
    """A domain whose server takes signed dynamic updates (RFC 2136), such as BIND or Knot."""

    server: Annotated[
        str | None,
        host_name(),
        Setting("The zone's primary server, by name or address", in_effect=True, default="required"),
    ] = None
    port: Annotated[int, whole(minimum=1, maximum=65535), Setting("Its port", in_effect=True)] = 53
    zone: Annotated[
        str | None,
        text("a zone such as example.com", pattern=rf"{_LABEL}(\.{_LABEL})*\.?"),
        Setting("Zone that the domain is in", in_effect=True, default="the domain"),
    ] = None
    reverse_zones: Annotated[
        tuple[
            Annotated[str, text("a zone such as 2.0.192.in-addr.arpa", pattern=r"[0-9A-Za-z./_-]+\.arpa\.?")],
            ...,
        ],
        BeforeValidator(split_list),
        Setting(
            "Zones that get a PTR record for each address in them", in_effect=True, type_name="list of text"
        ),
    ] = ()
    ttl: Annotated[
        int,
        whole(minimum=0, maximum=_LONGEST_TTL),
        Setting("How long others may keep the records", in_effect=True, unit="seconds"),
    ] = 60
    key_name: Annotated[
        str | None, text(), Setting("Name of the TSIG key", in_effect=True, default="required")
    ] = None
    key_secret: Annotated[
        SecretStr | None,
        secret(),
        Setting("The key itself, in base64", in_effect=True, default="the one in key_file"),
    ] = None
    key_file: Annotated[
        str | None,
        text(),
        Setting(
            "File that holds the key and nothing else, in base64, or as tsig-keygen writes it", in_effect=True
        ),
    ] = None
    key_algorithm: Annotated[
        str,
        choice("hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512"),
        Setting("The key's algorithm", in_effect=True),
    ] = "hmac-sha256"
    timeout: Annotated[
        timedelta, duration("seconds", above=0), Setting("Longest time for one exchange", in_effect=True)
    ] = timedelta(seconds=5)
