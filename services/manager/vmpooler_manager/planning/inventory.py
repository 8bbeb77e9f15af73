"""Compares a provider's listing with the records. Pure: what it remembers is passed in and out.

A listing may be wrong. Nothing is concluded from one alone: a VM counts as missing after three
complete listings, an unknown VM as an orphan after two that are far enough apart.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vmpooler_common.model.pool import Classification, Snapshot
from vmpooler_manager.planning.inspection import has_other_name
from vmpooler_manager.providers.types import ProviderVm, VmStatus

NAMING = timedelta(seconds=60)
"""Time that a guest has to take its name after it became ready."""
ABSENCES = 3
"""Complete listings in a row that miss a ready VM before it is set aside."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A complete listing of a pool's place, begun at `started_at` by Redis's clock or a little later."""

    started_at: datetime
    vms: tuple[ProviderVm, ...]
    data_epoch: str
    """Which data set of which Redis server the manager saw when it began; see `PoolView.may_destroy`."""


@dataclass(frozen=True, slots=True)
class Place:
    """What listings of a pool's place are compared by."""

    pool: str
    provider: str
    installation: str
    create_grace: timedelta
    pools: Collection[str]
    """Every pool that some manager holds; VMs here of any other pool are managed as this pool's."""
    checks_hostname: bool = False
    """Whether ready VMs must call themselves by their names."""


@dataclass(frozen=True, slots=True)
class Memory:
    """What earlier listings of the pool showed."""

    absences: Mapping[str, int] = field(default_factory=dict)
    """Ready VM → complete listings in a row that missed it."""
    orphans: Mapping[str, datetime] = field(default_factory=dict)
    """Provider id of an unknown VM → start of the first listing that showed it."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What a listing and the records say of each other."""

    missing: tuple[str, ...] = ()
    """Ready VMs that enough listings miss."""
    found: tuple[str, ...] = ()
    """Suspects that are there after all."""
    switched_off: tuple[str, ...] = ()
    """Ready VMs that are there but off."""
    renamed: tuple[str, ...] = ()
    """Ready VMs whose guests call themselves by another name."""
    readdressed: tuple[ProviderVm, ...] = ()
    """Ready and running VMs that have another address or host than is written down."""
    granted_by_tag: tuple[ProviderVm, ...] = ()
    """Ready VMs whose tag says that somebody got them: the record of that was lost."""
    orphans: tuple[ProviderVm, ...] = ()
    """VMs with our tag and without a record, seen often enough."""
    late: tuple[ProviderVm, ...] = ()
    """VMs that were given up and forgotten by the cloud, and are there after all."""
    ours: int = 0
    """VMs that this pool manages; each VM of a shared place counts for one pool."""
    foreign: int = 0
    """VMs that aren't this installation's (any more)."""
    misnamed: tuple[str, ...] = ()
    """Of those, the ones whose tag has our generation and another installation's name."""
    whole: bool = False
    """No VM is missing or unknown."""


def compare(
    place: Place,
    listing: Listing,
    snapshot: Snapshot,
    records: Mapping[str, Classification],
    memory: Memory,
) -> tuple[Findings, Memory]:
    """Say what a listing shows, given the full snapshot and the records of what it shows."""
    ours = [vm for vm in listing.vms if _is_ours(vm, place, snapshot)]
    shown = {vm.name: vm for vm in ours if records[vm.name].provider_id == vm.provider_id}
    expected = {name for name, since in snapshot.ready.items() if since < listing.started_at}

    absent = [name for name in expected if name not in shown]
    absences = {name: memory.absences.get(name, 0) + 1 for name in absent}
    missing_suspects = [name for name in snapshot.suspects if name not in shown]

    unknown = [vm for vm in ours if records[vm.name].state is None and not is_in_use(vm, snapshot.now)]
    first_seen = {vm.provider_id: memory.orphans.get(vm.provider_id, listing.started_at) for vm in unknown}
    orphans = [
        vm
        for vm in unknown
        if listing.started_at - first_seen[vm.provider_id] >= place.create_grace
        and vm.provider_id in memory.orphans
    ]
    findings = Findings(
        missing=tuple(sorted(name for name in absent if absences[name] >= ABSENCES)),
        found=tuple(sorted(name for name in snapshot.suspects if name in shown)),
        switched_off=tuple(
            sorted(name for name in expected & shown.keys() if shown[name].status is VmStatus.OFF)
        ),
        renamed=tuple(
            sorted(
                name
                for name in expected & shown.keys()
                if place.checks_hostname
                and snapshot.ready[name] <= listing.started_at - NAMING
                and has_other_name(shown[name])
            )
        ),
        readdressed=tuple(vm for vm in shown.values() if _has_moved(vm, records[vm.name])),
        granted_by_tag=tuple(vm for vm in ours if _is_granted_by_tag(vm, records[vm.name])),
        orphans=tuple(orphans),
        late=tuple(vm for vm in ours if _is_late(vm, records[vm.name], listing)),
        ours=len(ours),
        foreign=len(listing.vms) - sum(_known_owner(vm, place, snapshot) for vm in listing.vms),
        misnamed=tuple(
            sorted(
                f"{vm.name} ({vm.tag.installation})"
                for vm in listing.vms
                if vm.tag is not None
                and vm.tag.generation == snapshot.generation
                and vm.tag.installation != place.installation
            )
        ),
        whole=not absent and not missing_suspects and not unknown,
    )
    return findings, Memory(absences=absences, orphans=first_seen)


def _known_owner(vm: ProviderVm, place: Place, snapshot: Snapshot) -> bool:
    return (
        vm.tag is not None
        and vm.tag.installation == place.installation
        and vm.tag.generation == snapshot.generation
    )


def _is_ours(vm: ProviderVm, place: Place, snapshot: Snapshot) -> bool:
    """Whether this pool manages the VM: pools may share a place, and may leave the configuration."""
    if not _known_owner(vm, place, snapshot) or vm.tag is None or vm.tag.name != vm.name:
        return False
    return vm.tag.pool == place.pool or vm.tag.pool not in place.pools


def is_in_use(vm: ProviderVm, now: datetime) -> bool:
    """Whether the tag says that somebody has it; a record may be lost with a crashed Redis."""
    return (
        vm.tag is not None and vm.tag.owner is not None and (vm.tag.ends_at is None or vm.tag.ends_at > now)
    )


def _has_moved(vm: ProviderVm, record: Classification) -> bool:
    """Whether a VM that may be in use has another address or host; one that it lacks just now is no other."""
    if record.state not in ("ready", "running") or vm.tag is None or vm.tag.attempt != record.attempt:
        return False
    return bool((vm.ip and vm.ip != record.ip) or (vm.host and vm.host != record.host))


def _is_late(vm: ProviderVm, record: Classification, listing: Listing) -> bool:
    return (
        record.state == "gone"
        and record.gone_at is not None
        and record.gone_at < listing.started_at
        and vm.tag is not None
        and record.attempt == vm.tag.attempt
    )


def _is_granted_by_tag(vm: ProviderVm, record: Classification) -> bool:
    """Whether the tag names an owner of a VM that is ready by its record.

    Owners are annotated only after a grant, and no VM is ready again after one.
    """
    return (
        record.state == "ready"
        and record.provider_id == vm.provider_id
        and vm.tag is not None
        and vm.tag.owner is not None
    )
