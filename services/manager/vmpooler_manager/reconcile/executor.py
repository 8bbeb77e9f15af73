"""Carries a plan out. Decides nothing: each action has one way to be done."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import assert_never

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.model.pool import Snapshot
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.clones.clones import Reservation
from vmpooler_common.store.core.scripts import new_operation
from vmpooler_common.store.retirement.retirement import Orphan, Outcome
from vmpooler_common.store.store import Store
from vmpooler_manager.lifecycle.lifecycle import Lifecycle
from vmpooler_manager.metrics import ManagerMetrics
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
from vmpooler_manager.providers.contract import ProviderVm
from vmpooler_manager.runtime.identity import ManagerIdentity
from vmpooler_manager.runtime.jobs import JobKind, Jobs
from vmpooler_manager.runtime.pool import Pool

log = structlog.get_logger()


class Executor:
    """Does what plans ask for: moves at once, work on VMs as jobs."""

    def __init__(
        self,
        store: Store,
        *,
        identity: ManagerIdentity,
        lifecycle: Lifecycle,
        jobs: Jobs,
        metrics: ManagerMetrics,
    ) -> None:
        self._store = store
        self._identity = identity
        self._lifecycle = lifecycle
        self._jobs = jobs
        self._metrics = metrics

    async def run(self, pool: Pool, actions: Sequence[Action], snapshot: Snapshot) -> None:
        """Carry out what was planned on `snapshot`.

        The moves share round trips; if one can't be made, the others are, and the pass fails afterwards.
        """
        moves = [move for action in actions if (move := self._act(pool, action, snapshot)) is not None]
        results = await asyncio.gather(*moves, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result

    def _act(self, pool: Pool, action: Action, snapshot: Snapshot) -> Awaitable[object] | None:
        """Start a job, or give the move to await."""
        do = self._lifecycle
        match action:
            case Reserve() if pool.checks_names:
                # Beside the loop: DNS may be slow.
                work = self._reserve(pool, action, snapshot)
                self._jobs.start(JobKind.INSPECT, f"names of {pool.name}", work, pool=pool.name)
            case Reserve():
                return self._reserve(pool, action, snapshot)
            case Serve(count):
                return self._serve(pool, count)
            case NoteAddress(vm):
                return self._note_address(pool, vm)
            case FailWaiting(reason):
                return do.failures.fail_waiting(pool, reason)
            case Retire():
                return self._retire(pool, action)
            case Destroy(names):
                return self._destroy(pool, names)
            case MarkSuspect() | ClearSuspects():
                return do.inspector.apply(pool, action)
            case AdoptOrphan(vm, bound):
                return self._adopt_orphan(pool, vm, bound)
            case AdoptLate(vm):
                return self._adopt_late(pool, vm)
            case Reinstate(vm):
                return do.ownership.reinstate(pool, vm)
            case ResumeDeletion(whole):
                return self._resume_deletion(pool, whole)
            case Forget():
                return self._forget(pool)
            case AwaitSlot():
                do.slots.wait(pool)
            case Prepare():
                work = do.creator.prepare(pool)
                self._jobs.start(JobKind.INSPECT, f"preparation of {pool.name}", work, pool=pool.name)
            case (
                Clone()
                | Resolve()
                | Watch()
                | Annotate()
                | SettleRecords()
                | VerifyMissing()
                | VerifySuspect()
            ):
                self._start(pool, action, snapshot)
            case _:
                assert_never(action)
        return None

    def _start(
        self,
        pool: Pool,
        action: Clone | Resolve | Watch | Annotate | SettleRecords | VerifyMissing | VerifySuspect,
        snapshot: Snapshot,
    ) -> None:
        """Start the job, or jobs, that an action asks for."""
        do, jobs = self._lifecycle, self._jobs
        match action:
            case Clone(vm):
                self._clone(pool, vm.name, snapshot.generation)
            case Resolve(vm):
                work = do.creator.resolve(pool, vm, waited=snapshot.now - vm.lease_ends_at)
                jobs.start(JobKind.WATCH, vm.name, work, pool=pool.name)
            case Watch(vm):
                work = do.creator.watch(pool, vm, waited=snapshot.now - vm.reserved_at)
                jobs.start(JobKind.WATCH, vm.name, work, pool=pool.name)
            case Annotate(vm):
                note = self._annotate(pool, action, snapshot.generation)
                jobs.start(JobKind.INSPECT, vm.name, note, pool=pool.name)
            case SettleRecords(vm):
                settling = do.records.settle(pool, vm, generation=snapshot.generation)
                jobs.start(JobKind.INSPECT, vm.name, settling, pool=pool.name)
            case VerifyMissing(names):
                for name in names:
                    work = do.inspector.verify_missing(pool, name)
                    jobs.start(JobKind.INSPECT, name, work, pool=pool.name)
            case VerifySuspect(name):
                work = do.inspector.verify_suspect(pool, action)
                jobs.start(JobKind.INSPECT, name, work, pool=pool.name)
            case _:
                assert_never(action)

    async def _annotate(self, pool: Pool, action: Annotate, generation: str) -> None:
        noted = await self._lifecycle.ownership.annotate(pool, action.vm, generation=generation)
        if noted and action.migration_limit:
            await self._lifecycle.migrator.migrate(pool, action.vm, limit=action.migration_limit)

    def _clone(self, pool: Pool, name: str, generation: str) -> None:
        work = self._lifecycle.creator.clone(pool, name, generation=generation)
        self._jobs.start(JobKind.CLONE, name, work, pool=pool.name)

    async def _reserve(self, pool: Pool, action: Reserve, snapshot: Snapshot) -> None:
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
        # Some of them may be in use.
        names = await self._lifecycle.names.draw(pool, action.count + 2 + action.count // 4)
        reserved = await self._store.clones.reserve(
            reservation,
            names,
            operation=new_operation(),
            manager=self._identity.name,
            lease=self._identity.lease,
        )
        for name in reserved:
            self._clone(pool, name, snapshot.generation)
        if reserved and pool.checkout_at is not None:
            self._metrics.vms.refill_started((snapshot.now - pool.checkout_at).total_seconds())
            pool.checkout_at = None
        if len(reserved) < action.missing:
            # Names were in use, slots were taken, or the pool was drained meanwhile: the next pass sees
            # what is still missing.
            pool.poke()

    async def _serve(self, pool: Pool, count: int) -> None:
        for served in await self._store.backlog.serve(pool.name, operation=new_operation(), most=count):
            self._metrics.requests.granted(
                pool.name, served.waited.total_seconds(), warm=True, user=served.user
            )
            log.info(
                EventName.VM_CHECKED_OUT,
                vm=served.vm,
                pool=pool.name,
                provider_id=served.provider_id,
                request=served.request,
                user=served.user,
                reason="on demand, from the pool",
            )

    async def _retire(self, pool: Pool, action: Retire) -> None:
        if await self._lifecycle.retirer.retire(pool.name, action) and action.state is VmState.PENDING:
            self._jobs.stop(action.name)
            if action.reason == "clone_timeout":
                pool.boots.failed(asyncio.get_running_loop().time(), reason=action.failure)

    async def _destroy(self, pool: Pool, names: tuple[str, ...]) -> None:
        claimed = await self._store.retirement.claim(
            names, operation=new_operation(), manager=self._identity.name, lease=self._identity.lease
        )
        for vm in claimed:
            work = self._lifecycle.destroyer.destroy(vm, pool)
            self._jobs.start(JobKind.DESTROY, vm.name, work, pool=vm.pool)

    async def _adopt_orphan(self, pool: Pool, vm: ProviderVm, bound: int) -> None:
        if vm.tag is None:
            return
        outcome = await self._store.retirement.adopt_orphan(
            Orphan(
                vm.name,
                pool=pool.name,
                provider=pool.spec.provider,
                domain=pool.domain,
                provider_id=vm.provider_id,
                attempt=vm.tag.attempt,
                generation=vm.tag.generation,
            ),
            bound=bound,
        )
        if outcome is Outcome.OK:
            self._metrics.vms.failed(pool.name, "orphan")
            log.warning(
                EventName.VM_ADOPTED,
                vm=vm.name,
                pool=pool.name,
                provider_id=vm.provider_id,
                reason="an orphan: our tag and no record",
            )

    async def _adopt_late(self, pool: Pool, vm: ProviderVm) -> None:
        if vm.tag is None:
            return
        state = await self._store.clones.created(
            vm.name, vm.tag.attempt, provider_id=vm.provider_id, ip=vm.ip, host=vm.host, cloned=True
        )
        if state is VmState.COMPLETED:
            self._metrics.vms.failed(pool.name, "late")
            log.warning(
                EventName.VM_ADOPTED,
                vm=vm.name,
                pool=pool.name,
                provider_id=vm.provider_id,
                reason="it appeared after its clone was given up",
            )

    async def _note_address(self, pool: Pool, vm: ProviderVm) -> None:
        if vm.tag is None:
            return
        noted = await self._store.clones.created(
            vm.name, vm.tag.attempt, provider_id=vm.provider_id, ip=vm.ip, host=vm.host, cloned=True
        )
        if noted is not None:
            log.info(EventName.VM_ADDRESS_CHANGED, vm=vm.name, pool=pool.name, ip=vm.ip, host=vm.host)

    async def _resume_deletion(self, pool: Pool, whole: str) -> None:
        provider = pool.spec.provider
        if await self._store.retirement.resume_when_whole(provider, whole=whole):
            log.warning(
                EventName.PROVIDER_DELETION_RESUMED, provider=provider, reason="the listing is whole again"
            )

    async def _forget(self, pool: Pool) -> None:
        if await self._store.leases.forget(pool.name):
            log.info(EventName.POOL_FORGOTTEN, pool=pool.name)
