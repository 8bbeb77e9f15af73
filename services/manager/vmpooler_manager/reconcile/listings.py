"""The listings of one pool: when one is due, and what the last ones showed."""

import math
from collections.abc import Mapping
from datetime import datetime, timedelta

from vmpooler_common.model.pool import Classification, Snapshot
from vmpooler_manager.lifecycle.inspect import VmInspector
from vmpooler_manager.planning.inventory import Findings, Listing, Memory, Place, compare
from vmpooler_manager.runtime.jobs import JobKind, Jobs
from vmpooler_manager.runtime.pool import Pool
from vmpooler_manager.runtime.shared_state import SharedState


class PoolListings:
    """Lists the pool's place in the background every `check_time` (`vm_checktime`)."""

    def __init__(
        self,
        pool: Pool,
        *,
        inspector: VmInspector,
        jobs: Jobs,
        shared: SharedState,
        installation: str,
        check_time: timedelta,
    ) -> None:
        self._pool = pool
        self._inspector = inspector
        self._jobs = jobs
        self._shared = shared
        self._installation = installation
        self._check_seconds = check_time.total_seconds()
        self._job = f"listing of {pool.name}"
        self._fresh: Listing | None = None
        self._memory = Memory()
        self._listed_at = -math.inf
        self._compared_epoch: str | None = None
        self._is_acted_on = True

    def take(self) -> Listing | None:
        """Give the listing that came since the last pass, if there is one.

        A pass that failed may not have reinstated the VMs that its listing showed as granted. Then nothing is
        destroyed before another listing shows them again.
        """
        if not self._is_acted_on:
            self._compared_epoch, self._is_acted_on = None, True
        listing, self._fresh = self._fresh, None
        return listing

    def compare(
        self, listing: Listing, snapshot: Snapshot, records: Mapping[str, Classification]
    ) -> Findings:
        """Compare a listing with the records; remember what it showed."""
        spec = self._pool.spec
        place = Place(
            spec.name,
            spec.provider,
            installation=self._installation,
            create_grace=self._pool.cloud.create_grace,
            checks_hostname=spec.checks_hostname,
            pools=self._shared.pools,
        )
        findings, self._memory = compare(place, listing, snapshot, records, self._memory)
        self._shared.listed.setdefault(spec.provider, {})[spec.name] = findings.ours
        self._compared_epoch = listing.data_epoch
        self._is_acted_on = not findings.granted_by_tag
        return findings

    def acted_on(self) -> None:
        """The pass that compared the last listing was carried out, its reinstatements too."""
        self._is_acted_on = True

    @property
    def are_compared(self) -> bool:
        """Whether a listing was compared with the data set that Redis holds now."""
        return self._compared_epoch == self._shared.data_epoch != ""

    def start(self, now: datetime, monotonic: float) -> None:
        """Begin to list when that is due. `now` is Redis's time."""
        epoch = self._shared.data_epoch
        is_due = (self._compared_epoch != epoch != "") or self.due_in(monotonic) <= 0
        pool = self._pool
        if not is_due or pool.cloud.fault or self._fresh or not pool.listings.allows(monotonic):
            return
        work = self._inspector.list_pool(pool, started_at=now, data_epoch=epoch, deliver=self._deliver)
        if self._jobs.start(JobKind.INSPECT, self._job, work, pool=pool.name):
            self._listed_at = monotonic

    @property
    def are_under_way(self) -> bool:
        """Whether the provider is being asked."""
        return self._jobs.is_running(self._job)

    def due_in(self, monotonic: float) -> float:
        """Seconds until the next listing is due; 0 or less: it is."""
        return self._listed_at + self._check_seconds - monotonic

    def _deliver(self, listing: Listing) -> None:
        self._fresh = listing
