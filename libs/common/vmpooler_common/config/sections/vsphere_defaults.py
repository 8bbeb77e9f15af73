"""The part of the section `config` that concerns every vSphere provider."""

from datetime import timedelta
from typing import Annotated

from vmpooler_common.config.declare.field import Section, Setting
from vmpooler_common.config.declare.types import duration, flag, number, whole


class VsphereDefaults(Section):
    """Keys of `config` that vSphere providers use."""

    max_tries: Annotated[
        int,
        whole(minimum=1),
        Setting(
            "Attempts to connect before it counts as failed", environment=("MAX_TRIES",), unit="attempts"
        ),
    ] = 3
    retry_factor: Annotated[
        timedelta,
        duration("seconds", minimum=0),
        Setting("The pause after an attempt is its number times this", environment=("RETRY_FACTOR",)),
    ] = timedelta(seconds=10)
    migration_limit: Annotated[
        int,
        whole(),
        Setting(
            "VMs that are moved between hosts at once; 0: none is",
            environment=("MIGRATION_LIMIT",),
            unit="migrations",
        ),
    ] = 0
    manage_host_selection: Annotated[
        bool, flag(), Setting("Choose the host by its load instead of leaving it to the cluster")
    ] = False
    host_selection_max_age: Annotated[
        timedelta, duration("seconds", minimum=0), Setting("The list of hosts is made anew after this time")
    ] = timedelta(seconds=60)
    utilization_limit: Annotated[
        float,
        number(minimum=0, maximum=100),
        Setting("Hosts above this use of processor or memory get no VM", unit="percent"),
    ] = 90
    create_folders: Annotated[
        bool, flag(), Setting("Make a pool's folder when it is missing", environment=("CREATE_FOLDERS",))
    ] = False
    create_linked_clones: Annotated[
        bool,
        flag(),
        Setting("Clone as a difference to the template's disk", environment=("CREATE_LINKED_CLONES",)),
    ] = True
    create_template_delta_disks: Annotated[
        bool,
        flag(),
        Setting("Prepare templates for linked clones", environment=("CREATE_TEMPLATE_DELTA_DISKS",)),
    ] = False
    vsphere_timeout: Annotated[
        timedelta | None,
        duration("seconds", above=0),
        Setting(
            "operation_timeout of vSphere providers that set none themselves", in_effect=True, default="60"
        ),
    ] = None
