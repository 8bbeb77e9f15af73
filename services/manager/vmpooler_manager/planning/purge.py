"""What becomes of places that no pool uses. Pure: what it remembers is passed in and out.

Like every listing, one of unused places may be wrong, and managers may be configured differently for a while.
So nothing follows from one alone, VMs of others are never touched, and a place goes only when it is empty.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from vmpooler_common.model.pool import Classification
from vmpooler_manager.planning.inventory import is_in_use
from vmpooler_manager.providers.types import Place, ProviderVm


@dataclass(frozen=True, slots=True)
class PurgeRules:
    """What a provider's unused places are judged by."""

    installation: str
    create_grace: timedelta
    allowed: Collection[str]
    """Names of places that stay, whole or only their last part."""
    pools: Collection[str]
    """Every pool that some manager holds; it looks after its VMs itself."""


@dataclass(frozen=True, slots=True)
class PurgeMemory:
    """What earlier looks showed."""

    orphans: Mapping[str, datetime] = field(default_factory=dict)
    """Provider id of a VM without a record → when it was seen first."""
    empty: frozenset[str] = frozenset()
    """Places that were empty at the last look."""


@dataclass(frozen=True, slots=True)
class PurgePlan:
    """What to do about a provider's unused places."""

    orphans: tuple[tuple[Place, ProviderVm], ...] = ()
    """VMs to adopt, so that they are destroyed within the bounds of all orphans."""
    removals: tuple[Place, ...] = ()
    """Places to remove: empty twice in a row."""
    unused: tuple[Place, ...] = ()
    """All of them, without those that are allowed to stay."""


def plan_purge(
    rules: PurgeRules,
    places: Sequence[Place],
    *,
    records: Mapping[str, Classification],
    now: datetime,
    memory: PurgeMemory,
) -> tuple[PurgePlan, PurgeMemory]:
    """Say what follows from the places that no pool uses, given the records of the VMs there."""
    unused = tuple(place for place in places if not _may_stay(place, rules.allowed))
    orphans = [(place, vm) for place in unused for vm in place.vms if _is_orphan(vm, rules, records, now)]
    first_seen = {vm.provider_id: memory.orphans.get(vm.provider_id, now) for _, vm in orphans}
    empty = frozenset(place.name for place in unused if not place.vms)
    plan = PurgePlan(
        orphans=tuple(
            (place, vm)
            for place, vm in orphans
            if vm.provider_id in memory.orphans and now - first_seen[vm.provider_id] >= rules.create_grace
        ),
        removals=tuple(place for place in unused if place.name in empty & memory.empty),
        unused=unused,
    )
    return plan, PurgeMemory(first_seen, empty)


def _may_stay(place: Place, allowed: Collection[str]) -> bool:
    return place.name in allowed or place.name.rpartition("/")[2] in allowed


def _is_orphan(
    vm: ProviderVm, rules: PurgeRules, records: Mapping[str, Classification], now: datetime
) -> bool:
    """Whether nobody looks after a VM of this installation, and nobody has it.

    Whether its tag is of this data set is asked by the script that adopts it.
    """
    return (
        vm.tag is not None
        and vm.tag.installation == rules.installation
        and vm.tag.name == vm.name
        and vm.tag.pool not in rules.pools
        and records[vm.name].state is None
        and not is_in_use(vm, now)
    )
