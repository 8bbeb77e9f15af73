"""A VM moves only along the table of moves: each verb on a VM in each situation that it can't act on."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest

from tests.store.dataset import Dataset
from tests.store.fleet import (
    LEASE,
    MANAGER,
    PROVIDER,
    SITUATIONS,
    Fleet,
    attempt_of,
    reservation,
    serving,
    want,
)
from vmpooler_common.model.vm import MOVES, Guard, VmState
from vmpooler_common.store.core.errors import NoneReady, NoSuchVm
from vmpooler_common.store.retirement.retirement import Condition, Orphan, Outcome

STATE_OF = {
    situation: {
        "unknown": None,
        "reserved": VmState.PENDING,
        "creating": VmState.PENDING,
        "created": VmState.PENDING,
        "suspect": VmState.READY,
        "stale": VmState.READY,
    }.get(situation)
    or (VmState(situation) if situation in set(VmState) else None)
    for situation in SITUATIONS
}
"""The state that a VM in each situation is in."""


@dataclass(frozen=True)
class Attempted:
    """A verb tried on the VM `a` of the pool `one`, and the situations in which it may act."""

    name: str
    do: Callable[[Fleet], Awaitable[object]]
    acts_on: frozenset[str]
    refusal: object
    leads_to: VmState | None
    """The state it brings a VM to; None: it moves nothing."""


async def _check_out(fleet: Fleet) -> object:
    try:
        return await fleet.store.checkouts.check_out([want("one")], operation="o", lifetime=None)
    except NoneReady:
        return "none ready"


async def _give_back(fleet: Fleet) -> object:
    try:
        return await fleet.store.checkouts.release("a", operation="o")
    except NoSuchVm:
        return "no such vm"


def _retire(state: VmState, guard: Guard = Guard.NONE) -> Callable[[Fleet], Awaitable[object]]:
    return lambda fleet: fleet.store.retirement.retire(
        "a",
        state,
        operation="o",
        reason="test",
        condition=Condition(guard, 10**14 if guard is not Guard.EXCESS else 0),
    )


def _attempted(
    name: str,
    do: Callable[[Fleet], Awaitable[object]],
    *acts_on: str,
    refusal: object,
    leads_to: VmState | None = None,
) -> Attempted:
    return Attempted(name, do, frozenset(acts_on), refusal, leads_to)


ATTEMPTS = (
    _attempted(
        "begin",
        lambda fleet: fleet.store.clones.begin("a", operation="o", manager=MANAGER, lease=LEASE),
        "reserved",
        refusal=None,
    ),
    _attempted(
        "promote",
        lambda fleet: fleet.store.clones.promote("a", attempt_of("a"), operation="o"),
        "created",
        refusal=None,
        leads_to=VmState.READY,
    ),
    _attempted("check out", _check_out, "ready", refusal="none ready", leads_to=VmState.RUNNING),
    _attempted(
        "reinstate",
        lambda fleet: fleet.store.checkouts.reinstate(
            "a", operation="o", provider_id="id-a", user="alice", ends_at=None
        ),
        "ready",
        "suspect",
        "stale",
        refusal=False,
        leads_to=VmState.RUNNING,
    ),
    _attempted(
        "reinstate another VM of its name",
        lambda fleet: fleet.store.checkouts.reinstate(
            "a", operation="o", provider_id="another id", user=None, ends_at=None
        ),
        refusal=False,
    ),
    _attempted("give back", _give_back, "running", refusal="no such vm", leads_to=VmState.COMPLETED),
    _attempted(
        "cancel",
        lambda fleet: fleet.store.checkouts.cancel("another operation", reason="test"),
        refusal=[],
    ),
    _attempted(
        "cancel its checkout",
        lambda fleet: fleet.store.checkouts.cancel("take-a", reason="test"),
        "running",
        refusal=[],
        leads_to=VmState.COMPLETED,
    ),
    _attempted(
        "retire the pending",
        _retire(VmState.PENDING),
        "reserved",
        "creating",
        "created",
        refusal=Outcome.REFUSED,
        leads_to=VmState.COMPLETED,
    ),
    _attempted(
        "retire the ready",
        _retire(VmState.READY),
        "ready",
        "suspect",
        "stale",
        refusal=Outcome.REFUSED,
        leads_to=VmState.COMPLETED,
    ),
    _attempted(
        "retire the stale",
        _retire(VmState.READY, Guard.STALE),
        "stale",
        refusal=Outcome.REFUSED,
        leads_to=VmState.COMPLETED,
    ),
    _attempted(
        "retire a pending one as stale",
        _retire(VmState.PENDING, Guard.STALE),
        refusal=Outcome.REFUSED,
    ),
    _attempted(
        "retire the running",
        _retire(VmState.RUNNING),
        "running",
        refusal=Outcome.REFUSED,
        leads_to=VmState.COMPLETED,
    ),
    _attempted("retire the completed", _retire(VmState.COMPLETED), refusal=Outcome.REFUSED),
    _attempted("retire the destroying", _retire(VmState.DESTROYING), refusal=Outcome.REFUSED),
    _attempted("retire the gone", _retire(VmState.GONE), refusal=Outcome.REFUSED),
    _attempted(
        "retire the unseen",
        _retire(VmState.READY, Guard.UNSEEN),
        "suspect",
        refusal=Outcome.REFUSED,
        leads_to=VmState.COMPLETED,
    ),
    _attempted(
        "retire an ended one that has no end",
        _retire(VmState.RUNNING, Guard.ENDED),
        refusal=Outcome.REFUSED,
    ),
    _attempted(
        "retire a pending one for its age as ready",
        _retire(VmState.PENDING, Guard.READY_BEFORE),
        refusal=Outcome.REFUSED,
    ),
    _attempted(
        "claim",
        lambda fleet: fleet.store.retirement.claim(["a"], operation="o", manager="manager-2", lease=LEASE),
        "completed",
        refusal=[],
        leads_to=VmState.DESTROYING,
    ),
    _attempted(
        "destroyed",
        lambda fleet: fleet.store.retirement.destroyed("a", attempt_of("a"), provider_id="id-a"),
        "destroying",
        "gone",  # said twice: still true
        refusal=False,
        leads_to=VmState.GONE,
    ),
    _attempted(
        "destroyed by another attempt",
        lambda fleet: fleet.store.retirement.destroyed("a", "another attempt", provider_id="id-a"),
        "gone",
        refusal=False,
        leads_to=VmState.GONE,
    ),
    _attempted(
        "defer",
        lambda fleet: fleet.store.retirement.defer("a", manager=MANAGER, delay=LEASE, error="e"),
        "destroying",
        refusal=None,
    ),
    _attempted(
        "defer by a manager that doesn't destroy it",
        lambda fleet: fleet.store.retirement.defer("a", manager="manager-2", delay=LEASE, error="e"),
        refusal=None,
    ),
    _attempted(
        "mark_suspect",
        lambda fleet: fleet.store.retirement.mark_suspect("one", ["a"]),
        "ready",
        "suspect",
        refusal=[],
    ),
    _attempted(
        "clear_suspect",
        lambda fleet: fleet.store.retirement.clear_suspect("one", ["a"]),
        "ready",
        "suspect",
        refusal=[],
    ),
    _attempted(
        "created by another attempt",
        lambda fleet: fleet.store.clones.created(
            "a", "another attempt", provider_id="id-x", ip=None, host=None, cloned=True
        ),
        refusal=None,
    ),
    _attempted(
        "take in what has a record",
        lambda fleet: fleet.store.retirement.adopt_orphan(
            Orphan(
                "a",
                pool="one",
                provider="dummy",
                domain="",
                provider_id="another id",
                attempt="another attempt",
                generation="not this data set",
            ),
            bound=5,
        ),
        refusal=(Outcome.KNOWN, Outcome.FOREIGN),
    ),
)


@pytest.mark.parametrize("attempted", ATTEMPTS, ids=lambda attempted: attempted.name)
@pytest.mark.parametrize("situation", SITUATIONS)
async def test_a_verb_acts_only_in_the_situations_that_it_is_for(
    situation: str, attempted: Attempted, fleet: Fleet
) -> None:
    await SITUATIONS[situation](fleet, "one", "a")
    before = await fleet.dataset()
    answer = await attempted.do(fleet)
    after = await fleet.dataset()

    if situation not in attempted.acts_on:
        expected = attempted.refusal if isinstance(attempted.refusal, tuple) else (attempted.refusal,)
        assert answer in expected
        assert _without_operations(after) == _without_operations(before)
    elif attempted.leads_to is not None:
        assert after.states["a"] == attempted.leads_to
    else:
        assert after.states == before.states


@pytest.mark.parametrize("attempted", ATTEMPTS, ids=lambda attempted: attempted.name)
def test_what_is_expected_of_a_verb_agrees_with_the_table_of_moves(attempted: Attempted) -> None:
    if attempted.leads_to is not None:
        for situation in attempted.acts_on:
            state = STATE_OF[situation]
            assert (state, attempted.leads_to) in MOVES or state == attempted.leads_to


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_a_name_that_has_a_record_is_not_reserved_again(situation: str, fleet: Fleet) -> None:
    await SITUATIONS[situation](fleet, "one", "a")
    before = await fleet.dataset()
    bounds = reservation("one", in_round=await fleet.round("one"))
    reserved = await fleet.store.clones.reserve(
        bounds, [("a", "another attempt")], operation="o", manager="manager-2", lease=LEASE
    )
    assert reserved == (["a"] if situation == "unknown" else [])
    if situation != "unknown":
        assert await fleet.dataset() == before


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name != "unknown"])
async def test_a_provider_id_that_arrives_late_never_brings_a_vm_back_to_life(
    situation: str, fleet: Fleet
) -> None:
    await SITUATIONS[situation](fleet, "one", "a")
    before = STATE_OF[situation]
    answer = await fleet.store.clones.created(
        "a", attempt_of("a"), provider_id="id-a", ip=None, host=None, cloned=True
    )
    assert answer == (VmState.COMPLETED if situation == "gone" else before)
    assert await fleet.state("a") == answer


async def test_a_late_clone_that_is_destroyed_after_all_keeps_no_end_of_its_record(fleet: Fleet) -> None:
    await fleet.gone("one", "a")
    assert (await fleet.dataset()).entries["vm:a"].expires
    await fleet.store.clones.created(
        "a", attempt_of("a"), provider_id="id-a", ip=None, host=None, cloned=True
    )
    after = await fleet.dataset()
    assert not after.entries["vm:a"].expires
    assert after.memberships("a") == ["completed:one"]


async def test_a_late_clone_of_a_forgotten_pool_makes_the_pool_known_again(fleet: Fleet) -> None:
    await fleet.gone("one", "a")
    assert await fleet.store.leases.forget("one")
    await fleet.store.clones.created(
        "a", attempt_of("a"), provider_id="id-a", ip=None, host=None, cloned=True
    )
    heartbeat = await fleet.store.leases.heartbeat(MANAGER, lease=LEASE, offer=serving([]), working_on=[])
    assert heartbeat.pools == {"one": "dummy"}


async def test_a_clone_that_was_given_up_before_there_was_a_vm_counts_in_no_number(fleet: Fleet) -> None:
    await fleet.reserved("one", "a")
    await fleet.creating("one", "b")
    await fleet.created("one", "c")
    for vm in ("a", "b", "c"):
        await fleet.store.retirement.retire(vm, VmState.PENDING, operation=f"retire-{vm}", reason="failed")
    assert await _numbers(fleet) == (1, 0, 2)
    await fleet.store.retirement.claim(["a", "b", "c"], operation="claim", manager=MANAGER, lease=LEASE)
    assert await _numbers(fleet) == (0, 1, 2)
    await fleet.store.clones.created(
        "b", attempt_of("b"), provider_id="id-b", ip=None, host=None, cloned=True
    )
    assert await _numbers(fleet) == (0, 2, 1)
    await fleet.store.retirement.destroyed("a", attempt_of("a"), provider_id="")
    assert await _numbers(fleet) == (0, 2, 0)


async def _numbers(fleet: Fleet) -> tuple[int, int, int]:
    """Give VMs completed, those being destroyed, and the clones that never became one, told twice alike."""
    counts = (await fleet.store.views.counts(["one"])).pools["one"]
    seen, _ = await fleet.store.views.observe("one", PROVIDER, size=1, ready_ttl=LEASE, listed=None)
    sizes = seen.sizes
    assert (counts.completed, counts.destroying) == (sizes.completed, sizes.destroying)
    return sizes.completed, sizes.destroying, sizes.unmade


async def test_a_clone_that_was_given_up_and_then_appears_is_due_for_destruction_at_once(
    fleet: Fleet,
) -> None:
    await fleet.creating("one", "a")
    await fleet.store.retirement.retire("a", VmState.PENDING, operation="o", reason="slow", delay=LEASE)
    assert await fleet.store.retirement.claim(["a"], operation="early", manager=MANAGER, lease=LEASE) == []
    await fleet.store.clones.created(
        "a", attempt_of("a"), provider_id="id-a", ip=None, host=None, cloned=False
    )
    (to_destroy,) = await fleet.store.retirement.claim(["a"], operation="late", manager=MANAGER, lease=LEASE)
    assert to_destroy.provider_id == "id-a"


@pytest.mark.parametrize("situation", SITUATIONS)
async def test_a_pool_with_a_vm_is_not_forgotten(situation: str, fleet: Fleet) -> None:
    await SITUATIONS[situation](fleet, "one", "a")
    assert await fleet.store.leases.forget("one") == (situation in ("unknown", "gone"))


def _without_operations(dataset: Dataset) -> dict[str, object]:
    """Leave out the replies of operations, which a cancelled one has from then on."""
    return {name: entry for name, entry in dataset.entries.items() if not name.startswith("op:")}


async def test_a_vm_whose_id_turns_up_while_none_was_found_is_destroyed_by_it(fleet: Fleet) -> None:
    retirement = fleet.store.retirement
    await fleet.creating("one", "a")
    await retirement.retire("a", VmState.PENDING, operation="give up", reason="clone_failed")
    await retirement.claim(["a"], operation="claim", manager="m", lease=timedelta(minutes=1))
    await fleet.store.clones.created(
        "a", attempt_of("a"), provider_id="id-a", ip=None, host=None, cloned=True
    )
    assert not await retirement.destroyed("a", attempt_of("a"), provider_id="")
    assert await fleet.state("a") == "destroying"
    (to_destroy,) = await retirement.claim(["a"], operation="again", manager="m", lease=timedelta(minutes=1))
    assert to_destroy.provider_id == "id-a"
    assert await retirement.destroyed("a", attempt_of("a"), provider_id="id-a")
