"""Short worlds in which a plan is old when it is carried out, or asks for more than may be.

The random worlds rarely come here; in each of these, a script that doesn't check its guard or bound fails.
"""

import pytest

from tests.worlds.hostile import HostileWorld
from tests.worlds.records import Records
from vmpooler_manager.planning.actions import AdoptOrphan
from vmpooler_manager.planning.inventory import ABSENCES


@pytest.fixture
def world(records: Records) -> HostileWorld:
    """One in which all is wanted at once."""
    world = HostileWorld(records)
    world.begin(red=4, blue=4, slot_limit=8, request_slot_limit=1)
    return world


def test_two_managers_clone_for_requests_within_the_slots(world: HostileWorld) -> None:
    world.configure(pool="red", change={"absent_for": None, "size": 0})
    world.want(["red", "red", "red"])
    world.plan_at_once(first=0, pool="red")
    world.teardown()


def test_two_managers_clone_for_pools_within_the_slots(world: HostileWorld) -> None:
    world.begin(red=4, blue=4, slot_limit=1, request_slot_limit=1)
    world.plan_at_once(first=0, pool="red")
    world.teardown()


def test_two_managers_fill_a_pool_to_its_size(world: HostileWorld) -> None:
    world.plan_at_once(first=0, pool="red")
    world.teardown()


def test_no_surplus_is_retired_when_the_size_grew_again(world: HostileWorld) -> None:
    world.reconcile(number=0)
    world.override(pool="red", size=1)
    world.plan_before_the_size_is_set(number=0, pool="red", size=4)
    world.teardown()


def test_a_vm_that_was_checked_out_is_not_retired_as_surplus(world: HostileWorld) -> None:
    world.reconcile(number=0)
    world.override(pool="red", size=1)
    world.plan_before_a_checkout(number=0, pool="red", minutes=None)
    world.teardown()


def test_a_lifetime_that_was_extended_does_not_end(world: HostileWorld) -> None:
    world.serve(number=0, pool="red", minutes=5)
    world.advance_far(minutes=10)
    world.plan_before_lifetimes_are_extended(number=0, pool="red")
    assert world.world.running()
    world.teardown()


def test_only_so_many_absent_vms_are_given_up_in_ten_minutes(world: HostileWorld) -> None:
    world.reconcile(number=0)
    world.vanish(count=8, number=0, listings=ABSENCES + 2)
    assert world.world.records.is_paused
    world.teardown()


def test_only_so_many_orphans_are_adopted_in_ten_minutes(world: HostileWorld) -> None:
    world.reconcile(number=0)
    world.lose_records(count=6, number=0)
    assert world.world.records.is_paused
    world.teardown()


def test_an_orphan_of_lost_data_is_not_adopted(world: HostileWorld) -> None:
    world.reconcile(number=0)
    world.lose_a_record(chance=0)
    world.list_completely(number=0, pool="red")
    world.plan(number=0, pool="red")
    world.advance(seconds=3.0)
    world.list_completely(number=0, pool="red")
    world.plan(number=0, pool="red")
    assert any(isinstance(step.action, AdoptOrphan) for step in world.manager(0).steps)
    world.flush()
    world.world.finish(world.manager(0))
    world.teardown()


def test_a_suspect_that_an_older_listing_cleared_is_not_given_up(world: HostileWorld) -> None:
    world.reconcile(number=0)
    world.list_slowly(number=1, pool="red")
    world.vanish(count=1, number=0, listings=ABSENCES + 1)  # the first comes as the VMs become ready
    assert [vm for vm in world.world.records.by_name.values() if vm.suspect]
    manager = world.manager(0)
    manager.deliver("red", world.world.listing())
    world.world.look(manager, "red")
    while manager.steps:
        world.world.act(manager)
    assert manager.jobs, "the suspect is asked for"
    for name in list(manager.jobs):
        manager.work(name)
        manager.work(name)  # the cloud has said that there is none
    world.list_slowly(number=1, pool="red")
    world.world.look(world.manager(1), "red")
    world.world.finish(world.manager(1))
    world.world.finish(manager)
    world.teardown()
