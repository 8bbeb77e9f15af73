"""Changing what somebody has: ends and tags, all of a change or nothing."""

from collections.abc import Mapping
from datetime import timedelta

import pytest

from tests.store.fleet import PROVIDER, SITUATIONS, Fleet, untagged
from tests.store.operation import HOUR
from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.core.errors import NoSuchVm, NotOwner, Refused, TooManyTags, UnknownToken
from vmpooler_common.store.core.times import duration_ms, from_ms
from vmpooler_common.store.retirement.retirement import Condition, Outcome
from vmpooler_common.store.vms.changes import MOST_TAGS, Access, Changed, VmChange

DAY_MS = 86_400_000


async def modify(
    fleet: Fleet,
    *,
    operation: str = "change",
    access: Access = Access.HOLDER,
    token: str | None = None,
    only_owner: bool = True,
    lifetime: timedelta | None = None,
    tags: Mapping[str, str] | None = None,
) -> Changed:
    """VmChange the VM `a`; the user root is an admin."""
    return await fleet.store.changes.modify(
        "a",
        VmChange(lifetime=lifetime, tags=tags or {}),
        operation=operation,
        access=access,
        token=token,
        only_owner=only_owner,
        admins=["root"],
    )


async def owned(fleet: Fleet) -> None:
    """Have a VM of alice's, and tokens of alice, bob and root."""
    for token, user in (("alices", "alice"), ("bobs", "bob"), ("roots", "root")):
        await fleet.token(token, user)
    await fleet.running("one", "a", token="alices")


async def test_a_lifetime_counts_from_the_checkout(fleet: Fleet) -> None:
    await fleet.running("one", "a", lifetime=HOUR)
    changed = await modify(fleet, lifetime=5 * HOUR)
    data = await fleet.dataset()
    end = int(data.records["a"]["checkout"]) + duration_ms(5 * HOUR)
    assert data.records["a"]["ends"] == str(end)
    assert data.members("running", "one") == {"a": end}
    assert changed == Changed("one", "id-a", None, None, from_ms(end))


async def test_a_vm_without_end_gets_one(fleet: Fleet) -> None:
    await fleet.running("one", "a", lifetime=None)
    await modify(fleet, lifetime=HOUR)
    data = await fleet.dataset()
    assert data.members("running", "one")["a"] == int(data.records["a"]["checkout"]) + duration_ms(HOUR)


async def test_a_vm_whose_end_was_put_off_is_not_ended_by_a_plan_that_is_older(fleet: Fleet) -> None:
    await fleet.running("one", "a", lifetime=timedelta(milliseconds=1))
    await modify(fleet, lifetime=HOUR)
    outcome = await fleet.store.retirement.retire(
        "a", VmState.RUNNING, operation="end", reason="lifetime over", condition=Condition(Guard.ENDED)
    )
    assert outcome is Outcome.REFUSED
    assert await fleet.state("a") == "running"


async def test_a_new_end_is_told_and_to_be_noted_in_the_cloud(fleet: Fleet) -> None:
    await fleet.running("one", "a", lifetime=HOUR)
    record, _ = await fleet.store.checkouts.look_up("a")
    assert record is not None
    assert await fleet.store.views.tagged("one", untagged("a", ends_at=record.ends_at))
    await modify(fleet, lifetime=2 * HOUR)
    data = await fleet.dataset()
    assert list(data.members("untagged", "one")) == ["a"]
    assert data.events[-1] == ("vm.changed", "one", "a")


