"""The small world as a whole: one store, one cloud, two managers, two pools in one place, and users."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta

from tests.worlds.cloud import CreateOutcome, ProviderClient
from tests.worlds.effects import judge_memberships
from tests.worlds.jobs import INSTALLATION, LEASE
from tests.worlds.manager import ManagerModel
from tests.worlds.record import LONG_AGO, PROVIDER, Record
from tests.worlds.records import Records
from vmpooler_common.model.vm import VmState
from vmpooler_manager.planning.actions import Action, ClearSuspects, Reserve
from vmpooler_manager.planning.inventory import Listing
from vmpooler_manager.planning.spec import PoolSpec

POOLS = ("red", "blue")
READY_TTL = timedelta(minutes=60)
CALM = 61.0
"""Seconds after which a clock that jumped is believed."""


class World:
    """What may happen to it, each a method; `was_faulty` tells whether anything went wrong."""

    def __init__(
        self, records: Records, sizes: Sequence[int], slot_limit: int, request_slot_limit: int
    ) -> None:
        records.begin_anew()
        self.records = records
        self.cloud = ProviderClient()
        self.monotonic = 0.0
        self.was_faulty = False
        self.specs = {
            name: PoolSpec(
                name=name,
                provider=PROVIDER,
                size=size,
                slot_limit=slot_limit,
                request_slot_limit=request_slot_limit,
                ready_ttl=READY_TTL,
                timeout=timedelta(minutes=15),
            )
            for name, size in zip(POOLS, sizes, strict=True)
        }
        self.managers: list[ManagerModel] = []
        self._servers = 1
        self._started = 0
        for number in range(2):
            self.start_manager(number)

    @property
    def data_epoch(self) -> str:
        """Which data set on which server it is."""
        return f"server-{self._servers} {self.records.generation}"

    # What managers do

    def start_manager(self, number: int) -> None:
        """Put a new manager in the place of one that died, or of none."""
        self._started += 1
        manager = ManagerModel(f"manager-{self._started}", self.records, self.cloud)
        self.managers[number : number + 1] = [manager]

    def look(self, manager: ManagerModel, pool: str) -> tuple[Action, ...]:
        """Have a manager plan for a pool, unless it is forgotten, when it has carried out what it planned."""
        while manager.steps:
            self.act(manager)
        pools = frozenset(name for name in POOLS if self._is_looked_after(name))
        if pool not in pools:
            return ()
        return manager.look(
            self.specs[pool], data_epoch=self.data_epoch, pools=pools, monotonic=self.monotonic
        )

    def act(self, manager: ManagerModel) -> None:
        """Have a manager carry out one action; nothing that it does may overfill a pool."""
        step = manager.steps[0]
        spec = step.spec  # a manager goes by the configuration that it was started with, and by what it saw
        alive, (for_requests, for_pools) = self.records.alive(spec.name), self.records.slots_in_use
        manager.act()
        # What is there after all may be too much for a while.
        size = self._size(spec) if spec.configured else 0
        wanted = size + self.records.backlog(spec.name)
        excess = self.records.alive(spec.name) - max(wanted, alive)
        assert excess <= 0 or isinstance(step.action, ClearSuspects), f"{spec.name} is overfull"
        if isinstance(step.action, Reserve):  # a request that ends leaves its clones to the pool
            now_for_requests, now_for_pools = self.records.slots_in_use
            assert now_for_requests <= max(spec.request_slot_limit, for_requests), "more clones for requests"
            assert now_for_pools <= max(spec.slot_limit, for_pools), "more clones for pools"

    def finish(self, manager: ManagerModel) -> None:
        """Have a manager do all that it has planned and begun."""
        while manager.steps or manager.jobs:
            while manager.steps:
                self.act(manager)
            for name in list(manager.jobs):
                if name in manager.jobs:
                    manager.work(name)

    def listing(self, *, without: Callable[[int], bool] = lambda _: False) -> Listing:
        """List the place, silently without the VMs at some positions."""
        shown = enumerate(self.cloud.listing())
        vms = tuple(vm for position, vm in shown if not without(position))
        return Listing(self.records.now, vms, self.data_epoch)

    # What happens to it

    def advance(self, seconds: float, *, renewing: bool = True) -> None:
        """Let time pass, with or without the managers' heartbeats."""
        for _ in range(int(seconds // LEASE.total_seconds()) if renewing else 0):
            self._pass(LEASE.total_seconds())
            self._renew()
            seconds -= LEASE.total_seconds()
        self._pass(seconds)
        if renewing:
            self._renew()

    def jump(self, jump: timedelta) -> None:
        """Set Redis's clock forward or back."""
        self.was_faulty = True
        self.records.safety.forget()
        self.records.now += jump

    def change(self, pool: str, **changes: object) -> None:
        """Change the configuration of a pool."""
        self.specs[pool] = replace(self.specs[pool], **changes)  # type: ignore[arg-type]

    def override(self, pool: str, size: int | None) -> None:
        """Have an operator set a size in place of the configured one, or take that back."""
        self.records.override(pool, self.specs[pool].size, size)

    def check_out(self, pool: str, lifetime: timedelta | None) -> None:
        """Have a user take a VM."""
        taken = self.records.check_out(pool, lifetime)
        if taken is not None:
            there = self.cloud.vms.get(taken.provider_id)
            assert there is None or there.used_until <= self.records.now, f"{taken.name} was handed out twice"
            self.cloud.use(taken.provider_id, taken.ends)

    def extend(self, vm: Record, lifetime: timedelta) -> None:
        """Have the user set another lifetime."""
        self.cloud.use(vm.provider_id, self.records.extend(vm.name, lifetime).ends)

    def want(self, *pools: str) -> None:
        """Have a user ask for VMs, each as soon as there is one."""
        self.records.open(*pools)

    def delete(self, request: str) -> None:
        """Have the user end a request, whether or not it was met."""
        for returned in self.records.delete(request):
            self.cloud.use(returned, LONG_AGO)

    def give_back(self, vm: Record) -> None:
        """Have the user return a VM."""
        self.cloud.use(vm.provider_id, LONG_AGO)
        self.records.release(vm.name)

    def running(self) -> list[Record]:
        """List the VMs that users have, as far as records know."""
        return [vm for pool in POOLS for vm in self.records.of(pool, VmState.RUNNING)]

    def lose_a_grant(self, vm: Record) -> None:
        """Have an older copy of the data take Redis's place, in which a VM isn't handed out yet."""
        for manager in self.managers:
            self.finish(manager)
        now = self.records.by_name.get(vm.name)
        if now is not None and now.state is VmState.RUNNING:
            self.records.lose_grant(now)
            self.change_server()

    def change_server(self) -> None:
        """Have another server take Redis's place, with the same data."""
        self.was_faulty = True
        self._servers += 1

    def flush(self) -> None:
        """Lose all data."""
        self.was_faulty = True
        self.records.lose_everything()

    # Whether it is well

    def heal(self) -> None:
        """End all faults, as far as somebody outside would: nothing that managers have to do."""
        self.cloud.outcome, self.cloud.is_failing = CreateOutcome.WORKS, False
        for manager in self.managers:
            self.finish(manager)
        if self.was_faulty:
            leases = [vm.lease for vm in self.records.by_name.values() if vm.state is not VmState.GONE]
            longest = max([lease - self.records.now for lease in leases], default=timedelta())
            self.advance(max(0.0, longest.total_seconds()) + CALM, renewing=False)

    def reconcile(self, manager: ManagerModel, *, listing: bool) -> list[Action]:
        """Have a manager make one pass over every pool; give what it planned."""
        planned: list[Action] = []
        for pool in POOLS:
            if listing:
                manager.deliver(pool, self.listing())
            planned += self.look(manager, pool)
        self.finish(manager)
        return planned

    def portions(self) -> int:
        """Count the portions in which slots let everything that is wanted be cloned; at least one."""
        one = next(iter(self.specs.values()))
        sizes = sum(self._size(spec) for spec in self.specs.values())
        backlog = sum(map(self.records.backlog, POOLS))
        return max(1, -(-sizes // one.slot_limit) + -(-backlog // one.request_slot_limit))

    def release(self) -> None:
        """Have an operator resume deletion."""
        self.records.resume_deletion()

    def complaints(self) -> list[str]:
        """Say what isn't as it is wanted."""
        judge_memberships(self.records.data)
        found = []
        known = {vm.provider_id for vm in self.records.by_name.values() if vm.state is not VmState.GONE}
        for pool, spec in self.specs.items():
            of = {state: len(self.records.of(pool, state)) for state in VmState}
            doubted = [vm for vm in self.records.of(pool, VmState.READY) if vm.suspect]
            ready = self.records.to_check_out(pool)
            wanted = self._size(spec) if spec.configured else 0
            backlog = self.records.backlog(pool)
            if ready > wanted + backlog or (ready < wanted and not spec.paused):
                found.append(f"{pool} has {ready} ready VMs and wants {wanted}")
            if backlog and not spec.paused:
                found.append(f"{pool} owes {backlog} VMs to requests")
            found += [f"{vm.name} is doubted" for vm in doubted if not self._is_foreign(vm)]
            found += [
                f"{vm.name} was to be drained" for vm in self.records.of(pool, VmState.READY) if vm.stale
            ]
            running = self.records.of(pool, VmState.RUNNING)
            found += [f"{vm.name} has outlived its time" for vm in running if vm.ends <= self.records.now]
            unfinished = (VmState.PENDING, VmState.COMPLETED, VmState.DESTROYING)
            found += [f"{pool} has {of[state]} VMs {state}" for state in unfinished if of[state]]
        found += [f"{name} holds a slot" for name in self.records.slots]
        if not any(map(self._is_looked_after, POOLS)):
            return found  # nobody looks at the place any more
        found += [
            f"{vm.tag.name} is known to nobody"
            for vm in self.cloud.vms.values()
            if vm.id not in known
            and vm.tag.generation == self.records.generation
            and vm.tag.installation == INSTALLATION
            and vm.used_until <= self.records.now
        ]
        return found

    def _size(self, spec: PoolSpec) -> int:
        override = self.records.size_of(spec.name)
        return spec.size if override is None else override

    def _is_foreign(self, vm: Record) -> bool:
        """Whether it was made for a data set that is lost: then no listing shows it as ours."""
        found = self.cloud.vms.get(vm.provider_id)
        return found is not None and found.tag.generation != self.records.generation

    def _is_looked_after(self, pool: str) -> bool:
        return self.specs[pool].configured or self._has_vms(pool) or bool(self.records.backlog(pool))

    def _has_vms(self, pool: str) -> bool:
        return any(vm.pool == pool and vm.state is not VmState.GONE for vm in self.records.by_name.values())

    def _pass(self, seconds: float) -> None:
        self.monotonic += seconds
        self.cloud.clock += seconds
        self.records.now += timedelta(seconds=seconds)

    def _renew(self) -> None:
        for manager in self.managers:
            manager.renew()
