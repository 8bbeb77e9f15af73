"""A manager of the small world: observes the real store, plans with the real planner, acts step by step.

Its jobs are generators that stop before every call to the store or the cloud, so that it can die, sleep or
be overtaken at each of these points; the real ones are coroutines, which nobody can stop there. What it
decides is `planning`'s, what it does is the store's.
"""

from collections import deque
from collections.abc import Collection, Coroutine, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any, TypeVar, assert_never

from tests.worlds.cloud import GRACE, CallFailed, ProviderClient
from tests.worlds.judge import judge_plan
from tests.worlds.records import LONG_AGO, Record, Records
from vmpooler_common.model.pool import PendingVm, Snapshot, UntaggedVm
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.clones.clones import Reservation
from vmpooler_common.store.retirement.retirement import (
    Condition,
    Destruction,
    FailedAttempt,
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
from vmpooler_manager.providers.contract import OwnershipTag, ProviderVm
from vmpooler_manager.runtime.clock import ClockGuard

LEASE = timedelta(seconds=5)
RETRY = timedelta(seconds=5)
MOST_ATTEMPTS = 3
"""Failed clones of one item before its request fails (`max_vm_retries`)."""
INSTALLATION = "lab"

T = TypeVar("T")

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
        self._store = records.store
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
            beat = self._store.leases.heartbeat(self.name, lease=LEASE, pools=[], working_on=list(self.jobs))
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
                self._ending(self._store.backlog.fail_waiting(step.spec.name, reason))
            case Retire(name):
                if self._apply(step.spec.name, step.action) and step.action.state is VmState.PENDING:
                    self.jobs.pop(name, None)
            case MarkSuspect() | ClearSuspects():
                self._apply(step.spec.name, step.action)
            case AdoptOrphan(found, bound):
                self._adopt_orphan(step.spec, found, bound)
            case AdoptLate(found):
                assert found.tag is not None
                self._created(found.name, found.tag.attempt, found.provider_id)
            case Reinstate(found):
                self._reinstate(found)
            case ResumeDeletion(whole):
                self._records.run(self._store.retirement.resume_when_whole(step.spec.provider, whole=whole))
            case AwaitSlot() | Forget():
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
                self._start(vm.name, spec, self._clone(spec, vm.name, step.snapshot.generation))
            case Resolve(vm):
                waited = step.snapshot.now - vm.lease_ends_at
                self._start(vm.name, spec, self._resolve(spec, vm, waited))
            case Watch(vm):
                self._start(vm.name, spec, self._follow(spec, vm.name, vm.attempt, vm.provider_id))
            case Annotate(vm):
                self._start(vm.name, spec, self._annotate(spec, vm))
            case VerifySuspect(name, bound):
                self._start(name, spec, self._verify_suspect(spec, name, bound))
            case VerifyMissing(names):
                for name in names:
                    self._start(name, spec, self._verify_missing(spec, name))
            case Destroy(names):
                claim = self._store.retirement.claim(
                    names, operation=self._records.operation(), manager=self.name, lease=LEASE
                )
                for claimed in self._records.run(claim):
                    self._start(claimed.name, spec, self._destroy(claimed))
            case _:
                assert_never(action)

    def _reserve(self, step: Step, wanted: int) -> None:
        spec = step.spec
        names = [next(_names) for _ in range(wanted)]
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
            self._start(name, spec, self._clone(spec, name, step.snapshot.generation))

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
        self._records.run(self._store.retirement.adopt_orphan(orphan, bound=bound))

    def _reinstate(self, found: ProviderVm) -> None:
        assert found.tag is not None
        self._records.run(
            self._store.checkouts.reinstate(
                found.name,
                operation=self._records.operation(),
                provider_id=found.provider_id,
                user="ann",
                ends_at=found.tag.ends_at,
            )
        )

    def _apply(self, pool: str, action: Retire | MarkSuspect | ClearSuspects | None) -> bool:
        """Carry out what was decided about single VMs; whether a VM was retired."""
        match action:
            case Retire():
                attempt = FailedAttempt(action.failure, MOST_ATTEMPTS) if action.failure else None
                outcome = self._ending(
                    self._store.retirement.retire(
                        action.name,
                        action.state,
                        operation=self._records.operation(),
                        reason=action.reason,
                        condition=Condition(action.guard, action.bound),
                        failed_attempt=attempt,
                    )
                )
                return outcome is Outcome.OK
            case MarkSuspect(name):
                self._records.run(self._store.retirement.mark_suspect(pool, [name]))
            case ClearSuspects(names):
                self._records.run(self._store.retirement.clear_suspect(pool, names))
        return False

    def _ending(self, call: Coroutine[Any, Any, T]) -> T:
        """Make a call that may end requests; whoever had their VMs is done with them."""
        before = {vm.name: vm.provider_id for vm in self._running()}
        result = self._records.run(call)
        for name in before.keys() - {vm.name for vm in self._running()}:
            self._cloud.use(before[name], LONG_AGO)
        return result

    def _running(self) -> list[Record]:
        return [vm for vm in self._records.by_name.values() if vm.state is VmState.RUNNING]

    def _start(self, name: str, spec: PoolSpec, job: Iterator[None]) -> None:
        self.jobs.setdefault(name, (spec.name, job))

    def _clone(self, spec: PoolSpec, name: str, generation: str) -> Iterator[None]:
        yield
        attempt = self._records.run(
            self._store.clones.begin(
                name, operation=self._records.operation(), manager=self.name, lease=LEASE
            )
        )
        if attempt is None:
            return
        yield
        try:
            made = self._cloud.create(OwnershipTag(INSTALLATION, generation, spec.name, name, attempt))
        except CallFailed:
            yield
            self._apply(spec.name, after_failed_clone(name, "it failed", is_permanent=False))
            return
        yield from self._follow(spec, name, attempt, made.provider_id)

    def _resolve(self, spec: PoolSpec, vm: PendingVm, waited: timedelta) -> Iterator[None]:
        yield
        try:
            found = self._cloud.find(vm.name, vm.attempt)
        except CallFailed:
            return
        yield
        if found is not None:
            yield from self._follow(spec, vm.name, vm.attempt, found.provider_id)
        elif waited >= GRACE:
            self._apply(spec.name, after_lost_clone(vm.name))

    def _follow(self, spec: PoolSpec, name: str, attempt: str, provider_id: str) -> Iterator[None]:
        yield
        self._created(name, attempt, provider_id)
        yield
        try:
            seen = self._cloud.inspect(provider_id)
        except CallFailed:
            return
        yield
        if (action := while_booting(name, seen)) is not None:
            self._apply(spec.name, action)
            return
        promoted = self._records.run(
            self._store.clones.promote(name, attempt, operation=self._records.operation())
        )
        if promoted is not None and promoted.request:
            self._cloud.use(provider_id, self._records.by_name[name].ends)

    def _created(self, name: str, attempt: str, provider_id: str) -> None:
        self._records.run(
            self._store.clones.created(
                name, attempt, provider_id=provider_id, ip=None, host=None, cloned=True
            )
        )

    def _annotate(self, spec: PoolSpec, vm: UntaggedVm) -> Iterator[None]:
        yield
        try:
            self._cloud.annotate(vm.provider_id, vm.ends_at)
        except CallFailed:
            return
        yield
        self._records.run(self._store.views.tagged(spec.name, vm))

    def _verify_missing(self, spec: PoolSpec, name: str) -> Iterator[None]:
        yield
        vm = self._records.by_name.get(name)
        if vm is None or vm.state is not VmState.READY:
            return
        try:
            seen = self._cloud.inspect(vm.provider_id)
        except CallFailed:
            seen = None
        yield
        self._apply(spec.name, after_missing(name, seen))

    def _verify_suspect(self, spec: PoolSpec, name: str, bound: int) -> Iterator[None]:
        yield
        vm = self._records.by_name.get(name)
        if vm is None or vm.state is not VmState.READY:
            return
        try:
            seen = self._cloud.inspect(vm.provider_id)
        except CallFailed:
            return
        yield
        self._apply(spec.name, after_suspicion(name, seen, bound=bound))

    def _destroy(self, vm: Destruction) -> Iterator[None]:
        yield
        try:
            provider_id = vm.provider_id
            if not provider_id and vm.asked:
                found = self._cloud.find(vm.name, vm.attempt)
                if found is None and vm.waiting < GRACE:
                    yield
                    self._defer(vm, GRACE - vm.waiting)
                    return
                provider_id = found.provider_id if found else ""
            yield
            if provider_id:
                self._cloud.destroy(provider_id, self._records.now, reason=vm.reason)
        except CallFailed:
            yield
            self._defer(vm, RETRY)
            return
        yield
        self._records.run(self._store.retirement.destroyed(vm.name, vm.attempt, provider_id=provider_id))

    def _defer(self, vm: Destruction, delay: timedelta) -> None:
        self._records.run(self._store.retirement.defer(vm.name, manager=self.name, delay=delay))
