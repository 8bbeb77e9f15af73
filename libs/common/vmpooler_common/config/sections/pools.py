"""Entries of the list `pools`, and what names may look like."""

from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator

from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import (
    SettingType,
    Wrong,
    as_text,
    as_whole,
    duration,
    flag,
    text,
    whole,
)
from vmpooler_common.config.sections.general import DECAY, FIRST_DELAY, READY_TTL
from vmpooler_common.model.readiness import ReadyCheck

RESERVED = ("ok", "ready", "request_id", "message", "domain", "job_id")
"""Keys of the API's answers beside which the names of pools and aliases stand."""

_NAME = text(pattern=r"(?!\.{1,2}$)[A-Za-z0-9._~!$&'()*;=@-]+")


def _name(value: object) -> Any:
    name = as_text(value)
    if name in RESERVED:
        raise Wrong
    return _NAME.read(name)


NAME = SettingType(
    "text",
    "a name of letters, digits, dots, hyphens and underscores, as it stands in an address, "
    f"and none of {', '.join(RESERVED)}, which answers use themselves",
    _name,
)


def _one_or_more(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _ready_check(value: object) -> ReadyCheck:
    if isinstance(value, ReadyCheck):
        return value
    kind, _, port = as_text(value).partition(":")
    if (kind, port) == ("none", ""):
        return ReadyCheck.none()
    if kind != "tcp":
        raise Wrong
    number = as_whole(port or SSH)
    if not 0 < number < 2**16:
        raise Wrong
    return ReadyCheck.tcp(number)


SSH = 22
READY_CHECK = SettingType(
    "none | tcp | tcp:PORT", "none, tcp (port 22) or tcp:PORT, such as tcp:3389", _ready_check
)


class PoolSection(Section):
    """One pool. What is None here is taken from `config`, or missing."""

    name: Annotated[str, NAME, Setting("The pool's name", in_effect=True, default="required")] = ""
    alias: Annotated[
        tuple[Annotated[str, NAME], ...],
        BeforeValidator(_one_or_more),
        Setting(
            "Other names under which its VMs can be asked for; pools may share them",
            in_effect=True,
            type_name="text | list of text",
        ),
    ] = ()
    size: Annotated[
        int, whole(), Setting("Ready VMs that are kept", in_effect=True, unit="VMs", default="required")
    ] = 0
    template: Annotated[
        str, text(), Setting("What its VMs are cloned from", in_effect=True, default="required")
    ] = ""
    provider: Annotated[
        str,
        text(),
        Setting(
            "Entry of `providers` that makes its VMs",
            in_effect=True,
            default="the only entry; required where there are several or none",
        ),
    ] = ""
    dns_plugin: Annotated[
        str | None,
        text(),
        Setting(
            "Entry of `dns_configs` for its VMs' domain",
            in_effect=True,
            default="the only entry, else short names",
        ),
    ] = None
    paused: Annotated[bool, flag(), Setting("Make no VMs and hand none out", in_effect=True)] = False
    clone_target: Annotated[
        str | None, text(), Setting("Cluster or host of its VMs", in_effect=True, default="as in config")
    ] = None
    timeout: Annotated[
        timedelta | None,
        duration("minutes", above=0),
        Setting("A VM that isn't ready after this time has failed", in_effect=True, default="as in config"),
    ] = None
    timeout_notification: Annotated[
        timedelta | None,
        duration("minutes", minimum=0),
        Setting("A VM that isn't ready after this time is warned of", default="as in config"),
    ] = None
    ready_check: Annotated[
        ReadyCheck | None,
        READY_CHECK,
        Setting(
            "When a VM with an address can be used: at once (none), or when this port accepts connections",
            in_effect=True,
            default="the driver's: none for dummy, tcp:22 for vsphere",
        ),
    ] = None
    ready_check_timeout: Annotated[
        timedelta | None,
        duration("seconds", above=0),
        Setting("Longest wait for such a connection; then it is tried again", in_effect=True, default="5"),
    ] = None
    ready_ttl: Annotated[
        timedelta | None,
        READY_TTL,
        Setting("A ready VM is replaced after this time", in_effect=True, default="as in config"),
    ] = None
    check_loop_delay_min: Annotated[
        timedelta | None,
        FIRST_DELAY,
        Setting(
            "First delay before it is tried again after an error", in_effect=True, default="as in config"
        ),
    ] = None
    check_loop_delay_max: Annotated[
        timedelta | None,
        FIRST_DELAY,
        Setting(
            "Longest such delay, and longest time without a look", in_effect=True, default="as in config"
        ),
    ] = None
    check_loop_delay_decay: Annotated[
        float | None,
        DECAY,
        Setting("Factor by which that delay grows with each error", in_effect=True, default="as in config"),
    ] = None
    check_hostname_for_mismatch: Annotated[
        bool | None,
        flag(),
        Setting(
            "Replace ready VMs whose guests have another host name", in_effect=True, default="as in config"
        ),
    ] = None
    folder: Annotated[
        str | None, text(), Setting("Folder of its VMs, below the datacenter's", in_effect=True)
    ] = None
    datastore: Annotated[str | None, text(), Setting("Datastore of its VMs", in_effect=True)] = None
    datacenter: Annotated[
        str | None, text(), Setting("Datacenter", in_effect=True, default="the provider's")
    ] = None
    network: Annotated[
        str | None, text(), Setting("Network of its VMs", in_effect=True, default="the template's")
    ] = None
    create_linked_clone: Annotated[
        bool | None,
        flag(),
        Setting("Clone as a difference to the template's disk", in_effect=True, default="as in config"),
    ] = None
    snapshot_mainMem_ioBlockPages: Annotated[  # noqa: N815 - the key's spelling
        str | None, text(), Setting("Option mainMem.ioBlockPages of its VMs", in_effect=True)
    ] = None
    snapshot_mainMem_iowait: Annotated[  # noqa: N815 - the key's spelling
        str | None, text(), Setting("Option mainMem.iowait of its VMs", in_effect=True)
    ] = None
