"""What is wanted of a pool, and what was seen of it: the two arguments of `planner.plan`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from vmpooler_common.model.pool import Snapshot
from vmpooler_common.model.readiness import ReadyCheck
from vmpooler_manager.planning.inventory import Findings


@dataclass(frozen=True, slots=True)
class PoolSpec:
    """What is wanted of a pool."""

    name: str
    provider: str
    size: int
    slot_limit: int
    """Clones in flight in the whole installation, to keep pools filled."""
    request_slot_limit: int
    """The same for on-demand requests."""
    ready_ttl: timedelta
    timeout: timedelta
    """Longest time that a VM may be pending."""
    serves_from_ready: bool = True
    """Ready VMs go to on-demand requests at once; otherwise only those that are too many do."""
    migration_limit: int = 0
    """VMs of the whole installation that are moved to better hosts at once."""
    ready_check: ReadyCheck = field(default_factory=ReadyCheck.none)
    ready_check_timeout: timedelta = timedelta(seconds=5)
    checks_names: bool = False
    """Whether DNS is asked before a new name is used."""
    checks_hostname: bool = False
    """Whether a ready VM whose guest calls itself by another name is given up."""
    paused: bool = False
    absent_for: timedelta | None = None
    """For how long no live manager has been configured for the pool; None where this one is."""
    removal_grace: timedelta = timedelta(0)
    """After this time of absence the pool is removed: only running VMs live out their time."""

    @property
    def configured(self) -> bool:
        """Whether this manager is configured for the pool; otherwise nothing is created there."""
        return self.absent_for is None

    @property
    def removed(self) -> bool:
        """Whether the pool has left the configuration of all managers for good."""
        return self.absent_for is not None and self.absent_for >= self.removal_grace


@dataclass(frozen=True, slots=True)
class PoolView:
    """What was seen of a pool."""

    snapshot: Snapshot
    findings: Findings | None = None
    """Only in the pass after a complete listing."""
    busy: frozenset[str] = frozenset()
    """VMs that this manager works on already."""
    provider_vms: int = 0
    """VMs of the whole provider, by the last complete listings of its pools."""
    may_clone: bool = True
    """False while clones of this pool, or its provider, are backing off after errors."""
    may_destroy: bool = True
    """False until a complete listing was compared with what this Redis server holds now."""
    is_steady: bool = True
    """False while Redis's clock jumps: then no time is over."""
    needs_preparation: bool = False
    """The provider has to prepare the pool before its first clone, and may be asked now."""
    obstacles: Mapping[str, str] = field(default_factory=dict)
    """Why pending VMs that this manager follows aren't ready, as far as it knows."""
    permanent_fault: str = ""
    """Why the provider can't work as it is configured."""
