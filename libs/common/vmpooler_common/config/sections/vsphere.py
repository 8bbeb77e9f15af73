"""The keys of vSphere providers: what `config` holds for all of them, and what each has of its own."""

from datetime import timedelta
from types import MappingProxyType
from typing import Annotated

from pydantic import SecretStr

from vmpooler_common.config.declare.addresses import host_name
from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import (
    duration,
    flag,
    number,
    seconds_number,
    secret,
    text,
    whole,
)
from vmpooler_common.config.sections.providers import CommonProvider
from vmpooler_common.model.features import Feature
from vmpooler_common.model.readiness import ReadyCheck


class VsphereDefaults(Section):
    """Keys of `config` that vSphere providers use."""

    max_tries: Annotated[
        int,
        whole(minimum=1),
        Setting(
            "Attempts to connect before it counts as failed",
            in_effect=True,
            environment=("MAX_TRIES",),
            unit="attempts",
        ),
    ] = 3
    retry_factor: Annotated[
        timedelta,
        duration("seconds", minimum=0),
        Setting(
            "The pause after an attempt is its number times this",
            in_effect=True,
            environment=("RETRY_FACTOR",),
        ),
    ] = timedelta(seconds=10)
    manage_host_selection: Annotated[
        bool, flag(), Setting("Choose hosts by their load, not the cluster's choice", in_effect=True)
    ] = False
    host_selection_max_age: Annotated[
        timedelta,
        duration("seconds", minimum=0),
        Setting("Hosts are read anew after this time", in_effect=True),
    ] = timedelta(seconds=60)
    utilization_limit: Annotated[
        float,
        number(minimum=0, maximum=100),
        Setting("Hosts above this use of processor or memory get no VM", in_effect=True, unit="percent"),
    ] = 90
    create_folders: Annotated[
        bool,
        flag(),
        Setting("Make missing folders", in_effect=True, environment=("CREATE_FOLDERS",)),
    ] = False
    create_linked_clones: Annotated[
        bool,
        flag(),
        Setting(
            "Clone as a difference to the template", in_effect=True, environment=("CREATE_LINKED_CLONES",)
        ),
    ] = True
    create_template_delta_disks: Annotated[
        bool,
        flag(),
        Setting(
            "Give templates without a snapshot delta disks, so that clones can be linked",
            in_effect=True,
            environment=("CREATE_TEMPLATE_DELTA_DISKS",),
        ),
    ] = False
    vsphere_timeout: Annotated[
        timedelta | None,
        duration("seconds", above=0),
        Setting(
            "operation_timeout of vSphere providers that set none themselves", in_effect=True, default="60"
        ),
    ] = None


class VsphereProvider(CommonProvider, VsphereDefaults):
    """Keys of a provider of the class `vsphere`; those of all such providers may stand here, too."""

    pool_options = frozenset()
    features = frozenset(Feature)
    ready_check = ReadyCheck.tcp(22)
    shared_keys = VsphereDefaults
    renamed_keys = MappingProxyType({"vsphere_timeout": "operation_timeout"})

    server: Annotated[
        str | None, host_name(), Setting("Host of vCenter", in_effect=True, default="required")
    ] = None
    port: Annotated[
        int, whole(minimum=1, maximum=65535), Setting("Port of vCenter's web services", in_effect=True)
    ] = 443
    username: Annotated[
        str | None, text(), Setting("User name for vCenter", in_effect=True, default="required")
    ] = None
    password: Annotated[
        SecretStr | None, secret(), Setting("Password for vCenter", in_effect=True, default="required")
    ] = None
    insecure: Annotated[bool, flag(), Setting("Don't check vCenter's certificate", in_effect=True)] = False
    ca_file: Annotated[
        str | None,
        text(),
        Setting(
            "File of the authorities that vCenter's certificate is checked against",
            in_effect=True,
            default="the system's",
        ),
    ] = None
    datacenter: Annotated[
        str | None, text(), Setting("Datacenter of pools that name none", in_effect=True)
    ] = None
    create_grace: Annotated[
        timedelta,
        duration("seconds", above=0),
        Setting("Longest time of a clone, after which one whose manager died is given up", in_effect=True),
    ] = timedelta(minutes=10)
    connection_pool_size: Annotated[
        int | None,
        whole(minimum=1),
        Setting("Connections to vCenter", in_effect=True, unit="connections", default="the driver's choice"),
    ] = None
    connection_pool_timeout: Annotated[
        float, seconds_number(above=0), Setting("Longest wait for a free connection", in_effect=True)
    ] = 60
