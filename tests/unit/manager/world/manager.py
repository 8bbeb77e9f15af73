"""A manager of the small world: looks, plans with the real planner, and acts step by step.

Its jobs are generators that stop before every call to the store or the cloud, so that it can die,
sleep or be overtaken at each of these points.
"""

from collections import deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from typing import assert_never

from tests.unit.manager.world.cloud import GRACE, CallFailed, ProviderClient
from tests.unit.manager.world.judge import judge_plan
from tests.unit.manager.world.looks import classify, observe
from tests.unit.manager.world.record import LONG_AGO, Record
from tests.unit.manager.world.records import Records
from vmpooler_common.model.pool import PendingVm, Snapshot
from vmpooler_common.model.vm import ClonePhase, VmState
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
    Reinstate,
    Reserve,
    Resolve,
    ResumeDeletion,
    Retire,
    Serve,
    VerifyMissing,
    VerifySuspect,
    Watch,
)
from vmpooler_manager.planning.inspection import (
    after_failed_clone,
    after_lost_clone,
    after_missing,
    after_suspicion,
    while_booting,
)
from vmpooler_manager.planning.inventory import Listing, Memory, Place, compare
from vmpooler_manager.planning.planner import plan
from vmpooler_manager.planning.spec import PoolSpec, PoolView
from vmpooler_manager.providers.contract import OwnershipTag
from vmpooler_manager.runtime.clock import ClockGuard

LEASE = timedelta(seconds=5)
RETRY = timedelta(seconds=5)
INSTALLATION = "lab"

_names = (f"vm-{number}" for number in count())


@dataclass(frozen=True)
class Step:
    """An action that was planned on a snapshot and is still to be carried out."""

    spec: PoolSpec
    action: Action
    snapshot: Snapshot


