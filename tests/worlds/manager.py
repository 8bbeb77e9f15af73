"""A manager of the small world: observes the real store, plans with the real planner, acts step by step.

What it decides is `planning`'s, what it does is the store's; `jobs` has what takes it more than one step.
"""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from typing import assert_never

from tests.store.fleet import serving
from tests.worlds.cloud import GRACE, ProviderClient
from tests.worlds.effects import facts, judge_adoption
from tests.worlds.jobs import INSTALLATION, LEASE, Jobs
from tests.worlds.judge import judge_plan
from tests.worlds.records import USER, Records
from vmpooler_common.model.pool import Snapshot
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.clones.clones import Reservation
from vmpooler_common.store.retirement.retirement import (
    Orphan,
    Outcome,
)
from vmpooler_manager.planning.actions import (
    Action,
    AdoptLate,
    AdoptOrphan,
    Annotate,
    AwaitSlot,
    ClearSuspects,
    Clone,
    Destroy,
    FailWaiting,
    Forget,
    MarkSuspect,
    NoteAddress,
    Prepare,
    Reinstate,
    Reserve,
    Resolve,
    ResumeDeletion,
    Retire,
    Serve,
    SettleRecords,
    VerifyMissing,
    VerifySuspect,
    Watch,
)
from vmpooler_manager.planning.inventory import Listing, Memory, Place, compare
from vmpooler_manager.planning.planner import plan
from vmpooler_manager.planning.spec import PoolSpec, PoolView
from vmpooler_manager.providers.contract import ProviderVm
from vmpooler_manager.runtime.clock import ClockGuard


@dataclass(frozen=True)
class Step:
    """An action that was planned on a snapshot and is still to be carried out."""

    spec: PoolSpec
    action: Action
    snapshot: Snapshot


