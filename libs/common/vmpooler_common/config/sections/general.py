"""The section `config`: what concerns every pool and both services."""

from collections.abc import Mapping
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from types import MappingProxyType
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from vmpooler_common.config.declare.addresses import network
from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import (
    choice,
    duration,
    flag,
    number,
    split_list,
    text,
    whole,
)

READY_TTL = duration(
    "minutes", above=0, because="with 0 or less every ready VM would be recycled at once, for ever"
)
LISTING_TIME = duration(
    "minutes", minimum=0.005, because="with less the providers would be asked for their VMs without a pause"
)
DECAY = number(above=1, because="the delay has to grow")
FIRST_DELAY = duration("seconds", above=0)


class GeneralSection(Section):
    """Keys of `config` for the pools, the VMs' times and the service itself."""

    site_name: Annotated[
        str, text(blank=True), Setting("Title of the dashboard", environment=("SITE_NAME",), in_effect=True)
    ] = ""
    installation: Annotated[
        str | None,
        text("a text of printable characters", pattern=r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]+"),
        Setting(
            "Name of this installation on every VM that it makes. Only VMs that carry it are ever "
            "cleaned up. Never change it while VMs exist; no other installation on that cloud may have it",
            in_effect=True,
            default="site_name, else vmpooler",
        ),
    ] = None
    logfile: Annotated[
        str | None,
        text(),
        Setting(
            "Where log lines go",
            environment=("LOGFILE",),
            in_effect=True,
            default="the standard error output",
        ),
    ] = None
    log_format: Annotated[str, choice("text", "json"), Setting("Form of a log line", in_effect=True)] = "text"
    log_level: Annotated[
        str,
        choice("debug", "info", "warning", "error"),
        Setting("Least level that is logged", in_effect=True),
    ] = "info"
    prefix: Annotated[
        str,
        text(
            "letters, digits and hyphens that can begin a host name, at most 48, since the name itself "
            "takes up to 15 of the 63 characters of a DNS label",
            pattern=r"([A-Za-z0-9][A-Za-z0-9-]{0,47})?",
            blank=True,
        ),
        Setting("Beginning of every VM's host name", environment=("PREFIX",), in_effect=True),
    ] = ""
    extra_config: Annotated[
        tuple[Annotated[str, text()], ...],
        BeforeValidator(split_list),
        Setting(
            "Further files, each stronger than the ones before",
            environment=("EXTRA_CONFIG",),
            in_effect=True,
            type_name="text, comma list",
        ),
    ] = ()
    clone_target: Annotated[
        str | None,
        text(),
        Setting(
            "Cluster or host of pools that name none themselves",
            environment=("CLONE_TARGET",),
            in_effect=True,
        ),
    ] = None
    task_limit: Annotated[
        int,
        whole(minimum=1),
        Setting(
            "Clones at once to keep pools filled; at a provider also a manager's deletions and tasks at once",
            environment=("TASK_LIMIT",),
            in_effect=True,
            unit="clones",
        ),
    ] = 10
    ondemand_clone_limit: Annotated[
        int,
        whole(),
        Setting(
            "Clones for on-demand requests at once",
            environment=("ONDEMAND_CLONE_LIMIT",),
            unit="clones",
            in_effect=True,
        ),
    ] = 10
    max_ondemand_instances_per_request: Annotated[
        int,
        whole(),
        Setting(
            "Most VMs of one name in an on-demand request",
            environment=("MAX_ONDEMAND_INSTANCES_PER_REQUEST",),
            unit="VMs",
            in_effect=True,
        ),
    ] = 10
    max_vms_per_request: Annotated[
        int,
        whole(minimum=1, maximum=1000, because="one request holds up all others while it is served"),
        Setting("Most VMs in one request of any form", in_effect=True, unit="VMs"),
    ] = 200
    checkout_hold: Annotated[
        timedelta,
        duration("seconds", minimum=0),
        Setting(
            "For this time at once a waiting checkout may keep VMs that it wants from later ones, while all "
            "that it wants can be met soon; then it leaves them to others for 15 seconds",
            in_effect=True,
        ),
    ] = timedelta(seconds=5)
    max_waiting_per_client: Annotated[
        int,
        whole(minimum=1),
        Setting("Most checkouts of one user that wait at once", in_effect=True, unit="checkouts"),
    ] = 10
    pool_removal_grace: Annotated[
        timedelta,
        duration("minutes", minimum=0),
        Setting(
            "A pool that no live manager is configured for is removed after this time: its ready VMs are "
            "destroyed, and running ones live out their time",
            in_effect=True,
        ),
    ] = timedelta(minutes=10)
    ondemand_request_ttl: Annotated[
        timedelta,
        duration("minutes", above=0),
        Setting(
            "An on-demand request fails after this time",
            environment=("ONDEMAND_REQUEST_TTL",),
            in_effect=True,
        ),
    ] = timedelta(minutes=5)
    ondemand_from_ready: Annotated[
        bool,
        flag(),
        Setting("Ready VMs of a pool serve on-demand requests at once; the pool is refilled", in_effect=True),
    ] = True
    max_vm_retries: Annotated[
        int,
        whole(),
        Setting("New attempts for failed VMs of one on-demand request", unit="attempts", in_effect=True),
    ] = 3
    timeout: Annotated[
        timedelta,
        duration("minutes", above=0),
        Setting("A VM that isn't ready after this time has failed", environment=("TIMEOUT",), in_effect=True),
    ] = timedelta(minutes=15)
    timeout_notification: Annotated[
        timedelta,
        duration("minutes", minimum=0),
        Setting("A VM that isn't ready after this time is warned of", environment=("TIMEOUT_NOTIFICATION",)),
    ] = timedelta(minutes=5)
    vm_checktime: Annotated[
        timedelta,
        LISTING_TIME,
        Setting("A ready VM is checked this often", environment=("VM_CHECKTIME",), in_effect=True),
    ] = timedelta(minutes=1)
    vm_lifetime: Annotated[
        timedelta,
        duration("hours"),
        Setting(
            "A VM is taken back this long after it was handed out; 0 or less: never",
            environment=("VM_LIFETIME",),
            in_effect=True,
        ),
    ] = timedelta(hours=24)
    vm_lifetime_auth: Annotated[
        timedelta | None,
        duration("hours"),
        Setting(
            "The same for a VM taken with a token; 0 or less: as vm_lifetime",
            environment=("VM_LIFETIME_AUTH",),
            in_effect=True,
            default="vm_lifetime",
        ),
    ] = None
    max_lifetime_upper_limit: Annotated[
        timedelta | None,
        duration("hours", above=0),
        Setting(
            "Only shorter lifetimes than this can be asked for",
            environment=("MAX_LIFETIME_UPPER_LIMIT",),
            in_effect=True,
            default="no limit",
        ),
    ] = None
    migration_limit: Annotated[
        int,
        whole(),
        Setting(
            "VMs that are moved to better hosts at once, soon after their checkout; 0: none is",
            environment=("MIGRATION_LIMIT",),
            in_effect=True,
            unit="migrations",
        ),
    ] = 0
    ready_ttl: Annotated[
        timedelta,
        READY_TTL,
        Setting("A ready VM is replaced after this time", environment=("READY_TTL",), in_effect=True),
    ] = timedelta(minutes=60)
    check_loop_delay_min: Annotated[
        timedelta,
        FIRST_DELAY,
        Setting("First delay before a pool is tried again after an error", in_effect=True),
    ] = timedelta(seconds=5)
    check_loop_delay_max: Annotated[
        timedelta,
        FIRST_DELAY,
        Setting("Longest such delay, and longest time without a look at a pool", in_effect=True),
    ] = timedelta(seconds=60)
    check_loop_delay_decay: Annotated[
        float, DECAY, Setting("Factor by which that delay grows with each error", in_effect=True)
    ] = 2.0
    check_ready_vm_hostname_for_mismatch: Annotated[
        bool, flag(), Setting("Replace ready VMs whose guests have another host name", in_effect=True)
    ] = True
    purge_unconfigured_resources: Annotated[
        bool,
        flag(),
        Setting(
            "Remove places (folders) that no pool uses any more, with orphans there, at every provider",
            environment=("PURGE_UNCONFIGURED_RESOURCES", "PURGE_UNCONFIGURED_FOLDERS"),
            in_effect=True,
        ),
    ] = False
    experimental_features: Annotated[
        bool,
        flag(),
        Setting(
            "Allow pools to be changed through the API",
            environment=("EXPERIMENTAL_FEATURES",),
            in_effect=True,
        ),
    ] = False
    pool_changes: Annotated[
        str,
        choice("admins", "any"),
        Setting(
            "Which users may change pools through the API, where that is allowed and there are users: only "
            "admins, or any",
            in_effect=True,
        ),
    ] = "admins"
    usage_stats: Annotated[
        bool, flag(), Setting("Count the use by user and job", environment=("USAGE_STATS",), in_effect=True)
    ] = False
    request_logger: Annotated[
        bool,
        flag(),
        Setting("Log every request to the API", environment=("REQUEST_LOGGER",), in_effect=True),
    ] = False
    admins: Annotated[
        tuple[Annotated[str, text()], ...],
        BeforeValidator(split_list),
        Setting(
            "Users who may act on everybody's VMs, requests and tokens, see everything and change pools",
            in_effect=True,
            type_name="list of text, comma list",
        ),
    ] = ()
    enforce_ownership: Annotated[
        bool,
        flag(),
        Setting(
            "Only its user, or an admin, may act on a VM or request that was taken with a token; "
            "false: whoever has any valid token, and tags may be changed without one",
            in_effect=True,
        ),
    ] = True
    token_ttl: Annotated[
        timedelta | None,
        duration("hours", above=0),
        Setting("A token ends this long after it was made", in_effect=True, default="never"),
    ] = None
    allowed_tags: Annotated[
        tuple[Annotated[str, text()], ...] | None,
        Setting(
            "Keys of the tags that VMs may be given", in_effect=True, type_name="list of text", default="all"
        ),
    ] = None
    backend_weight: Annotated[
        Mapping[str, Annotated[int | float, number(minimum=0)]],
        AfterValidator(MappingProxyType),
        Setting(
            "How often an alias chooses among clone targets: its pools' targets all need a weight",
            in_effect=True,
            type_name="mapping of clone target to number",
        ),
    ] = Field(default_factory=lambda: MappingProxyType({}))
    rate_limiting_enabled: Annotated[
        bool, flag(), Setting("Limit the rate of requests, as rate_limits says", in_effect=True)
    ] = False
    trusted_proxies: Annotated[
        tuple[Annotated[IPv4Network | IPv6Network, network()], ...],
        BeforeValidator(split_list),
        Setting(
            "Proxies whose X-Forwarded-For is believed: addresses and networks",
            in_effect=True,
            type_name="list of addresses, comma list",
        ),
    ] = ()