class ManagerModel:
    """One manager's process; `monotonic` is passed in, for it has no clock either."""

    def __init__(self, name: str, records: Records, cloud: ProviderClient) -> None:
        self.name = name
        self.steps: deque[Step] = deque()
        self.jobs: dict[str, tuple[str, Iterator[None]]] = {}
        self._records = records
        self._cloud = cloud
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
        listing = self._fresh.pop(spec.name, None)
        snapshot = observe(
            self._records,
            spec.name,
            spec.provider,
            size=spec.size,
            ready_ttl=spec.ready_ttl,
            full=listing is not None,
            is_configured=spec.configured,
        )
        if snapshot.overrides.size is not None:
            spec = replace(spec, size=snapshot.overrides.size)
        findings = None
        if listing is not None:
            place = Place(spec.name, spec.provider, INSTALLATION, GRACE, pools)
            known = {vm.name: classify(self._records, vm.name) for vm in listing.vms}
            memory = self._memory.get(spec.name, Memory())
            findings, self._memory[spec.name] = compare(place, listing, snapshot, known, memory)
            self._compared[spec.name] = listing.data_epoch
        view = PoolView(
            snapshot=snapshot,
            findings=findings,
            busy=frozenset(name for name, (pool, _) in self.jobs.items() if pool == spec.name),
            may_destroy=self._compared.get(spec.name) == data_epoch,
            is_steady=self._guard.is_steady(self._records.now, monotonic),
        )
        actions = plan(spec, view, self._records.now)
        judge_plan(spec, view, actions)
        self.steps.extend(Step(spec, action, snapshot) for action in actions)
        return actions

    def renew(self) -> None:
        """Send the heartbeat that keeps the leases of this manager's jobs."""
        for name in self.jobs:
            vm = self._records.by_name.get(name)
            leased = vm is not None and vm.state in (VmState.PENDING, VmState.DESTROYING)
            if vm is not None and leased and vm.manager == self.name:
                vm.lease = self._records.now + LEASE

    def work(self, name: str) -> None:
        """Take the next step of the job for a VM."""
        _, job = self.jobs[name]
        if next(job, self) is self:
            self.jobs.pop(name, None)

    def act(self) -> None:
        """Carry out the oldest action that was planned."""
        step = self.steps.popleft()
        spec, records = step.spec, self._records
        match step.action:
            case Reserve(wanted):
                names = [next(_names) for _ in range(wanted)]
                reserved = records.reserve(
                    spec.name,
                    spec.provider,
                    names,
                    size=spec.size,
                    slot_limit=spec.slot_limit,
                    request_slot_limit=spec.request_slot_limit,
                    slot_life=spec.timeout,
                    manager=self.name,
                    lease=LEASE,
                    in_round=step.snapshot.revision,
                )
                for name in reserved:
                    self._start(name, spec, self._clone(spec, name, step.snapshot.generation))
            case Serve(most):
                for served in records.serve(spec.name, most):
                    self._cloud.use(served.provider_id, served.ends)
            case FailWaiting():
                while (found := records.requests.head(spec.name)) is not None:
                    self._close(found[0])
            case Clone(vm):
                self._start(vm.name, spec, self._clone(spec, vm.name, step.snapshot.generation))
            case Resolve(vm):
                waited = step.snapshot.now - vm.lease_ends_at
                self._start(vm.name, spec, self._resolve(vm, waited))
            case Watch(vm):
                self._start(vm.name, spec, self._follow(vm.name, vm.attempt, vm.provider_id))
            case Annotate(vm):
                self._start(vm.name, spec, self._annotate(vm.name, vm.provider_id))
            case VerifySuspect(name, bound):
                self._start(name, spec, self._verify_suspect(name, bound))
            case MarkSuspect(name):
                records.set_aside((name,), suspect=True)
            case Retire(name):
                if self._retire(step.action) and step.action.state is VmState.PENDING:
                    self.jobs.pop(name, None)
            case Destroy(names):
                for name in names:
                    claimed = records.claim(name, manager=self.name, lease=LEASE)
                    if claimed is not None:
                        self._start(name, spec, self._destroy(claimed))
            case VerifyMissing(names):
                for name in names:
                    self._start(name, spec, self._verify_missing(name))
            case ClearSuspects(names):
                records.set_aside(names, suspect=False)
            case AdoptOrphan(found, bound):
                assert found.tag is not None
                records.adopt_orphan(
                    found.name,
                    spec.name,
                    spec.provider,
                    provider_id=found.provider_id,
                    attempt=found.tag.attempt,
                    generation=found.tag.generation,
                    bound=bound,
                )
            case AdoptLate(found):
                assert found.tag is not None
                records.created(found.name, found.tag.attempt, found.provider_id, cloned=True)
            case Reinstate(found):
                assert found.tag is not None
                records.reinstate(found.name, found.provider_id, found.tag.ends_at)
            case ResumeDeletion(whole):
                halt = records.halts.get(spec.provider)
                if halt is not None and f"{halt.kind} {halt.pool}" == whole:
                    del records.halts[spec.provider]
            case AwaitSlot() | Forget():
                pass
            case _:
                assert_never(step.action)

    def _close(self, request: str) -> None:
        for returned in self._records.close(request):
            self._cloud.use(returned.provider_id, LONG_AGO)

    def _retire(self, action: Retire) -> bool:
        """Retire a VM; a failed clone is a failed attempt of the request that it would have gone to."""
        bound = action.bound.timestamp() if isinstance(action.bound, datetime) else action.bound
        retired = self._records.retire(
            action.name, action.state, reason=action.reason, guard=action.guard, bound=bound
        )
        if retired and action.failure:
            pool = self._records.by_name[action.name].pool
            if (failed := self._records.requests.charge(pool)) is not None:
                self._close(failed)
        return retired

    def _apply(self, action: Retire | MarkSuspect | ClearSuspects | None) -> None:
        """Carry out what was decided about a VM that was inspected."""
        match action:
            case Retire():
                self._retire(action)
            case MarkSuspect(name):
                self._records.set_aside((name,), suspect=True)
            case ClearSuspects(names):
                self._records.set_aside(names, suspect=False)

    def _start(self, name: str, spec: PoolSpec, job: Iterator[None]) -> None:
        self.jobs.setdefault(name, (spec.name, job))

    def _clone(self, spec: PoolSpec, name: str, generation: str) -> Iterator[None]:
        yield
        attempt = self._records.begin(name, manager=self.name, lease=LEASE)
        if attempt is None:
            return
        yield
        try:
            made = self._cloud.create(OwnershipTag(INSTALLATION, generation, spec.name, name, attempt))
        except CallFailed:
            yield
            self._retire(after_failed_clone(name, "it failed", is_permanent=False))
            return
        yield from self._follow(name, attempt, made.provider_id)

    def _resolve(self, vm: PendingVm, waited: timedelta) -> Iterator[None]:
        yield
        try:
            found = self._cloud.find(vm.name, vm.attempt)
        except CallFailed:
            return
        yield
        if found is not None:
            yield from self._follow(vm.name, vm.attempt, found.provider_id)
        elif waited >= GRACE:
            self._retire(after_lost_clone(vm.name))

    def _follow(self, name: str, attempt: str, provider_id: str) -> Iterator[None]:
        yield
        self._records.created(name, attempt, provider_id, cloned=True)
        yield
        try:
            seen = self._cloud.inspect(provider_id)
        except CallFailed:
            return
        yield
        if (action := while_booting(name, seen)) is not None:
            self._retire(action)
        elif (granted := self._records.promote(name, attempt)) is not None:
            self._cloud.use(provider_id, granted.ends)

    def _annotate(self, name: str, provider_id: str) -> Iterator[None]:
        yield
        vm = self._records.by_name.get(name)
        try:
            self._cloud.annotate(provider_id, vm.ends if vm else self._records.now)
        except CallFailed:
            return
        yield
        if vm is not None:
            vm.untagged = False

    def _verify_missing(self, name: str) -> Iterator[None]:
        yield
        vm = self._records.by_name.get(name)
        if vm is None or vm.state is not VmState.READY:
            return
        try:
            seen = self._cloud.inspect(vm.provider_id)
        except CallFailed:
            seen = None
        yield
        self._apply(after_missing(name, seen))

    def _verify_suspect(self, name: str, bound: int) -> Iterator[None]:
        yield
        vm = self._records.by_name.get(name)
        if vm is None or vm.state is not VmState.READY:
            return
        try:
            seen = self._cloud.inspect(vm.provider_id)
        except CallFailed:
            return
        yield
        self._apply(after_suspicion(name, seen, bound=bound))

    def _destroy(self, vm: Record) -> Iterator[None]:
        yield
        try:
            provider_id = vm.provider_id
            if not provider_id and vm.phase is not ClonePhase.RESERVED:
                found = self._cloud.find(vm.name, vm.attempt)
                waited = self._records.now - vm.completed
                if found is None and waited < GRACE:
                    yield
                    self._records.defer(vm.name, manager=self.name, delay=GRACE - waited)
                    return
                provider_id = found.provider_id if found else ""
            yield
            if provider_id:
                self._cloud.destroy(provider_id, self._records.now, reason=vm.reason)
        except CallFailed:
            yield
            self._records.defer(vm.name, manager=self.name, delay=RETRY)
            return
        yield
        self._records.destroyed(vm.name, vm.attempt)
