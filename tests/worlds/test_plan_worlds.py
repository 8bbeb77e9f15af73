"""Whatever happens, the planner keeps its promises; left in peace, it reaches what is wanted."""

import os
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.support.examples import examples
from tests.worlds.clocked_server import ClockedServer
from tests.worlds.cloud import GRACE, CreateOutcome
from tests.worlds.manager import ManagerModel
from tests.worlds.records import Records
from tests.worlds.world import POOLS, World
from vmpooler_common.model.vm import VmState
from vmpooler_manager.planning.actions import Retire
from vmpooler_manager.planning.inventory import ABSENCES, Listing

PASSES = 3
"""After the last change, without faults and with enough clone slots."""
PASSES_AFTER_FAULTS = 12
"""Three listings that miss a VM, its confirmation, destruction and replacement; and time for retries."""
EXAMPLES = 100
BETWEEN_PASSES = 70.0
"""Seconds: longer than a clock that jumped is distrusted."""

TIMELY = ("lifetime over", "expired_ready")
"""Reasons that come with time alone."""

numbers = st.integers(0, 1)
pools = st.sampled_from(POOLS)
sizes = st.integers(0, 4)
chances = st.integers(0, 1_000)
changes: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"configured": st.just(True), "size": sizes}),
    st.sampled_from(
        [
            {"configured": False, "size": 0},
            *({"paused": paused} for paused in (True, False)),
            *({"serves_from_ready": serves} for serves in (True, False)),
        ]
    ),
)


