"""Entries of the section `providers`: the keys of every provider, and what a driver declares beside them.

Drivers declare their keys themselves: see `drivers`.
"""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, ClassVar

from pydantic import BeforeValidator

from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import duration, flag, seconds_number, text, whole
from vmpooler_common.model.features import Feature
from vmpooler_common.model.readiness import ReadyCheck


def _with_empty_entries(value: object) -> object:
    """Take a missing entry for an empty one: drivers for EC2 and GCE mean by it what has no tag."""
    return ["" if entry is None else entry for entry in value] if isinstance(value, list) else value


_POSITIVE_SECONDS = duration("seconds", above=0)


class CommonProvider(Section):
    """Keys of every provider, whatever its class. A driver's own settings are a subclass."""

    pool_options: ClassVar[frozenset[str] | None] = None
    """Keys that the driver reads from its pools, beside vmpooler's own; None: any, so none is unknown."""
    features: ClassVar[frozenset[Feature] | None] = None
    """What the driver can beyond the contract's core; the API refuses the rest. None: nobody but it knows."""
    ready_check: ClassVar[ReadyCheck] = ReadyCheck.tcp(22)
    """How it is told that a VM of a pool can be used, where the pool doesn't say."""
    shared_keys: ClassVar[type[Section] | None] = None
    """The part of `config` that all providers of this driver share; keys of the same name in the provider's
    own entry are stronger."""
    checks_names: ClassVar[bool] = True
    """Whether new names are looked up in DNS, where the provider doesn't say."""
    renamed_keys: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Old names of keys of every provider, and what they are called now; also in `shared_keys`."""

    provider_class: Annotated[
        str | None, text(), Setting("Which driver it is", in_effect=True, default="the provider's name")
    ] = None
    paused: Annotated[
        bool, flag(), Setting("Make no VMs and hand none out, for all of its pools", in_effect=True)
    ] = False
    operation_timeout: Annotated[
        timedelta | None,
        _POSITIVE_SECONDS,
        Setting("Longest time for one call", in_effect=True, default="60"),
    ] = None
    purge_unconfigured_resources: Annotated[
        bool | None,
        flag(),
        Setting("Remove places (folders) that no pool uses any more", in_effect=True, default="as in config"),
    ] = None
    resources_allowlist: Annotated[
        tuple[Annotated[str, text(blank=True)], ...],
        BeforeValidator(_with_empty_entries),
        Setting("Places that are never removed, by path or name", in_effect=True, type_name="list of text"),
    ] = ()
    skip_dns_check_before_creating_vm: Annotated[
        bool | None,
        flag(),
        Setting(
            "Take new names without a look whether DNS knows them already",
            in_effect=True,
            default="false; true for dummy",
        ),
    ] = None
    circuit_breaker_enabled: Annotated[
        bool | None, flag(), Setting("Leave it alone for a while when it fails", default="as in config")
    ] = None
    circuit_breaker_failure_threshold: Annotated[
        int | None, whole(minimum=1), Setting("Failures in a row before that", default="as in config")
    ] = None
    circuit_breaker_timeout: Annotated[
        float | None, seconds_number(), Setting("How long it is left alone", default="as in config")
    ] = None
    circuit_breaker_half_open_attempts: Annotated[
        int | None, whole(minimum=1), Setting("Successes before it is trusted again", default="as in config")
    ] = None
    adaptive_timeout_enabled: Annotated[
        bool | None, flag(), Setting("Adapt the time-out of connections", default="as in config")
    ] = None
    connection_pool_timeout_min: Annotated[
        float | None,
        seconds_number(above=0),
        Setting("Lower bound of the adapted time-out", default="as in config"),
    ] = None
    connection_pool_timeout_max: Annotated[
        float | None,
        seconds_number(above=0),
        Setting("Upper bound of the adapted time-out", default="as in config"),
    ] = None
    connection_pool_timeout_initial: Annotated[
        float | None,
        seconds_number(above=0),
        Setting("First value of the adapted time-out", default="as in config"),
    ] = None
