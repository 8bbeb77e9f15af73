"""Carries a plan out. Decides nothing: each action has one way to be done."""

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from typing import assert_never

import structlog
from vmpooler_common.store.retirement.retirement import Guard, Outcome

from vmpooler_common.model.pool import Snapshot
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.clones.clones import Reservation
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.core.times import to_ms
from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.clone_slots import SlotQueue
from vmpooler_manager.lifecycle.create import VmCreator
from vmpooler_manager.lifecycle.destroy import VmDestroyer
from vmpooler_manager.lifecycle.inspect import VmInspector
from vmpooler_manager.lifecycle.names import NameGenerator
from vmpooler_manager.metrics.requests import RequestMetrics
from vmpooler_manager.metrics.vms import VmMetrics
from vmpooler_manager.planning.actions import (
    Abandon,
    Action,
    AdoptLate,
    AdoptOrphan,
    Annotate,
    AwaitSlot,
    ClearSuspects,
    Clone,
    Destroy,
    Discard,
    Drain,
    End,
    FailureReason,
    FailWaiting,
    Forget,
    Recycle,
    Reinstate,
    Reserve,
    Resolve,
    ResumeDeletion,
    Serve,
    Shed,
    VerifyMissing,
    VerifySuspect,
    Watch,
)
from vmpooler_manager.planning.planner import missing
from vmpooler_manager.providers.contract import ProviderVm
from vmpooler_manager.runtime.jobs import JobKind, Jobs
from vmpooler_manager.runtime.pool import Pool

log = structlog.get_logger()