class PeacefulWorld(RuleBasedStateMachine):
    """Sizes change, VMs are taken, asked for and given back, time passes; nothing fails."""

    def __init__(self, records: Records) -> None:
        super().__init__()
        self.records = records
        self.world = World(records, (2, 1), slot_limit=2, request_slot_limit=2)
        self.older: Listing | None = None

    @initialize(red=sizes, blue=sizes, slot_limit=st.integers(1, 8), request_slot_limit=st.integers(1, 4))
    def begin(self, red: int, blue: int, slot_limit: int, request_slot_limit: int) -> None:
        self.world = World(self.records, (red, blue), slot_limit, request_slot_limit)

    def manager(self, number: int) -> ManagerModel:
        return self.world.managers[number]

    @rule(number=numbers, pool=pools, steps=st.integers(0, 20), chance=chances)
    def go_on(self, number: int, pool: str, steps: int, chance: int) -> None:
        """A manager looks, and comes so far with what it has to do."""
        manager = self.manager(number)
        self.world.look(manager, pool)
        for step in range(steps):
            jobs = sorted(manager.jobs)
            if manager.steps and (not jobs or (chance >> step) & 1):
                self.world.act(manager)
            elif jobs:
                manager.work(jobs[chance % len(jobs)])

    @rule(number=numbers, pool=pools)
    def plan(self, number: int, pool: str) -> None:
        """A manager looks, and is slow to do what follows."""
        self.world.look(self.manager(number), pool)

    @rule(first=numbers, pool=pools)
    def plan_at_once(self, first: int, pool: str) -> None:
        """Both managers plan by the same facts; the second acts on what the first has changed."""
        managers = [self.manager(first), self.manager(1 - first)]
        for manager in managers:
            self.world.look(manager, pool)
        for manager in managers:
            self.world.finish(manager)

    @rule(number=numbers, pool=pools, size=sizes)
    def plan_before_the_size_is_set(self, number: int, pool: str, size: int) -> None:
        """What a manager planned for one size it does when another is wanted."""
        self.world.look(self.manager(number), pool)
        self.world.override(pool, size)
        self.world.finish(self.manager(number))

    @rule(number=numbers, pool=pools, minutes=st.sampled_from([None, 5, 120]))
    def plan_before_a_checkout(self, number: int, pool: str, minutes: int | None) -> None:
        """What a manager planned for a VM it does when somebody has it."""
        self.world.look(self.manager(number), pool)
        self.world.check_out(pool, None if minutes is None else timedelta(minutes=minutes))
        self.world.finish(self.manager(number))

    @rule(number=numbers, pool=pools)
    def list_completely(self, number: int, pool: str) -> None:
        self.manager(number).deliver(pool, self.world.listing())

    @rule(number=numbers, pool=pools)
    def list_slowly(self, number: int, pool: str) -> None:
        """What was listed some time ago is delivered, and the next listing begins."""
        if self.older is not None and self.older.data_epoch == self.world.data_epoch:
            self.manager(number).deliver(pool, self.older)
        self.older = self.world.listing()

    @rule(number=numbers)
    def reconcile(self, number: int) -> None:
        self.world.reconcile(self.manager(number), listing=True)

    @rule(pool=pools, change=changes)
    def configure(self, pool: str, change: dict[str, Any]) -> None:
        self.world.change(pool, **change)

    @rule(pool=pools, size=st.none() | sizes)
    def override(self, pool: str, size: int | None) -> None:
        self.world.override(pool, size)

    @rule(pool=pools)
    def drain(self, pool: str) -> None:
        """The pool's VMs are to be made otherwise, or simply anew."""
        self.world.records.drain(pool)

    @rule(pool=pools, minutes=st.sampled_from([None, 5, 120]))
    def check_out(self, pool: str, minutes: int | None) -> None:
        self.world.check_out(pool, None if minutes is None else timedelta(minutes=minutes))

    @rule(wanted=st.lists(pools, min_size=1, max_size=4))
    def want(self, wanted: list[str]) -> None:
        """Somebody asks for VMs on demand."""
        self.world.want(*wanted)

    @rule(chance=chances)
    def delete_a_request(self, chance: int) -> None:
        requests = self.world.records.requests
        if requests:
            self.world.delete(requests[chance % len(requests)])

    @rule(number=numbers, pool=pools, minutes=st.sampled_from([None, 5, 120]))
    def serve(self, number: int, pool: str, minutes: int | None) -> None:
        """The pool is filled, a VM is taken, and its owner noted."""
        self.reconcile(number)
        self.check_out(pool, minutes)
        self.reconcile(number)

    @rule(chance=chances)
    def give_back(self, chance: int) -> None:
        running = self.world.running()
        if running:
            self.world.give_back(running[chance % len(running)])

    @rule(chance=chances, minutes=st.sampled_from([10, 240]))
    def extend(self, chance: int, minutes: int) -> None:
        running = self.world.running()
        if running:
            self.world.extend(running[chance % len(running)], timedelta(minutes=minutes))

    @rule(number=numbers, pool=pools)
    def plan_before_lifetimes_are_extended(self, number: int, pool: str) -> None:
        """What a manager planned for VMs whose time is over it does when it no longer is."""
        self.world.look(self.manager(number), pool)
        for vm in self.world.running():
            self.world.extend(vm, timedelta(hours=12))
        self.world.finish(self.manager(number))

    @rule(seconds=st.sampled_from([0.5, 3.0, 30.0]))
    def advance(self, seconds: float) -> None:
        self.world.advance(seconds)

    @rule(minutes=st.sampled_from([10, 61]))
    def advance_far(self, minutes: int) -> None:
        for manager in self.world.managers:
            self.world.finish(manager)
        self.world.advance(minutes * 60.0, renewing=False)  # nothing is under way

    def teardown(self) -> None:
        """What is wanted is reached, and then nothing is planned any more."""
        world, manager = self.world, self.manager(0)
        world.heal()
        passes = enough = PASSES + world.portions() - 1
        while passes:
            planned = world.reconcile(manager, listing=True)
            changed = any(isinstance(a, Retire) and a.reason in TIMELY for a in planned)
            passes = enough if changed else passes - 1
            world.advance(GRACE.total_seconds())
        left = world.reconcile(manager, listing=True)
        assert not (found := world.complaints()), found
        assert not left, left


