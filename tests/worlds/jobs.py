"""What a manager of the small world does for single VMs, step by step.

Jobs are generators that stop before every call to the store or the cloud, so that their manager can die,
sleep or be overtaken at each of these points; the real ones are coroutines, which nobody can stop there.
"""

from collections.abc import Coroutine, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from tests.worlds.cloud import GRACE, CallFailed, ProviderClient
from tests.worlds.effects import facts, judge_retirement
from tests.worlds.record import LONG_AGO, Record
from tests.worlds.records import Records
from vmpooler_common.model.pool import PendingVm, UntaggedVm
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.retirement.retirement import Condition, Destruction, FailedAttempt, Outcome
from vmpooler_manager.planning.actions import ClearSuspects, MarkSuspect, Retire
from vmpooler_manager.planning.inspection import (
    after_failed_clone,
    after_lost_clone,
    after_missing,
    after_suspicion,
    while_booting,
)
from vmpooler_manager.planning.spec import PoolSpec
from vmpooler_manager.providers.contract import OwnershipTag
from vmpooler_manager.providers.errors import TransientError

LEASE = timedelta(seconds=5)
RETRY = timedelta(seconds=5)
MOST_ATTEMPTS = 3
"""Failed clones of one item before its request fails (`max_vm_retries`)."""
INSTALLATION = "lab"

T = TypeVar("T")


class Jobs:
    """The jobs of one manager, and the changes that they have in common with its plans."""

    def __init__(self, manager: str, records: Records, cloud: ProviderClient) -> None:
        self._manager = manager
        self._records = records
        self._store = records.store
        self._cloud = cloud

    def apply(self, pool: str, action: Retire | MarkSuspect | ClearSuspects | None) -> bool:
        """Carry out what was decided about single VMs; whether a VM was retired."""
        match action:
            case Retire():
                before = facts(self._records, pool)
                attempt = FailedAttempt(action.failure, MOST_ATTEMPTS) if action.failure else None
                outcome = self.ending(
                    self._store.retirement.retire(
                        action.name,
                        action.state,
                        operation=self._records.operation(),
                        reason=action.reason,
                        condition=Condition(action.guard, action.bound),
                        failed_attempt=attempt,
                    )
                )
                judge_retirement(action, self._records, before)
                return outcome is Outcome.OK
            case MarkSuspect(name):
                self._records.run(self._store.retirement.mark_suspect(pool, [name]))
            case ClearSuspects(names):
                self._records.run(self._store.retirement.clear_suspect(pool, names))
        return False

    def ending(self, call: Coroutine[Any, Any, T]) -> T:
        """Make a call that may end requests; whoever had their VMs is done with them."""
        before = {vm.name: vm.provider_id for vm in self._running()}
        result = self._records.run(call)
        for name in before.keys() - {vm.name for vm in self._running()}:
            self._cloud.use(before[name], LONG_AGO)
        return result

    def _running(self) -> list[Record]:
        return [vm for vm in self._records.by_name.values() if vm.state is VmState.RUNNING]

    def clone(self, spec: PoolSpec, name: str, generation: str) -> Iterator[None]:
        yield
        attempt = self._records.run(
            self._store.clones.begin(
                name, operation=self._records.operation(), manager=self._manager, lease=LEASE
            )
        )
        if attempt is None:
            return
        yield
        try:
            made = self._cloud.create(OwnershipTag(INSTALLATION, generation, spec.name, name, attempt))
        except CallFailed:
            yield
            self.apply(spec.name, after_failed_clone(name, TransientError("it failed")))
            return
        yield from self.follow(spec, name, attempt, made.provider_id)

    def resolve(self, spec: PoolSpec, vm: PendingVm, waited: timedelta) -> Iterator[None]:
        yield
        try:
            found = self._cloud.find(vm.name, vm.attempt)
        except CallFailed:
            return
        yield
        if found is not None:
            yield from self.follow(spec, vm.name, vm.attempt, found.provider_id)
        elif waited >= GRACE:
            self.apply(spec.name, after_lost_clone(vm.name))

    def follow(self, spec: PoolSpec, name: str, attempt: str, provider_id: str) -> Iterator[None]:
        yield
        self.created(name, attempt, provider_id)
        yield
        try:
            seen = self._cloud.inspect(provider_id)
        except CallFailed:
            return
        yield
        if (action := while_booting(name, seen)) is not None:
            self.apply(spec.name, action)
            return
        promoted = self._records.run(
            self._store.clones.promote(name, attempt, operation=self._records.operation())
        )
        if promoted is not None and promoted.request:
            self._cloud.use(provider_id, self._records.by_name[name].ends)

    def created(self, name: str, attempt: str, provider_id: str) -> None:
        self._records.run(
            self._store.clones.created(
                name, attempt, provider_id=provider_id, ip=None, host=None, cloned=True
            )
        )

    def annotate(self, spec: PoolSpec, vm: UntaggedVm) -> Iterator[None]:
        yield
        try:
            self._cloud.annotate(vm.provider_id, vm.ends_at)
        except CallFailed:
            return
        yield
        self._records.run(self._store.views.tagged(spec.name, vm))

    def verify_missing(self, spec: PoolSpec, name: str) -> Iterator[None]:
        yield
        vm = self._records.by_name.get(name)
        if vm is None or vm.state is not VmState.READY:
            return
        try:
            seen = self._cloud.inspect(vm.provider_id)
        except CallFailed:
            seen = None
        yield
        self.apply(spec.name, after_missing(name, seen))

    def verify_suspect(self, spec: PoolSpec, name: str, bound: int) -> Iterator[None]:
        yield
        vm = self._records.by_name.get(name)
        if vm is None or vm.state is not VmState.READY:
            return
        try:
            seen = self._cloud.inspect(vm.provider_id)
        except CallFailed:
            return
        yield
        self.apply(spec.name, after_suspicion(name, seen, bound=bound))

    def destroy(self, vm: Destruction) -> Iterator[None]:
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
        self._records.run(self._store.retirement.defer(vm.name, manager=self._manager, delay=delay))
