"""The settings of a dummy provider, as they stand under its name in the configuration."""

from typing import Annotated

from vmpooler_common.config.declare.field import Setting
from vmpooler_common.config.declare.types import percent, seconds_number, text, whole
from vmpooler_common.config.sections.providers import CommonProvider
from vmpooler_common.model.features import Feature
from vmpooler_common.model.readiness import ReadyCheck


class DummySettings(CommonProvider):
    """Keys of a provider of the class `dummy`. Durations are the longest: real ones begin at 0."""

    pool_options = frozenset()
    features = frozenset(Feature)
    ready_check = ReadyCheck.none()
    checks_names = False

    filename: Annotated[
        str | None,
        text(),
        Setting(
            "SQLite file that holds the VMs; any number of managers may share it",
            in_effect=True,
            default="in memory",
        ),
    ] = None
    connection_pool_size: Annotated[
        int, whole(minimum=1), Setting("Calls that run at the same time", in_effect=True, unit="connections")
    ] = 1
    connection_pool_timeout: Annotated[
        float, seconds_number(above=0), Setting("Longest wait for a free connection", in_effect=True)
    ] = 10
    is_ready_timeout: Annotated[
        float, seconds_number(), Setting("Longest wait until a VM is switched on")
    ] = 5
    createvm_max_time: Annotated[
        float,
        seconds_number(),
        Setting("Longest time of a clone; each time is random, from 0 on", in_effect=True),
    ] = 0
    createvm_fail_percent: Annotated[
        float, percent(), Setting("Clones that fail, and there is no VM", in_effect=True)
    ] = 0
    createvm_orphan_percent: Annotated[
        float, percent(), Setting("Clones that fail although the VM was made", in_effect=True)
    ] = 0
    createvm_latefail_percent: Annotated[
        float, percent(), Setting("Clones that fail after they were accepted", in_effect=True)
    ] = 0
    createvm_nocapacity_percent: Annotated[
        float, percent(), Setting("Clones that there is no room for", in_effect=True)
    ] = 0
    templates: Annotated[
        tuple[Annotated[str, text()], ...],
        Setting(
            "Templates that exist; pools with another one are broken",
            in_effect=True,
            type_name="list of text",
            default="every template",
        ),
    ] = ()
    createdisk_max_time: Annotated[
        float, seconds_number(), Setting("Longest time to add a disk", in_effect=True)
    ] = 0
    createdisk_fail_percent: Annotated[
        float, percent(), Setting("Disks that are not added", in_effect=True)
    ] = 0
    createsnapshot_max_time: Annotated[
        float, seconds_number(), Setting("Longest time to take a snapshot", in_effect=True)
    ] = 0
    createsnapshot_fail_percent: Annotated[
        float, percent(), Setting("Snapshots that are not taken", in_effect=True)
    ] = 0
    revertsnapshot_max_time: Annotated[
        float, seconds_number(), Setting("Longest time to revert to a snapshot", in_effect=True)
    ] = 0
    revertsnapshot_fail_percent: Annotated[
        float, percent(), Setting("Reverts to a snapshot that are not made", in_effect=True)
    ] = 0
    task_lostanswer_percent: Annotated[
        float,
        percent(),
        Setting("Disks, snapshots and reverts that fail although they were made", in_effect=True),
    ] = 0
    destroyvm_max_shutdown_time: Annotated[
        float,
        seconds_number(),
        Setting("Longest time to shut a VM down before it is removed", in_effect=True),
    ] = 0
    destroyvm_max_time: Annotated[
        float, seconds_number(), Setting("Longest time to remove a VM after its shutdown", in_effect=True)
    ] = 0
    destroyvm_fail_percent: Annotated[
        float,
        percent(),
        Setting("Removals that fail after the shutdown; the VM stays, switched off", in_effect=True),
    ] = 0
    migratevm_max_time: Annotated[
        float, seconds_number(), Setting("Longest time to migrate a VM", in_effect=True)
    ] = 0
    migratevm_fail_percent: Annotated[float, percent(), Setting("Migrations that fail", in_effect=True)] = 0
    migratevm_couldmove_percent: Annotated[
        float, percent(), Setting("VMs for which another host would be better", in_effect=True)
    ] = 0
    getvm_poweroff_percent: Annotated[
        float, percent(), Setting("Inspections that find the VM switched off, for good", in_effect=True)
    ] = 0
    getvm_rename_percent: Annotated[
        float, percent(), Setting("Inspections that find the guest renamed, for good", in_effect=True)
    ] = 0
    vmready_max_time: Annotated[
        float, seconds_number(), Setting("Longest time to boot after the clone has ended", in_effect=True)
    ] = 0
    vmready_fail_percent: Annotated[
        float, percent(), Setting("Inspections that fail while the VM was never seen ready", in_effect=True)
    ] = 0
    listvms_fail_percent: Annotated[float, percent(), Setting("Listings that fail", in_effect=True)] = 0
    listvms_partial_percent: Annotated[
        float, percent(), Setting("Listings that lack some VMs without an error", in_effect=True)
    ] = 0
    throttle_percent: Annotated[
        float, percent(), Setting("Calls that the cloud refuses as too many", in_effect=True)
    ] = 0
    hang_percent: Annotated[float, percent(), Setting("Calls that never return", in_effect=True)] = 0
    seed: Annotated[
        int | None,
        whole(),
        Setting("Makes the same random decisions each time", in_effect=True, default="another each time"),
    ] = None
