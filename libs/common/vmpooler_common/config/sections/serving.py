"""The part of the section `config` about serving HTTP: how many, and for how long."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator

from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import (
    SettingType,
    Wrong,
    as_text,
    duration,
    flag,
    split_list,
    text,
    whole,
)

_OWN = "api|dashboard|docs|healthcheck|openapi.json|prometheus|ready|status|summary|token|vm"
PREFIX = rf"(?!/(?:{_OWN})(?:/|$))(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+"
"""Paths below which the API may be served: none of its own, or nobody could tell the two apart."""
_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")


def _host(value: object) -> str:
    name = as_text(value).strip().lower()
    if not _HOST.fullmatch(name):
        raise Wrong
    return name


HOST_NAME = SettingType(
    "host name", "a host name or an address without a port, such as vm.example.com or [2001:db8::7]", _host
)


class ServingSection(Section):
    """Keys of `config` about clients, their connections and what they may ask for."""

    max_connections: Annotated[
        int,
        whole(minimum=1),
        Setting(
            "Most connections of clients at once; further ones get 503, but for health checks and metrics",
            in_effect=True,
            unit="connections",
        ),
    ] = 4096
    request_head_timeout: Annotated[
        timedelta,
        duration("seconds", above=0),
        Setting("Longest time until a request's line and headers are there", in_effect=True),
    ] = timedelta(seconds=10)
    request_body_timeout: Annotated[
        timedelta,
        duration("seconds", above=0),
        Setting("Longest time from there until its body is there", in_effect=True),
    ] = timedelta(seconds=60)
    send_timeout: Annotated[
        timedelta,
        duration("seconds", above=0),
        Setting("A client that doesn't read what was sent to it for this long is cut off", in_effect=True),
    ] = timedelta(seconds=30)
    longest_wait: Annotated[
        timedelta,
        duration("seconds", above=0, maximum=300),
        Setting(
            "Longer waits (?wait=) are cut to this; it has to be below the time-outs of proxies",
            in_effect=True,
        ),
    ] = timedelta(seconds=45)
    hosts: Annotated[
        tuple[Annotated[str, HOST_NAME], ...],
        BeforeValidator(split_list),
        Setting(
            "Names and addresses that the API is reached under, without ports; changes that come to another "
            "one are refused",
            in_effect=True,
            type_name="list of text, comma list",
            default="any",
        ),
    ] = ()
    root_path: Annotated[
        str,
        text(
            "a path like /vmpooler: none of the API's own, with / at its beginning and not at its end",
            pattern=f"({PREFIX})?",
            blank=True,
        ),
        Setting("Where a proxy serves the API, if not at /", in_effect=True),
    ] = ""
    unversioned_paths: Annotated[
        bool,
        flag(),
        Setting("Serve /vm, /token, /status and /summary, which old clients ask for, as v1", in_effect=True),
    ] = True