class Executor:
    """Does what plans ask for: moves at once, work on VMs as jobs."""

    def __init__(
        self,
        store: Store,
        *,
        manager: str,
        lease: timedelta,
        names: NameGenerator,
        jobs: Jobs,
        cloning: VmCreator,
        destroying: VmDestroyer,
        looking: VmInspector,
        slots: SlotQueue,
        metrics: VmMetrics,
        requests: RequestMetrics,
    ) -> None:
        self._store = store
        self._manager = manager
        self._lease = lease
        self._names = names
        self._jobs = jobs
        self._cloning = cloning
        self._destroying = destroying
        self._looking = looking
        self._slots = slots
        self._metrics = metrics
        self._requests = requests

    async def run(
        self,
        pool: Pool,
        actions: Sequence[Action],
        snapshot: Snapshot,
        *,
        absent_bound: int,
        orphan_bound: int,
    ) -> None:
        """Carry out what was planned on `snapshot`. The bounds are the safety limits of the provider.

        The moves share round trips; if one can't be made, the others are, and the pass fails afterwards.
        """
        moves = [
            move
            for action in actions
            if (move := self._act(pool, action, snapshot, absent_bound, orphan_bound)) is not None
        ]
        results = await asyncio.gather(*moves, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def _act(
        self, pool: Pool, action: Action, snapshot: Snapshot, absent_bound: int, orphan_bound: int
    ) -> Awaitable[object] | None:
        """Start a job, or give the move to await."""
        generation = snapshot.generation
        match action:
            case Reserve(count):
                return self._reserve(pool, count, snapshot)
            case Serve(count):
                return self._serve(pool, count)
            case FailWaiting(reason):
                return self._cloning.fail_waiting(pool, reason)
            case AwaitSlot():
                self._slots.wait(pool)
            case Clone(vm):
                self._clone(pool, vm.name, generation)
            case Resolve(vm):
                work = self._cloning.resolve(pool, vm, waited=snapshot.now - vm.lease_ends_at)
                self._jobs.start(JobKind.WATCH, vm.name, work, pool=pool.name)
            case Watch(vm):
                self._jobs.start(JobKind.WATCH, vm.name, self._cloning.watch(pool, vm), pool=pool.name)
            case Annotate(vm):
                note = self._looking.annotate(pool, vm, generation=generation)
                self._jobs.start(JobKind.LOOK, vm.name, note, pool=pool.name)
            case VerifySuspect(name):
                look = self._looking.verify_suspect(pool, name, bound=absent_bound)
                self._jobs.start(JobKind.LOOK, name, look, pool=pool.name)
            case Abandon(name, reason):
                return self._abandon(pool, name, reason)
            case Shed(name, state):
                return self._shed(pool, name, state)
            case Drain(name, state):
                return self._drain(pool, name, state)
            case Recycle(name, ready_before):
                return self._retire(
                    pool,
                    name,
                    VmState.READY,
                    reason="expired_ready",
                    guard=Guard.READY_BEFORE,
                    bound=to_ms(ready_before),
                )
            case Discard(name, reason):
                return self._retire(pool, name, VmState.READY, reason=reason)
            case End(name):
                return self._end(pool, name)
            case Destroy(names):
                return self._destroy(pool, names)
            case VerifyMissing(names):
                for name in names:
                    look = self._looking.verify_missing(pool, name)
                    self._jobs.start(JobKind.LOOK, name, look, pool=pool.name)
            case ClearSuspects(names):
                return self._trust(pool, names)
            case AdoptOrphan(vm):
                return self._take_in(pool, vm, orphan_bound)
            case AdoptLate(vm):
                return self._recognise(pool, vm)
            case Reinstate(vm):
                return self._looking.reinstate(pool, vm)
            case ResumeDeletion(whole):
                return self._lift_halt(pool, whole)
            case Forget():
                return self._forget(pool)
            case _:
                assert_never(action)
        return None

    def _clone(self, pool: Pool, name: str, generation: str) -> None:
        self._jobs.start(
            JobKind.CLONE, name, self._cloning.clone(pool, name, generation=generation), pool=pool.name
        )

    async def _reserve(self, pool: Pool, count: int, snapshot: Snapshot) -> None:
        spec = pool.spec
        reservation = Reservation(
            pool=spec.name,
            provider=spec.provider,
            domain=pool.domain,
            size=spec.size,
            slot_limit=spec.slot_limit,
            request_slot_limit=spec.request_slot_limit,
            slot_life=spec.timeout,
            revision=snapshot.revision,
        )
        reserved = await self._store.clones.reserve(
            reservation,
            self._names.draw(count + 2 + count // 4),  # some may be in use
            operation=new_operation(),
            manager=self._manager,
            lease=self._lease,
        )
        for name in reserved:
            self._clone(pool, name, snapshot.generation)
        if reserved and pool.checkout_at is not None:
            self._metrics.refill_started((snapshot.now - pool.checkout_at).total_seconds())
            pool.checkout_at = None
        if len(reserved) < missing(spec, snapshot):
            # Names were in use, slots were taken, or the pool was drained meanwhile: a fresh look tells
            # what is still missing.
            pool.poke()

    async def _serve(self, pool: Pool, count: int) -> None:
        for served in await self._store.backlog.serve(pool.name, operation=new_operation(), most=count):
            self._requests.granted(pool.name, served.waited.total_seconds(), warm=True, user=served.user)
            log.info(
                "VM granted",
                vm=served.vm,
                pool=pool.name,
                provider_id=served.provider_id,
                request=served.request,
                user=served.user or None,
                reason="on demand, from the pool",
            )

    async def _abandon(self, pool: Pool, name: str, reason: FailureReason) -> None:
        failure = f"a VM of {pool.name} was not ready in time" if reason == "clone_timeout" else ""
        await self._cloning.abandon(pool, name, reason, failure=failure)
        self._jobs.stop(name)

    async def _shed(self, pool: Pool, name: str, state: VmState) -> None:
        guard = Guard.EXCESS if pool.spec.configured else Guard.LEFT
        if await self._retire(pool, name, state, reason="excess", guard=guard, bound=pool.spec.size):
            self._jobs.stop(name)

    async def _drain(self, pool: Pool, name: str, state: VmState) -> None:
        if await self._retire(pool, name, state, reason="drained", guard=Guard.STALE):
            self._jobs.stop(name)

    async def _retire(
        self,
        pool: Pool,
        name: str,
        state: VmState,
        *,
        reason: FailureReason,
        guard: Guard = Guard.NONE,
        bound: int = 0,
    ) -> bool:
        outcome = await self._store.retirement.retire(
            name, state, operation=new_operation(), reason=reason, guard=guard, bound=bound
        )
        if outcome is Outcome.OK:
            self._metrics.failed(pool.name, reason)
            log.info("VM retired", vm=name, pool=pool.name, reason=reason)
        return outcome is Outcome.OK

    async def _end(self, pool: Pool, name: str) -> None:
        outcome = await self._store.retirement.retire(
            name, VmState.RUNNING, operation=new_operation(), reason="lifetime over", guard=Guard.ENDED
        )
        if outcome is Outcome.OK:
            log.info("lifetime of a VM over", vm=name, pool=pool.name)

    async def _destroy(self, pool: Pool, names: tuple[str, ...]) -> None:
        claimed = await self._store.retirement.claim(
            names, operation=new_operation(), manager=self._manager, lease=self._lease
        )
        for vm in claimed:
            work = self._destroying.destroy(vm, deferred=pool.poke)
            self._jobs.start(JobKind.DESTROY, vm.name, work, pool=vm.pool)

    async def _trust(self, pool: Pool, names: tuple[str, ...]) -> None:
        for name in await self._store.retirement.clear_suspect(pool.name, names):
            log.warning("VM is listed again and ready", vm=name, pool=pool.name)

    async def _take_in(self, pool: Pool, vm: ProviderVm, bound: int) -> None:
        if vm.tag is None:
            return
        outcome = await self._store.retirement.adopt_orphan(
            vm.name,
            pool=pool.name,
            provider=pool.spec.provider,
            domain=pool.domain,
            provider_id=vm.provider_id,
            attempt=vm.tag.attempt,
            generation=vm.tag.generation,
            bound=bound,
        )
        if outcome is Outcome.OK:
            self._metrics.failed(pool.name, "orphan")
            log.warning("unknown VM with our tag will be destroyed", vm=vm.name, provider_id=vm.provider_id)

    async def _recognise(self, pool: Pool, vm: ProviderVm) -> None:
        if vm.tag is None:
            return
        state = await self._store.clones.created(
            vm.name, vm.tag.attempt, provider_id=vm.provider_id, ip=vm.ip, host=vm.host, cloned=True
        )
        if state is VmState.COMPLETED:
            self._metrics.failed(pool.name, "late")
            log.warning("VM that was given up appeared late", vm=vm.name, provider_id=vm.provider_id)

    async def _lift_halt(self, pool: Pool, whole: str) -> None:
        if await self._store.retirement.resume(pool.spec.provider, whole=whole):
            log.warning("the listing is whole again, destroying goes on", provider=pool.spec.provider)

    async def _forget(self, pool: Pool) -> None:
        if await self._store.leases.forget(pool.name):
            log.info("pool that left the configuration is empty and forgotten", pool=pool.name)
