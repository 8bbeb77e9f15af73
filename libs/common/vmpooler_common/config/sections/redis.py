"""The section `redis`: where the shared state is and how patiently it is asked."""

import json
import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import SecretStr

from vmpooler_common.config.declare.addresses import host_name
from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import (
    SettingType,
    Wrong,
    as_number,
    as_text,
    duration,
    flag,
    secret,
    text,
    whole,
)

_NUMBERED_DATABASE = re.compile(r"/?|/[0-9]{1,9}/?")
_HASH_TAG = re.compile(r"\{[^{}\s]+\}[^{}\s]*")


_OPTIONS = frozenset({"db", "username", "password", "client_name", "socket_keepalive"})
_TLS_OPTIONS = frozenset(
    {
        "ssl_cert_reqs",
        "ssl_check_hostname",
        "ssl_ca_certs",
        "ssl_ca_path",
        "ssl_certfile",
        "ssl_keyfile",
        "ssl_password",
        "ssl_ciphers",
    }
)
"""What may stand after the `?` of an address: of the Redis library's options those that leave alone what
other settings say, and what the store relies on."""
_VERIFYING = frozenset({"none", "optional", "required"})
_NO_DATABASE = "a whole number for the database, such as redis://host:6379/0"


def _address(value: object) -> SecretStr:
    address = as_text(value).strip()
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise Wrong from None
    named = parts.path if parts.scheme == "unix" else parts.hostname
    if parts.scheme not in {"redis", "rediss", "unix"} or not named or port == 0 or not address.isprintable():
        raise Wrong
    # The Redis library takes a database that is no number for the database 0.
    if parts.scheme != "unix" and not _NUMBERED_DATABASE.fullmatch(parts.path):
        raise Wrong(_NO_DATABASE)
    options = parse_qs(parts.query, keep_blank_values=True)
    if not all(number.isdecimal() and number.isascii() for number in options.get("db", [])):
        raise Wrong(_NO_DATABASE)
    known = _OPTIONS | _TLS_OPTIONS if parts.scheme == "rediss" else _OPTIONS
    if not options.keys() <= known:
        asked = ", ".join(sorted(known))
        raise Wrong(
            f"after the ? only {asked}" + ("" if known > _OPTIONS else "; with rediss:// those of TLS")
        )
    if not _VERIFYING.issuperset(options.get("ssl_cert_reqs", [])):
        raise Wrong("ssl_cert_reqs=required, optional or none")
    return SecretStr(address)


def _pauses(value: object) -> int | tuple[timedelta, ...]:
    """Read a number of attempts, or the pauses before them; a text holds either as JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise Wrong from None
    if isinstance(value, list):
        pauses = [as_number(pause) for pause in value]
        if not all(0 <= pause <= 3600 for pause in pauses):
            raise Wrong
        return tuple(timedelta(seconds=pause) for pause in pauses)
    attempts = as_number(value)
    if not isinstance(attempts, int) or not 0 <= attempts <= 1_000_000:
        raise Wrong
    return attempts


ADDRESS = SettingType(
    "secret text",
    "an address such as redis://user:password@host:6379/0, rediss://… (with TLS) or unix:///path",
    _address,
    secret=True,
)
PAUSES = SettingType(
    "number | list of numbers",
    "a whole number of attempts, or a list of pauses in seconds (up to 3600) before each attempt",
    _pauses,
)


class RedisSection(Section):
    """Where Redis (or Valkey) is, and the limits of connections to it."""

    url: Annotated[
        SecretStr | None,
        ADDRESS,
        Setting(
            "Address of Redis, in place of the six keys below (redis://, rediss:// or unix://)",
            environment=("REDIS_URL",),
            in_effect=True,
        ),
    ] = None
    server: Annotated[
        str, host_name(), Setting("Host of Redis", environment=("REDIS_SERVER",), in_effect=True)
    ] = "localhost"
    port: Annotated[
        int,
        whole(minimum=1, maximum=65535),
        Setting("Port of Redis", environment=("REDIS_PORT",), in_effect=True),
    ] = 6379
    username: Annotated[str | None, text(), Setting("User name for Redis", in_effect=True)] = None
    password: Annotated[
        SecretStr | None,
        secret(),
        Setting("Password for Redis", environment=("REDIS_PASSWORD",), in_effect=True),
    ] = None
    tls: Annotated[
        bool,
        flag(),
        Setting("Encrypt what is said to Redis, and check its certificate", ("REDIS_TLS",), in_effect=True),
    ] = False
    tls_ca_file: Annotated[
        str | None,
        text(),
        Setting(
            "File of the authorities that may have signed that certificate",
            environment=("REDIS_TLS_CA_FILE",),
            in_effect=True,
            default="those of the system",
        ),
    ] = None
    prefix: Annotated[
        str,
        text(
            "a hash tag such as {vmpooler}: in braces, so that all keys of the installation stay together "
            "on one Redis node",
            pattern=_HASH_TAG.pattern,
        ),
        Setting("Beginning of every key; installations that share a Redis differ in it", in_effect=True),
    ] = "{vmpooler}"
    data_ttl: Annotated[
        timedelta,
        duration("hours", above=0),
        Setting("What is known of a destroyed VM is kept for this time", ("REDIS_DATA_TTL",), in_effect=True),
    ] = timedelta(hours=168)
    connection_pool_size: Annotated[
        int,
        whole(minimum=1),
        Setting(
            "Connections of one process",
            environment=("REDIS_CONNECTION_POOL_SIZE",),
            in_effect=True,
            unit="connections",
        ),
    ] = 10
    connection_pool_timeout: Annotated[
        timedelta,
        duration("seconds", above=0),
        Setting(
            "Longest wait for a free connection",
            environment=("REDIS_CONNECTION_POOL_TIMEOUT",),
            in_effect=True,
        ),
    ] = timedelta(seconds=5)
    reconnect_attempts: Annotated[
        int | tuple[timedelta, ...],
        PAUSES,
        Setting(
            "New attempts at start and in the background: their number, or the pause before each in seconds",
            environment=("REDIS_RECONNECT_ATTEMPTS",),
            in_effect=True,
        ),
    ] = 10
    connect_timeout: Annotated[
        timedelta, duration("seconds", above=0), Setting("Longest time to connect", in_effect=True)
    ] = timedelta(seconds=2)
    timeout: Annotated[
        timedelta, duration("seconds", above=0), Setting("Longest time for one exchange", in_effect=True)
    ] = timedelta(seconds=5)
    wait_replicas: Annotated[
        int,
        whole(),
        Setting(
            "Replicas that must have a VM's new owner before it is told", in_effect=True, unit="replicas"
        ),
    ] = 0
    wait_timeout: Annotated[
        timedelta, duration("seconds", above=0), Setting("Longest wait for those replicas", in_effect=True)
    ] = timedelta(seconds=1)
