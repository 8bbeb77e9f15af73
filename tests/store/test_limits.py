"""Safety limits: so many VMs may vanish or appear in ten minutes, then the provider's destroying stops."""

from collections.abc import Awaitable, Callable

import pytest

from tests.store.dataset import ask
from tests.store.fleet import DOMAIN, LEASE, MANAGER, PROVIDER, Fleet
from vmpooler_common.model.pool import DeletionPause
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.retirement.retirement import Condition, Destruction, Orphan, Outcome

BOUND = 3


async def give_up(fleet: Fleet, vm: str) -> Outcome:
    """Give up a suspect that the provider doesn't know."""
    return await fleet.store.retirement.retire(
        vm,
        VmState.READY,
        operation=f"give-up-{vm}",
        reason="absent",
        condition=Condition(Guard.UNSEEN, BOUND),
    )


async def adopt_orphan(fleet: Fleet, vm: str, *, provider: str = PROVIDER, generation: str = "") -> Outcome:
    """Take in an orphan, by default one of this data set."""
    return await fleet.store.retirement.adopt_orphan(
        Orphan(
            vm,
            pool="one",
            provider=provider,
            domain=DOMAIN,
            provider_id=f"id-{vm}",
            attempt=f"attempt-{vm}",
            generation=generation or await fleet.store.deployment.prepare(),
        ),
        bound=BOUND,
    )


async def halt(fleet: Fleet) -> DeletionPause | None:
    snapshot, _ = await fleet.store.views.observe("one", PROVIDER, size=1, ready_ttl=LEASE, listed=None)
    return snapshot.deletion_pause


async def claim(fleet: Fleet, vm: str, operation: str) -> list[Destruction]:
    return await fleet.store.retirement.claim([vm], operation=operation, manager=MANAGER, lease=LEASE)


async def halted_by_absence(fleet: Fleet) -> None:
    await fleet.suspect("one", "a", "b", "c", "d")
    for vm in ("a", "b", "c", "d"):
        await give_up(fleet, vm)


async def halted_by_orphans(fleet: Fleet) -> None:
    for vm in ("a", "b", "c", "d"):
        await adopt_orphan(fleet, vm)


async def test_only_so_many_suspects_are_given_up(fleet: Fleet) -> None:
    await fleet.suspect("one", "a", "b", "c", "d", "e")
    outcomes = [await give_up(fleet, vm) for vm in ("a", "b", "c", "d", "e")]
    assert outcomes == [Outcome.OK] * 3 + [Outcome.DELETION_PAUSED] * 2
    assert (await fleet.dataset()).members("suspect", "one").keys() == {"d", "e"}


async def test_what_was_given_up_longer_than_ten_minutes_ago_does_not_count(fleet: Fleet) -> None:
    await fleet.suspect("one", "a", "b", "c", "d")
    for vm in ("a", "b", "c"):
        await give_up(fleet, vm)
    reaped = f"{fleet.prefix}:reaped:{PROVIDER}:absent"
    await ask(fleet.client, "ZADD", reaped, await fleet.server_ms() - 600_001, "a")
    assert await give_up(fleet, "d") is Outcome.OK


async def test_only_so_many_orphans_are_taken_in(fleet: Fleet) -> None:
    outcomes = [await adopt_orphan(fleet, vm) for vm in ("a", "b", "c", "d", "e")]
    assert outcomes == [Outcome.OK] * 3 + [Outcome.DELETION_PAUSED] * 2
    assert sorted((await fleet.dataset()).records) == ["a", "b", "c"]


async def test_an_orphan_that_was_taken_in_is_destroyed_under_its_id(fleet: Fleet) -> None:
    await adopt_orphan(fleet, "a")
    (to_destroy,) = await claim(fleet, "a", "claim")
    assert (to_destroy.provider_id, to_destroy.attempt, to_destroy.pool) == ("id-a", "attempt-a", "one")
    assert (to_destroy.reason, to_destroy.asked) == ("orphan", True)


async def test_an_orphan_of_another_data_set_is_left_alone(fleet: Fleet) -> None:
    assert await adopt_orphan(fleet, "a", generation="another") is Outcome.FOREIGN
    assert (await fleet.dataset()).records == {}


async def test_after_a_loss_of_data_nothing_is_taken_in(fleet: Fleet) -> None:
    generation = await fleet.store.deployment.prepare()
    await ask(fleet.client, "DEL", f"{fleet.prefix}:generation")
    assert await adopt_orphan(fleet, "a", generation=generation) is Outcome.FOREIGN


@pytest.mark.parametrize(
    ("cause", "kind"),
    [(halted_by_absence, "absent"), (halted_by_orphans, "orphan")],
    ids=["absent", "orphan"],
)
async def test_a_halt_is_shown_with_its_cause_and_told_once(
    cause: Callable[[Fleet], Awaitable[None]], kind: str, fleet: Fleet
) -> None:
    await cause(fleet)
    shown = await halt(fleet)
    assert shown is not None
    assert (shown.kind, shown.pool) == (kind, "one")
    assert "ten minutes" in shown.reason
    assert [event for event in (await fleet.dataset()).events if event[0] == "provider.deletion_paused"] == [
        ("provider.deletion_paused", "one", "d")
    ]


