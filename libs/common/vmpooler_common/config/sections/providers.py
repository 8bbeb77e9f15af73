"""Entries of the section `providers`. A driver gets its own keys as plain values, in the units below."""

from datetime import timedelta
from typing import Annotated

from pydantic import SecretStr

from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import duration, flag, percent, seconds_number, secret, text, whole

_POSITIVE_SECONDS = duration("seconds", above=0)


class CommonProvider(Section):
    """Keys of every provider, whatever its class."""

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
        bool | None, flag(), Setting("Remove what no pool refers to any more", default="as in config")
    ] = None
    resources_allowlist: Annotated[
        tuple[Annotated[str, text()], ...],
        Setting("Names that are never removed", type_name="list of text"),
    ] = ()
    skip_dns_check_before_creating_vm: Annotated[
        bool, flag(), Setting("Take new names without a look whether DNS knows them already")
    ] = False
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


class VsphereProvider(CommonProvider):
    """Keys of a provider of the class `vsphere`."""

    server: Annotated[str | None, text(), Setting("Host of vCenter", default="required")] = None
    username: Annotated[str | None, text(), Setting("User name for vCenter", default="required")] = None
    password: Annotated[SecretStr | None, secret(), Setting("Password for vCenter", default="required")] = (
        None
    )
    insecure: Annotated[bool, flag(), Setting("Don't check vCenter's certificate")] = False
    datacenter: Annotated[str | None, text(), Setting("Datacenter of pools that name none")] = None
    connection_pool_size: Annotated[
        int | None,
        whole(minimum=1),
        Setting("Connections to vCenter", in_effect=True, unit="connections", default="the driver's choice"),
    ] = None
    connection_pool_timeout: Annotated[
        float, seconds_number(above=0), Setting("Longest wait for a free connection", in_effect=True)
    ] = 60
    vsphere_timeout: Annotated[
        timedelta | None, _POSITIVE_SECONDS, Setting("Old name of operation_timeout", in_effect=True)
    ] = None


class DummyProvider(CommonProvider):
    """Keys of a provider of the class `dummy`, a small cloud of its own for tests and trials."""

    filename: Annotated[
        str | None, text(), Setting("File that holds the VMs", in_effect=True, default="in memory")
    ] = None
    connection_pool_size: Annotated[
        int, whole(minimum=1), Setting("Connections", in_effect=True, unit="connections")
    ] = 1
    connection_pool_timeout: Annotated[
        float, seconds_number(above=0), Setting("Longest wait for a free connection", in_effect=True)
    ] = 10
    is_ready_timeout: Annotated[
        float, seconds_number(), Setting("Longest wait for a VM to be switched on")
    ] = 5
    createvm_max_time: Annotated[
        float, seconds_number(), Setting("A clone takes up to this", in_effect=True)
    ] = 0
    createvm_fail_percent: Annotated[float, percent(), Setting("Clones that fail", in_effect=True)] = 0
    createvm_orphan_percent: Annotated[
        float, percent(), Setting("Clones that fail, though the VM was made", in_effect=True)
    ] = 0
    createdisk_max_time: Annotated[
        float, seconds_number(), Setting("Adding a disk takes up to this", in_effect=True)
    ] = 0
    createdisk_fail_percent: Annotated[float, percent(), Setting("Disks that fail", in_effect=True)] = 0
    createsnapshot_max_time: Annotated[
        float, seconds_number(), Setting("A snapshot takes up to this", in_effect=True)
    ] = 0
    createsnapshot_fail_percent: Annotated[
        float, percent(), Setting("Snapshots that fail", in_effect=True)
    ] = 0
    revertsnapshot_max_time: Annotated[
        float, seconds_number(), Setting("Going back takes up to this", in_effect=True)
    ] = 0
    revertsnapshot_fail_percent: Annotated[
        float, percent(), Setting("Going back that fails", in_effect=True)
    ] = 0
    task_lostanswer_percent: Annotated[
        float,
        percent(),
        Setting("Disks, snapshots and going back that fail, though it was done", in_effect=True),
    ] = 0
    destroyvm_max_shutdown_time: Annotated[
        float, seconds_number(), Setting("Switching off takes up to this", in_effect=True)
    ] = 0
    destroyvm_max_time: Annotated[
        float, seconds_number(), Setting("Removing takes up to this after that", in_effect=True)
    ] = 0
    destroyvm_fail_percent: Annotated[
        float, percent(), Setting("Removals that fail with the VM switched off", in_effect=True)
    ] = 0
    migratevm_max_time: Annotated[float, seconds_number(), Setting("A move takes up to this")] = 0
    migratevm_fail_percent: Annotated[float, percent(), Setting("Moves that fail")] = 0
    migratevm_couldmove_percent: Annotated[float, percent(), Setting("VMs that another host would suit")] = 0
    getvm_poweroff_percent: Annotated[
        float, percent(), Setting("Looks at a VM that find it switched off", in_effect=True)
    ] = 0
    getvm_rename_percent: Annotated[float, percent(), Setting("Looks at a VM that find it renamed")] = 0
    vmready_max_time: Annotated[
        float, seconds_number(), Setting("Booting takes up to this after the clone", in_effect=True)
    ] = 0
    vmready_fail_percent: Annotated[float, percent(), Setting("Checks of a VM that fail", in_effect=True)] = 0
    listvms_fail_percent: Annotated[float, percent(), Setting("Listings that fail", in_effect=True)] = 0
    listvms_partial_percent: Annotated[
        float, percent(), Setting("Listings that lack some VMs and don't say so", in_effect=True)
    ] = 0
    throttle_percent: Annotated[float, percent(), Setting("Calls refused as too many", in_effect=True)] = 0
    hang_percent: Annotated[float, percent(), Setting("Calls that never answer", in_effect=True)] = 0
    seed: Annotated[
        int | None,
        whole(),
        Setting("Makes chance repeat itself", in_effect=True, default="another each time"),
    ] = None