class ManagerModel:
    """One manager's process; `monotonic` is passed in, as it has no clock either."""

    def __init__(self, name: str, records: Records, cloud: ProviderClient) -> None:
        self.name = name
        self.steps: deque[Step] = deque()
        self.jobs: dict[str, tuple[str, Iterator[None]]] = {}
        self._records = records
        self._store = records.store
        self._cloud = cloud
        self._work = Jobs(name, records, cloud)
        self._guard = ClockGuard()
        self._memory: dict[str, Memory] = {}
        self._fresh: dict[str, Listing] = {}
        self._compared: dict[str, str] = {}

    def deliver(self, pool: str, listing: Listing) -> None:
        """Have a listing of the place for the next look at the pool."""
        self._fresh[pool] = listing

    def look(
        self, spec: PoolSpec, *, data_epoch: str, pools: Collection[str], monotonic: float
    ) -> tuple[Action, ...]:
        """Make a plan for a pool and queue it; give it, too."""
        if not spec.configured:
            self._beat()
        listing = self._fresh.pop(spec.name, None)
        snapshot, known = self._records.run(
            self._store.views.observe(
                spec.name,
                spec.provider,
                size=spec.size,
                ready_ttl=spec.ready_ttl,
                listed=None if listing is None else sorted({vm.name for vm in listing.vms}),
                is_configured=spec.configured,
            )
        )
        if snapshot.overrides.size is not None:
            spec = replace(spec, size=snapshot.overrides.size)
        findings = None
        if listing is not None:
            place = Place(spec.name, spec.provider, INSTALLATION, GRACE, pools)
            memory = self._memory.get(spec.name, Memory())
            findings, self._memory[spec.name] = compare(place, listing, snapshot, known, memory)
            self._compared[spec.name] = listing.data_epoch
        view = PoolView(
            snapshot=snapshot,
            findings=findings,
            busy=frozenset(name for name, (pool, _) in self.jobs.items() if pool == spec.name),
            may_destroy=self._compared.get(spec.name) == data_epoch,
            is_steady=self._guard.is_steady(snapshot.now, monotonic),
        )
        actions = plan(spec, view, snapshot.now)
        judge_plan(spec, view, actions)
        self.steps.extend(Step(spec, action, snapshot) for action in actions)
        return actions

    def renew(self) -> None:
        """Send the heartbeat that keeps the leases of this manager's jobs."""
        if self.jobs:
            self._beat()

    def _beat(self) -> None:
        """Send a heartbeat that offers no pool: those that have VMs are without any manager."""
        beat = self._store.leases.heartbeat(
            self.name, lease=LEASE, offer=serving([]), working_on=list(self.jobs)
        )
        self._records.run(beat)

    def work(self, name: str) -> None:
        """Take the next step of the job for a VM."""
        _, job = self.jobs[name]
        if next(job, self) is self:
            self.jobs.pop(name, None)

    def act(self) -> None:
        """Carry out the oldest action that was planned."""
        step = self.steps.popleft()
        match step.action:
            case Clone() | Resolve() | Watch() | Annotate() | VerifyMissing() | VerifySuspect() | Destroy():
                self._begin(step, step.action)
            case Reserve(wanted):
                self._reserve(step, wanted)
            case Serve(most):
                self._serve(step.spec.name, most)
            case FailWaiting(reason):
                self._work.ending(self._store.backlog.fail_waiting(step.spec.name, reason))
            case Retire(name):
                if self._work.apply(step.spec.name, step.action) and step.action.state is VmState.PENDING:
                    self.jobs.pop(name, None)
            case MarkSuspect() | ClearSuspects():
                self._work.apply(step.spec.name, step.action)
            case AdoptOrphan(found, bound):
                self._adopt_orphan(step.spec, found, bound)
            case AdoptLate(found) | NoteAddress(found):
                assert found.tag is not None
                self._work.created(found.name, found.tag.attempt, found.provider_id)
            case Reinstate(found):
                self._reinstate(found)
            case ResumeDeletion(whole):
                self._records.run(self._store.retirement.resume_when_whole(step.spec.provider, whole=whole))
            case AwaitSlot() | Forget() | Prepare() | SettleRecords():
                pass
            case _:
                assert_never(step.action)

    def _begin(
        self,
        step: Step,
        action: Clone | Resolve | Watch | Annotate | VerifyMissing | VerifySuspect | Destroy,
    ) -> None:
        """Begin the job, or jobs, that an action asks for."""
        spec = step.spec
        match action:
            case Clone(vm):
                self._start(vm.name, spec, self._work.clone(spec, vm.name, step.snapshot.generation))
            case Resolve(vm):
                waited = step.snapshot.now - vm.lease_ends_at
                self._start(vm.name, spec, self._work.resolve(spec, vm, waited))
            case Watch(vm):
                self._start(vm.name, spec, self._work.follow(spec, vm.name, vm.attempt, vm.provider_id))
            case Annotate(vm):
                self._start(vm.name, spec, self._work.annotate(spec, vm))
            case VerifySuspect(name, bound):
                self._start(name, spec, self._work.verify_suspect(spec, name, bound))
            case VerifyMissing(names):
                for name in names:
                    self._start(name, spec, self._work.verify_missing(spec, name))
            case Destroy(names):
                claim = self._store.retirement.claim(
                    names, operation=self._records.operation(), manager=self.name, lease=LEASE
                )
                is_paused = self._records.is_paused
                for claimed in self._records.run(claim):
                    assert not is_paused, f"{claimed.name} was to be destroyed while deletion was paused"
                    self._start(claimed.name, spec, self._work.destroy(claimed))
            case _:
                assert_never(action)

    def _reserve(self, step: Step, wanted: int) -> None:
        spec = step.spec
        names = [self._records.name() for _ in range(wanted)]
        reservation = Reservation(
            spec.name,
            spec.provider,
            domain="",
            size=spec.size,
            slot_limit=spec.slot_limit,
            request_slot_limit=spec.request_slot_limit,
            slot_life=spec.timeout,
            revision=step.snapshot.revision,
        )
        reserved = self._records.run(
            self._store.clones.reserve(
                reservation,
                [(name, f"attempt-of-{name}") for name in names],
                operation=self._records.operation(),
                manager=self.name,
                lease=LEASE,
            )
        )
        for name in reserved:
            self._start(name, spec, self._work.clone(spec, name, step.snapshot.generation))

    def _serve(self, pool: str, most: int) -> None:
        served = self._records.run(
            self._store.backlog.serve(pool, operation=self._records.operation(), most=most)
        )
        for vm in served:
            self._cloud.use(vm.provider_id, self._records.by_name[vm.vm].ends)

    def _adopt_orphan(self, spec: PoolSpec, found: ProviderVm, bound: int) -> None:
        assert found.tag is not None
        orphan = Orphan(
            found.name,
            spec.name,
            spec.provider,
            "",
            found.provider_id,
            found.tag.attempt,
            found.tag.generation,
        )
        before = facts(self._records, spec.name)
        known = before.vms.get(found.name)
        outcome = self._records.run(self._store.retirement.adopt_orphan(orphan, bound=bound))
        is_repetition = known is not None and known.reason == "orphan"
        if outcome is Outcome.OK and not is_repetition:
            judge_adoption(found.name, found.tag.generation, bound, self._records, before)

    def _reinstate(self, found: ProviderVm) -> None:
        assert found.tag is not None
        self._records.run(
            self._store.checkouts.reinstate(
                found.name,
                operation=self._records.operation(),
                provider_id=found.provider_id,
                user=USER,
                ends_at=found.tag.ends_at,
            )
        )

    def _start(self, name: str, spec: PoolSpec, job: Iterator[None]) -> None:
        self.jobs.setdefault(name, (spec.name, job))