async def test_while_halted_nothing_of_the_provider_is_destroyed(fleet: Fleet) -> None:
    await halted_by_absence(fleet)
    assert await claim(fleet, "a", "claim") == []
    assert await adopt_orphan(fleet, "orphan") is Outcome.DELETION_PAUSED


async def test_a_halt_concerns_one_provider_only(fleet: Fleet) -> None:
    await halted_by_absence(fleet)
    assert await adopt_orphan(fleet, "z", provider="other") is Outcome.OK
    assert len(await claim(fleet, "z", "claim")) == 1


async def test_while_halted_users_are_still_served(fleet: Fleet) -> None:
    await halted_by_absence(fleet)
    await fleet.running("two", "x")
    assert (await fleet.store.checkouts.release("x", operation="return")).pool == "two"


@pytest.mark.parametrize("whole", ["orphan one", "absent two", "absent on"])
async def test_another_listing_that_is_whole_again_resumes_nothing(whole: str, fleet: Fleet) -> None:
    await halted_by_absence(fleet)
    assert not await fleet.store.retirement.resume_when_whole(PROVIDER, whole=whole)
    assert await halt(fleet) is not None


async def test_the_listing_that_was_to_blame_resumes_when_it_is_whole_again(fleet: Fleet) -> None:
    await halted_by_absence(fleet)
    assert await fleet.store.retirement.resume_when_whole(PROVIDER, whole="absent one")
    assert await halt(fleet) is None
    assert len(await claim(fleet, "a", "claim")) == 1
    assert await give_up(fleet, "d") is Outcome.DELETION_PAUSED, "the ten minutes aren't over"


async def test_an_operator_resumes_whatever_the_cause_and_begins_to_count_anew(fleet: Fleet) -> None:
    await halted_by_absence(fleet)
    assert (await fleet.store.overrides.resume_deletion(PROVIDER)).released == 1
    assert await halt(fleet) is None
    await fleet.suspect("one", "e", "f", "g", "h")
    outcomes = [await give_up(fleet, vm) for vm in ("e", "f", "g", "h")]
    assert outcomes == [Outcome.OK] * 3 + [Outcome.DELETION_PAUSED]


async def test_a_release_covers_all_that_is_known_to_be_missing(fleet: Fleet) -> None:
    names = [f"vm-{number}" for number in range(20)]
    await fleet.suspect("one", *names)
    for vm in names:
        await give_up(fleet, vm)
    await fleet.suspect("two", "other")
    assert (await fleet.store.overrides.resume_deletion(PROVIDER)).released == 18
    outcomes = [await give_up(fleet, vm) for vm in (*names[3:], "other")]
    assert set(outcomes) == {Outcome.OK}


async def test_a_release_covers_all_unknown_vms_that_were_refused(fleet: Fleet) -> None:
    names = [f"vm-{number}" for number in range(20)]
    for vm in names:
        await adopt_orphan(fleet, vm)
    assert (await fleet.store.overrides.resume_deletion(PROVIDER)).released == 17
    outcomes = [await adopt_orphan(fleet, vm) for vm in names]
    assert set(outcomes) == {Outcome.OK}
    later = [await adopt_orphan(fleet, f"later-{number}") for number in range(4)]
    assert later == [Outcome.OK] * 3 + [Outcome.DELETION_PAUSED], "what nobody saw is still limited"


async def test_a_second_release_adds_to_the_first(fleet: Fleet) -> None:
    await halted_by_orphans(fleet)
    await fleet.store.overrides.resume_deletion(PROVIDER)
    for number in range(4):
        await adopt_orphan(fleet, f"later-{number}")
    assert (await fleet.store.overrides.resume_deletion(PROVIDER)).released == 2
    assert await adopt_orphan(fleet, "d") is Outcome.OK


async def test_a_release_of_what_is_not_halted_changes_nothing(fleet: Fleet) -> None:
    await fleet.suspect("one", "a")
    before = await fleet.dataset()
    assert (await fleet.store.overrides.resume_deletion(PROVIDER)).released == 0
    assert await fleet.dataset() == before


async def test_what_is_whole_again_leaves_nothing_to_release(fleet: Fleet) -> None:
    await halted_by_orphans(fleet)
    assert await fleet.store.retirement.resume_when_whole(PROVIDER, whole="orphan one")
    entries = (await fleet.dataset()).entries
    assert not any(name.startswith(("refused:", "released:")) for name in entries)


async def test_a_ready_vm_that_no_listing_misses_is_not_given_up_as_unseen(fleet: Fleet) -> None:
    await fleet.suspect("one", "a")
    await fleet.store.retirement.clear_suspect("one", ["a"])
    assert await give_up(fleet, "a") is Outcome.REFUSED


@pytest.mark.parametrize(("bound", "outcome"), [(1, Outcome.OK), (2, Outcome.REFUSED)])
async def test_an_excess_is_retired_only_while_there_is_one(
    bound: int, outcome: Outcome, fleet: Fleet
) -> None:
    await fleet.ready("one", "a")
    await fleet.created("one", "b")
    await fleet.suspect("one", "uncounted")
    retired = await fleet.store.retirement.retire(
        "a", VmState.READY, operation="o", reason="excess", condition=Condition(Guard.EXCESS, bound)
    )
    assert retired is outcome
