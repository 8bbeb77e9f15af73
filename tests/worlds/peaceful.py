"""A world in which nothing fails: what may happen in it, as rules for Hypothesis."""

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.worlds.cloud import GRACE
from tests.worlds.manager import ManagerModel
from tests.worlds.records import Records
from tests.worlds.world import POOLS, World
from vmpooler_manager.planning.actions import Retire
from vmpooler_manager.planning.inventory import Listing

PASSES = 3
"""After the last change, without faults and with enough clone slots."""
TAG_PAUSE = 10.0
"""Seconds between two notes on a VM's tag, as in the scripts."""
TIMELY = ("lifetime over", "expired_ready")
"""Reasons that come with time alone."""

numbers = st.integers(0, 1)
pools = st.sampled_from(POOLS)
sizes = st.integers(0, 4)
chances = st.integers(0, 1_000)
changes: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.fixed_dictionaries({"absent_for": st.none(), "size": sizes}),
    st.sampled_from(
        [
            {"absent_for": timedelta(0), "size": 0},
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
            while manager.steps:  # and nothing more: what the first has begun is under way meanwhile
                self.world.act(manager)
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
        world.advance(TAG_PAUSE)  # notes on tags wait for it: it may be longer than all the passes
        passes = enough = PASSES + world.portions() - 1
        while passes:
            planned = world.reconcile(manager, listing=True)
            changed = any(isinstance(a, Retire) and a.reason in TIMELY for a in planned)
            passes = enough if changed else passes - 1
            world.advance(GRACE.total_seconds())
        left = world.reconcile(manager, listing=True)
        assert not (found := world.complaints()), found
        assert not left, left