class HostileWorld(PeacefulWorld):
    """Everything that can fail does, in any order."""

    @rule(number=numbers)
    def die(self, number: int) -> None:
        self.world.was_faulty = True
        self.world.start_manager(number)

    @rule(number=numbers, pool=pools, steps=st.integers(1, 12), chance=chances)
    def die_at_work(self, number: int, pool: str, steps: int, chance: int) -> None:
        """In the middle of something; and its leases lapse."""
        self.go_on(number, pool, steps, chance)
        self.die(number)
        self.world.advance(6.0)

    @rule(number=numbers, pool=pools, gaps=st.integers(1, 2**8))
    def list_partially(self, number: int, pool: str, gaps: int) -> None:
        self.world.was_faulty = True
        listing = self.world.listing(without=lambda position: bool(gaps >> position % 8 & 1))
        self.manager(number).deliver(pool, listing)

    @rule(number=numbers, pool=pools)
    def list_nothing(self, number: int, pool: str) -> None:
        self.world.was_faulty = True
        self.manager(number).deliver(pool, self.world.listing(without=lambda _: True))

    @rule(number=numbers, pool=pools, gaps=st.integers(1, 2**8))
    def list_partially_for_long(self, number: int, pool: str, gaps: int) -> None:
        """Often enough for what is missing to be doubted."""
        for _ in range(ABSENCES):
            self.list_partially(number, pool, gaps)
            self.world.look(self.manager(number), pool)
            self.world.finish(self.manager(number))
            self.world.advance(1.0)

    @rule(outcome=st.sampled_from(CreateOutcome))
    def change_clones(self, outcome: CreateOutcome) -> None:
        self.world.was_faulty = True
        self.world.cloud.outcome = outcome

    @rule(is_failing=st.booleans())
    def change_calls(self, is_failing: bool) -> None:
        self.world.was_faulty = True
        self.world.cloud.is_failing = is_failing

    @rule(seconds=st.sampled_from([3.0, 6.0, 1_000.0]))
    def advance_without_heartbeats(self, seconds: float) -> None:
        self.world.was_faulty = True
        self.world.advance(seconds, renewing=False)

    @rule(hours=st.sampled_from([-2, 2, 48]))
    def jump(self, hours: int) -> None:
        self.world.jump(timedelta(hours=hours))

    @rule(chance=chances)
    def power_off(self, chance: int) -> None:
        self.world.was_faulty = True
        vms = list(self.world.cloud.vms.values())
        if vms:
            vms[chance % len(vms)].is_on = False

    @rule(count=st.integers(1, 8), number=numbers, listings=st.sampled_from([0, ABSENCES + 2]))
    def vanish(self, count: int, number: int, listings: int) -> None:
        """VMs are gone, and perhaps that is noticed."""
        self.world.was_faulty = True
        for id in list(self.world.cloud.vms)[:count]:  # noqa: A001 - what the cloud calls it
            del self.world.cloud.vms[id]
        for _ in range(listings):
            self.reconcile(number)
            self.world.advance(1.0)

    @rule(chance=chances)
    def lose_a_record(self, chance: int) -> None:
        """A crash of Redis may lose the latest; if somebody has the VM, its tag must say so by then."""
        self.world.was_faulty = True
        ready = [vm for pool in POOLS for vm in self.world.records.of(pool, VmState.READY)]
        noted = [vm for vm in self.world.running() if not vm.untagged]
        losable = noted if chance % 2 else ready
        if losable:
            self.world.records.lose_record(losable[chance // 2 % len(losable)])

    @rule(count=st.integers(3, 6), number=numbers)
    def lose_records(self, count: int, number: int) -> None:
        """More than may be destroyed as unknown in ten minutes; and that is noticed."""
        self.world.was_faulty = True
        ready = [vm for pool in POOLS for vm in self.world.records.of(pool, VmState.READY)]
        for vm in ready[:count]:
            self.world.records.lose_record(vm)
        for _ in range(2):
            self.reconcile(number)
            self.world.advance(GRACE.total_seconds())

    @rule(number=numbers, chance=chances)
    def lose_a_grant(self, number: int, chance: int) -> None:
        """The next listing shows it; until then nobody can know.

        A VM that is gone from the cloud can't show its tag: it stays ready until its absence is noticed.
        """
        noted = [vm for vm in self.world.running() if not vm.untagged]
        if noted:
            vm = noted[chance % len(noted)]
            self.world.lose_a_grant(vm)
            self.world.reconcile(self.manager(number), listing=True)
            now = self.world.records.by_name.get(vm.name)
            is_ready = now is not None and now.state is VmState.READY
            assert not is_ready or vm.provider_id not in self.world.cloud.vms

    @rule()
    def flush(self) -> None:
        self.world.flush()

    @rule()
    def change_server(self) -> None:
        self.world.change_server()

    @rule(number=numbers)
    def settle(self, number: int) -> None:
        """What is wanted is reached, some time after the last fault."""
        self.world.heal()
        limited = len(self.world.records.by_name)  # at worst all are given up, few a pass
        for _ in range(PASSES_AFTER_FAULTS + limited + self.world.portions()):
            if not self.world.reconcile(self.manager(number), listing=True) and not self.world.complaints():
                break
            self.world.release()
            self.world.advance(BETWEEN_PASSES)
        assert not (found := self.world.complaints()), found

    def teardown(self) -> None:
        self.settle(0)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Records]:
    """The store that all worlds use, one after the other."""
    with ClockedServer(tmp_path_factory.mktemp("clocked")) as server:
        records = Records(server)
        yield records
        records.close()


RANDOM = "VMPOOLER_RANDOM_WORLDS"
"""Environment variable: so many worlds of each kind, other ones at each run. Without it the same ones each
time, so that a counterexample is found by who looks for one, and not by who changes something else."""


def enough() -> settings:
    many = os.environ.get(RANDOM)
    return settings(
        max_examples=int(many) if many else examples(EXAMPLES),
        derandomize=not many,
        database=None,
        stateful_step_count=40,
        deadline=None,
        phases=(Phase.generate, Phase.shrink) if many else (Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )


@pytest.mark.timeout(0)
def test_peaceful_worlds(records: Records) -> None:
    run_state_machine_as_test(lambda: PeacefulWorld(records), settings=enough())  # type: ignore[arg-type]  # or what makes one


@pytest.mark.timeout(0)
def test_hostile_worlds(records: Records) -> None:
    run_state_machine_as_test(lambda: HostileWorld(records), settings=enough())  # type: ignore[arg-type]  # or what makes one


def test_a_lost_grant_of_a_vm_that_vanished_is_no_grant(records: Records) -> None:
    """Found by chance: a VM that is gone can't show whose it was."""
    world = HostileWorld(records)
    world.begin(red=2, blue=0, slot_limit=1, request_slot_limit=1)
    world.serve(minutes=None, number=0, pool="red")
    world.vanish(count=1, listings=0, number=0)
    world.lose_a_grant(chance=0, number=0)
    world.teardown()


def test_a_lost_grant_of_a_vm_that_vanished_after_partial_listings_is_no_grant(records: Records) -> None:
    """Found by chance, likewise."""
    world = HostileWorld(records)
    world.begin(red=0, blue=0, slot_limit=1, request_slot_limit=1)
    world.want(wanted=["blue"])
    world.configure(change={"configured": True, "size": 1}, pool="blue")
    world.reconcile(number=0)
    world.vanish(count=2, listings=0, number=0)
    world.list_partially_for_long(gaps=1, number=0, pool="blue")
    world.lose_a_grant(chance=0, number=0)
    world.teardown()