async def test_notes_in_the_cloud_have_a_pause_between_them_and_share_what_changes_in_it(
    fleet: Fleet,
) -> None:
    async def to_note() -> tuple[list[str], timedelta | None]:
        seen, _ = await fleet.store.views.observe("one", PROVIDER, size=1, ready_ttl=HOUR, listed=None)
        due_in = seen.next_due - seen.now if seen.next_due else None
        return [vm.name for vm in seen.untagged], due_in

    await fleet.running("one", "a", lifetime=HOUR)
    changed = await modify(fleet, lifetime=2 * HOUR)
    assert (await to_note())[0] == ["a"]  # the first one is never late
    assert await fleet.store.views.tagged("one", untagged("a", ends_at=changed.ends_at))
    for hours in range(3, 6):
        await modify(fleet, lifetime=hours * HOUR, operation=f"change-{hours}")
    names, due_in = await to_note()
    assert names == []
    assert due_in is not None
    assert timedelta() < due_in <= timedelta(seconds=10)


async def test_an_end_that_was_changed_while_the_old_one_was_noted_is_still_to_be_noted(fleet: Fleet) -> None:
    await fleet.running("one", "a", lifetime=HOUR)
    record, _ = await fleet.store.checkouts.look_up("a")
    assert record is not None
    changed = await modify(fleet, lifetime=2 * HOUR)
    assert not await fleet.store.views.tagged("one", untagged("a", ends_at=record.ends_at))
    assert list((await fleet.dataset()).members("untagged", "one")) == ["a"]
    assert await fleet.store.views.tagged("one", untagged("a", ends_at=changed.ends_at))
    assert not (await fleet.dataset()).members("untagged", "one")


async def test_a_vm_whose_record_is_lost_has_nothing_left_to_note(fleet: Fleet) -> None:
    await fleet.running("one", "a", lifetime=HOUR)
    await fleet.client.delete(f"{fleet.prefix}:vm:a")
    assert not await fleet.store.views.tagged("one", untagged("a"))
    assert not (await fleet.dataset()).members("untagged", "one")


