"""The store of the small world: what the scripts do, on plain dictionaries.

One method for each script that plans lead to, with the same checks before the same effects.
"""

from collections import Counter
from datetime import datetime, timedelta

from tests.unit.manager.world.record import NEVER, START, Record
from tests.unit.manager.world.requests import Requests
from vmpooler_common.model.pool import DeletionPause
from vmpooler_common.model.vm import ClonePhase, Guard, VmState
from vmpooler_common.store.retirement.retirement import Outcome

WINDOW = timedelta(minutes=10)
ON_DEMAND_LIFETIME = timedelta(hours=2)


class Records:
    """All records of one data set, and the clock by which everything is judged."""

    def __init__(self) -> None:
        self.now = START
        self.generation = "generation-0"
        self.by_name: dict[str, Record] = {}
        self.slots: dict[str, datetime] = {}
        self.requests = Requests()
        self.sizes: dict[str, int] = {}
        """What was set through the API."""
        self.rounds: Counter[str] = Counter()
        self.halts: dict[str, DeletionPause] = {}
        self.reaped: dict[tuple[str, str], list[datetime]] = {}
        self._operations = 0

    def of(self, pool: str, state: VmState) -> list[Record]:
        """List the records of a pool in a state; suspects and stale VMs are ready, too."""
        return [vm for vm in self.by_name.values() if vm.pool == pool and vm.state is state]

    def alive(self, pool: str) -> int:
        """Count what fills a pool."""
        return len(self.to_hand_out(pool)) + len(self.of(pool, VmState.PENDING))

    def to_hand_out(self, pool: str) -> list[Record]:
        """List what is ready and not set aside, the oldest first."""
        ready = [vm for vm in self.of(pool, VmState.READY) if not vm.suspect and not vm.stale]
        return sorted(ready, key=lambda vm: vm.ready)

    def clones(self, pool: str) -> int:
        """Count the slots of a pool that have not lapsed."""
        return sum(
            until >= self.now and self.by_name[name].pool == pool for name, until in self.slots.items()
        )

    @property
    def slots_in_use(self) -> tuple[int, int]:
        """Count the slots for requests and for pools: of a pool's clones the first go to its backlog."""
        pools = {self.by_name[name].pool for name in self.slots}
        for_requests = sum(min(self.clones(pool), self.requests.backlog(pool)) for pool in pools)
        return for_requests, sum(map(self.clones, pools)) - for_requests

    def size_of(self, pool: str, configured: float) -> float:
        """Give the size that is wanted of a configured pool."""
        return self.sizes.get(pool, configured)

    def drain(self, pool: str) -> None:
        """Set aside what is ready, and have it and what is pending retired."""
        self.rounds[pool] += 1
        for vm in self.of(pool, VmState.READY):
            vm.stale, vm.suspect = True, False

    def lose_everything(self) -> None:
        """Forget every key, as FLUSHALL does; a manager then names the new data set."""
        number = int(self.generation.rpartition("-")[2]) + 1
        now = self.now
        Records.__init__(self)
        self.now, self.generation = now, f"generation-{number}"

    # Making

    def reserve(
        self,
        pool: str,
        provider: str,
        names: list[str],
        *,
        size: int,
        slot_limit: int,
        request_slot_limit: int,
        slot_life: timedelta,
        manager: str,
        lease: timedelta,
        in_round: int,
    ) -> list[str]:
        """Reserve as many names as the pool lacks and as slots are free.

        While some of the backlog is without a clone for want of a slot, nothing is cloned for the pool: what
        is cloned next counts for the backlog.
        """
        if in_round != self.rounds[pool]:
            return []
        backlog = self.requests.backlog(pool)
        missing = max(0, int(self.size_of(pool, size)) + backlog - self.alive(pool))
        wanted = min(missing, max(0, backlog - self.clones(pool)))
        requests_used, pools_used = self.slots_in_use
        free = min(wanted, max(0, request_slot_limit - requests_used))
        if free == wanted:
            free += min(missing - wanted, max(0, slot_limit - pools_used))
        reserved = names[:free]
        for name in reserved:
            self.by_name[name] = Record(
                name,
                pool,
                provider,
                VmState.PENDING,
                attempt=f"attempt-of-{name}",
                manager=manager,
                reserved=self.now,
                lease=self.now + lease,
                revision=in_round,
            )
            self.slots[name] = self.now + slot_life
        return reserved

    def begin(self, name: str, *, manager: str, lease: timedelta) -> str | None:
        """Give the attempt for `create`, at most once for a name."""
        vm = self.by_name.get(name)
        if vm is None or vm.state is not VmState.PENDING or vm.phase is not ClonePhase.RESERVED:
            return None
        vm.phase, vm.manager, vm.lease = ClonePhase.CREATING, manager, self.now + lease
        return vm.attempt

    def created(self, name: str, attempt: str, provider_id: str, *, cloned: bool) -> VmState | None:
        """Note the provider's id; what was given up goes to destruction under it."""
        vm = self.by_name.get(name)
        if vm is None or vm.attempt != attempt:
            return None
        if vm.state is VmState.GONE:
            vm.move(VmState.COMPLETED)
            vm.reason, vm.gone, vm.completed, vm.lease = "late", None, self.now, self.now
        elif vm.state is VmState.COMPLETED and not vm.provider_id:
            vm.lease = min(vm.lease, self.now)
        elif vm.state is VmState.PENDING:
            vm.phase = ClonePhase.CREATED
            if cloned:
                vm.cloned = True
                self.slots.pop(name, None)
        vm.provider_id = provider_id
        return vm.state

    def promote(self, name: str, attempt: str) -> Record | None:
        """Make a created VM ready, or give it to the request that is next; give it if a request has it."""
        vm = self.by_name.get(name)
        if (
            vm is None
            or vm.attempt != attempt
            or vm.state is not VmState.PENDING
            or vm.phase is not ClonePhase.CREATED
        ):
            return None
        self.slots.pop(name, None)
        is_granted = self.requests.grant(vm.pool, name)
        if not is_granted and vm.revision != self.rounds[vm.pool]:
            self._complete(vm, "drained")
            return None
        vm.move(VmState.READY)
        vm.ready = self.now
        if not is_granted:
            return None
        self._hand_out(vm, ON_DEMAND_LIFETIME)
        return vm

    # Using

    def check_out(self, pool: str, lifetime: timedelta | None) -> Record | None:
        """Hand out the oldest ready VM."""
        ready = self.to_hand_out(pool)
        if not ready:
            return None
        vm = ready[0]
        self._hand_out(vm, lifetime)
        return vm

    def serve(self, pool: str, most: int) -> list[Record]:
        """Give the oldest ready VMs to requests."""
        served = []
        for vm in self.to_hand_out(pool)[:most]:
            if self.requests.grant(pool, vm.name):
                self._hand_out(vm, ON_DEMAND_LIFETIME)
                served.append(vm)
        return served

    def close(self, request: str) -> list[Record]:
        """End a request and take its VMs back; give those that were running."""
        vms = [self.by_name[name] for name in self.requests.close(request) if name in self.by_name]
        running = [vm for vm in vms if vm.state is VmState.RUNNING]
        for vm in running:
            self._complete(vm, "request over")
        return running

    def _hand_out(self, vm: Record, lifetime: timedelta | None) -> None:
        vm.move(VmState.RUNNING)
        vm.ends = NEVER if lifetime is None else self.now + lifetime
        vm.untagged = True

    def reinstate(self, name: str, provider_id: str, ends: datetime | None) -> None:
        """Give a ready VM back to whom its tag names."""
        vm = self.by_name.get(name)
        if vm is not None and vm.state is VmState.READY and vm.provider_id == provider_id:
            vm.move(VmState.RUNNING)
            vm.ends = NEVER if ends is None else ends
            vm.suspect = vm.stale = False

    def release(self, name: str) -> None:
        """Take a running VM back."""
        self._complete(self.by_name[name], "returned")

    # Ending

    def retire(
        self, name: str, state: VmState, *, reason: str, guard: Guard = Guard.NONE, bound: float = 0
    ) -> bool:
        """Leave a VM to destruction unless the guard says no."""
        vm = self.by_name.get(name)
        if vm is None or vm.state is not state:
            return False
        match guard:
            case Guard.EXCESS | Guard.LEFT:
                size = self.size_of(vm.pool, bound) if guard is Guard.EXCESS else 0
                if self.alive(vm.pool) <= size + self.requests.backlog(vm.pool):
                    return False
            case Guard.STALE:
                pending = len(self.of(vm.pool, VmState.PENDING))
                is_needed = state is VmState.PENDING and pending <= self.requests.backlog(vm.pool)
                if vm.revision == self.rounds[vm.pool] or is_needed:
                    return False
            case Guard.READY_BEFORE if vm.ready.timestamp() > bound:
                return False
            case Guard.ENDED if vm.ends > self.now:
                return False
            case Guard.UNSEEN:
                if not vm.suspect or vm.provider in self.halts:
                    return False
                if not self._reap(vm.provider, "absent", vm.pool, int(bound)):
                    return False
            case _:
                pass
        self._complete(vm, reason)
        return True

    def adopt_orphan(
        self,
        name: str,
        pool: str,
        provider: str,
        *,
        provider_id: str,
        attempt: str,
        generation: str,
        bound: int,
    ) -> Outcome:
        """Leave an orphan to destruction."""
        if name in self.by_name:
            return Outcome.KNOWN
        if generation != self.generation:
            return Outcome.FOREIGN
        if provider in self.halts or not self._reap(provider, "orphan", pool, bound):
            return Outcome.DELETION_PAUSED
        self.by_name[name] = Record(
            name,
            pool,
            provider,
            VmState.COMPLETED,
            attempt=attempt,
            phase=ClonePhase.CREATED,
            provider_id=provider_id,
            completed=self.now,
            lease=self.now,
            reason="orphan",
        )
        return Outcome.OK

    def claim(self, name: str, *, manager: str, lease: timedelta) -> Record | None:
        """Take over a destruction that is due."""
        vm = self.by_name.get(name)
        if vm is None or vm.state not in (VmState.COMPLETED, VmState.DESTROYING):
            return None
        if vm.lease > self.now or vm.provider in self.halts:
            return None
        if vm.state is VmState.COMPLETED:
            vm.move(VmState.DESTROYING)
        vm.manager, vm.lease = manager, self.now + lease
        return vm

    def destroyed(self, name: str, attempt: str) -> None:
        """Note that the provider has no such VM any more."""
        vm = self.by_name.get(name)
        if vm is not None and vm.state is VmState.DESTROYING and vm.attempt == attempt:
            vm.move(VmState.GONE)
            vm.gone = self.now

    def defer(self, name: str, *, manager: str, delay: timedelta) -> None:
        """Try a claimed destruction again later."""
        vm = self.by_name.get(name)
        if vm is not None and vm.state is VmState.DESTROYING and vm.manager == manager:
            vm.lease = self.now + delay

    def set_aside(self, names: tuple[str, ...], *, suspect: bool) -> None:
        """Doubt or trust ready VMs."""
        for name in names:
            vm = self.by_name.get(name)
            if vm is not None and vm.state is VmState.READY and not vm.stale:
                vm.suspect = suspect

    def _complete(self, vm: Record, reason: str) -> None:
        vm.move(VmState.COMPLETED)
        vm.reason, vm.completed, vm.lease = reason, self.now, self.now
        vm.suspect = vm.stale = vm.untagged = False
        self.slots.pop(vm.name, None)

    def _reap(self, provider: str, kind: str, pool: str, bound: int) -> bool:
        times = [time for time in self.reaped.get((provider, kind), []) if time > self.now - WINDOW]
        if len(times) >= bound:
            self.halts[provider] = DeletionPause(kind, pool, "too many")
            return False
        self.reaped[provider, kind] = [*times, self.now]
        return True
