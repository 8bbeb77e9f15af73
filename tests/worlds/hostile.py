"""A world in which everything may fail: rules for Hypothesis, more than those of the peaceful one."""

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.worlds.cloud import GRACE, CreateOutcome
from tests.worlds.peaceful import PeacefulWorld, chances, numbers, pools
from tests.worlds.world import POOLS
from vmpooler_common.model.vm import VmState
from vmpooler_manager.planning.inventory import ABSENCES

PASSES_AFTER_FAULTS = 12
"""Three listings that miss a VM, its confirmation, destruction and replacement; and time for retries."""
BETWEEN_PASSES = 70.0
"""Seconds: longer than a clock that jumped is distrusted."""


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