async def test_a_vm_that_was_given_back_while_its_owner_was_noted_is_to_be_looked_at(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    await fleet.store.checkouts.release("a", operation="return")
    assert not await fleet.store.views.tagged("one", untagged("a"))


async def test_tags_are_added_and_replaced_by_their_names(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    await modify(fleet, tags={"build": "17", "by": "alice"})
    await modify(fleet, operation="another", tags={"build": "18"})
    record, _ = await fleet.store.checkouts.look_up("a")
    assert record is not None
    assert record.tags == {"build": "18", "by": "alice"}


async def test_tags_alone_leave_the_end_alone_and_poke_nobody(fleet: Fleet) -> None:
    await fleet.running("one", "a", lifetime=HOUR)
    before = await fleet.dataset()
    await modify(fleet, tags={"build": "17"})
    after = await fleet.dataset()
    assert after.members("running", "one") == before.members("running", "one")
    assert after.events == before.events


async def test_tags_outlive_the_use_of_the_vm(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    await modify(fleet, tags={"build": "17"})
    await fleet.store.checkouts.release("a", operation="return")
    record, _ = await fleet.store.checkouts.look_up("a")
    assert record is not None
    assert record.tags == {"build": "17"}


async def test_tags_are_counted_on_their_day_once_for_a_vm(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    before = await fleet.server_ms() // DAY_MS
    await modify(fleet, tags={"build": "17", "by": "alice"})
    await modify(fleet, operation="another", tags={"build": "18"})
    after = await fleet.server_ms() // DAY_MS
    entries = (await fleet.dataset()).entries
    days = [entries[f"stats:tag:{day}"] for day in range(before, after + 1) if f"stats:tag:{day}" in entries]
    assert days[-1].value["a:build"] == "18"
    assert days[0].value["a:by"] == "alice"
    assert all(day.expires for day in days)


async def test_a_vm_has_so_many_tags_at_most(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    await modify(fleet, tags={f"tag-{at}": "x" for at in range(MOST_TAGS)})
    before = await fleet.dataset()
    with pytest.raises(TooManyTags):
        await modify(fleet, operation="one more", lifetime=HOUR, tags={"another": "x"})
    assert await fleet.dataset() == before
    await modify(fleet, operation="another value", tags={"tag-0": "y"})
    assert (await fleet.dataset()).records["a"]["tag:tag-0"] == "y"


@pytest.mark.parametrize("situation", [name for name in SITUATIONS if name != "running"])
async def test_only_a_running_vm_is_changed(fleet: Fleet, situation: str) -> None:
    await SITUATIONS[situation](fleet, "one", "a")
    before = await fleet.dataset()
    for access in Access:
        with pytest.raises(NoSuchVm):
            await modify(fleet, access=access, lifetime=HOUR, tags={"build": "17"})
    assert await fleet.dataset() == before


@pytest.mark.parametrize(
    ("token", "access", "refusal"),
    [
        (None, Access.ANYBODY, None),
        (None, Access.HOLDER, UnknownToken),
        (None, Access.KNOWN, UnknownToken),
        ("forged", Access.HOLDER, UnknownToken),
        ("bobs", Access.HOLDER, NotOwner),
        ("bobs", Access.KNOWN, NotOwner),
        ("alices", Access.KNOWN, None),
        ("roots", Access.KNOWN, None),
    ],
)
async def test_a_vm_that_was_taken_with_a_token_is_changed_by_its_user_and_by_admins(
    fleet: Fleet, token: str | None, access: Access, refusal: type[Refused] | None
) -> None:
    await owned(fleet)
    before = await fleet.dataset()
    if refusal is None:
        assert (await modify(fleet, token=token, access=access, tags={"build": "17"})).owner == "alice"
        assert (await fleet.dataset()).records["a"]["tag:build"] == "17"
    else:
        with pytest.raises(refusal):
            await modify(fleet, token=token, access=access, lifetime=HOUR, tags={"build": "17"})
        assert await fleet.dataset() == before


async def test_without_the_rule_of_ownership_any_token_will_do(fleet: Fleet) -> None:
    await owned(fleet)
    changed = await modify(fleet, token="bobs", only_owner=False, tags={"build": "17"})
    assert (changed.owner, changed.user) == ("alice", "bob")
    with pytest.raises(UnknownToken):
        await modify(fleet, operation="another", only_owner=False, tags={"build": "18"})


@pytest.mark.parametrize(
    ("token", "access", "is_refused"),
    [
        (None, Access.HOLDER, False),
        ("forged", Access.HOLDER, False),
        (None, Access.KNOWN, True),
        ("forged", Access.KNOWN, True),
        ("bobs", Access.KNOWN, False),
    ],
)
async def test_an_anonymous_vm_needs_a_token_only_where_one_is_asked_for(
    fleet: Fleet, token: str | None, access: Access, is_refused: bool
) -> None:
    await fleet.token("bobs", "bob")
    await fleet.running("one", "a")
    if is_refused:
        with pytest.raises(UnknownToken):
            await modify(fleet, token=token, access=access, lifetime=HOUR)
    else:
        await modify(fleet, token=token, access=access, lifetime=HOUR)


async def test_the_use_of_a_token_is_noted(fleet: Fleet) -> None:
    await owned(fleet)
    before = (await fleet.store.tokens.look_up("roots")).last_used_at
    await modify(fleet, token="roots", tags={"build": "17"})
    assert before is None
    assert (await fleet.store.tokens.look_up("roots")).last_used_at is not None


async def test_a_late_repetition_does_not_undo_a_newer_change(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    first = await modify(fleet, lifetime=HOUR, tags={"build": "17"})
    await modify(fleet, operation="newer", lifetime=2 * HOUR, tags={"build": "18"})
    before = await fleet.dataset()
    assert await modify(fleet, lifetime=HOUR, tags={"build": "17"}) == first
    assert await fleet.dataset() == before


async def test_a_checkout_whose_answer_was_lost_is_undone_even_after_a_change(fleet: Fleet) -> None:
    await fleet.running("one", "a")
    await modify(fleet, lifetime=HOUR)
    assert await fleet.store.checkouts.cancel("take-a", reason="lost") == ["a"]
