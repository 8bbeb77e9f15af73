"""Whatever happens, the planner keeps its promises; left in peace, it reaches what is wanted."""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.examples import examples
from tests.worlds.hostile import HostileWorld
from tests.worlds.peaceful import PeacefulWorld
from tests.worlds.records import Records

EXAMPLES = 100
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
    world.configure(change={"absent_for": None, "size": 1}, pool="blue")
    world.reconcile(number=0)
    world.vanish(count=2, listings=0, number=0)
    world.list_partially_for_long(gaps=1, number=0, pool="blue")
    world.lose_a_grant(chance=0, number=0)
    world.teardown()


def test_a_vm_is_given_back_after_its_lost_grant_was_reinstated(records: Records) -> None:
    """Found by chance: it is given back with a token."""
    world = HostileWorld(records)
    world.begin(red=1, blue=0, slot_limit=1, request_slot_limit=1)
    world.serve(minutes=None, number=0, pool="red")
    world.lose_a_grant(chance=0, number=0)
    world.give_back(chance=0)
    assert not world.world.running()
    world.teardown()
