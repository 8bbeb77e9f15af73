"""Tokens in the store: guesses at once, ends, what is kept of whom."""

import asyncio

import pytest

from tests.store.dataset import ask
from tests.store.fleet import ALICE, ALICE_HERE, HERE, Fleet
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.access.tokens import KnownUser, LoginAttempt, TokenName, token_digest
from vmpooler_common.store.core.errors import LoginThrottled, NoSuchToken


async def test_of_many_failed_logins_at_once_one_is_told_so(fleet: Fleet) -> None:
    tokens = fleet.store.tokens
    answers = await asyncio.gather(
        *(tokens.note_failed_login(ALICE_HERE, operation=f"login-{number}") for number in range(50)),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers if answer is not None] == [LoginThrottled] * 49


@pytest.mark.parametrize("spelling", ["ALICE B", "alice  b", "Alice\u00a0B", "\uff21lice b"])
async def test_spellings_that_a_directory_takes_for_one_are_one(fleet: Fleet, spelling: str) -> None:
    await fleet.failed_login("alice b")
    with pytest.raises(LoginThrottled):
        await fleet.store.tokens.of_user(spelling, caller=KnownUser(spelling, LoginAttempt(spelling, HERE)))


async def test_tokens_are_listed_in_the_order_in_which_they_were_made(fleet: Fleet) -> None:
    for name in ("zzzzzzzz-1", "aaaaaaaa-2", "mmmmmmmm-3"):
        await fleet.store.tokens.issue(name, "alice", attempt=ALICE_HERE, ttl=None)
        await _next_millisecond(fleet)
    listed = await fleet.store.tokens.of_user("alice", caller=ALICE)
    assert [entry.beginning for entry in listed] == ["zzzzzzzz", "aaaaaaaa", "mmmmmmmm"]


async def test_a_token_that_has_ended_is_not_listed_and_swept_out_by_the_next(fleet: Fleet) -> None:
    await fleet.store.tokens.issue("first", "alice", attempt=ALICE_HERE, ttl=None)
    await ask(fleet.client, "DEL", f"{fleet.prefix}:token:{token_digest('first')}")  # as its end does
    assert await fleet.store.tokens.of_user("alice", caller=ALICE) == []
    await fleet.store.tokens.issue("second", "alice", attempt=ALICE_HERE, ttl=None)
    assert list((await fleet.dataset()).members("tokens", "alice")) == [token_digest("second")]


async def test_a_name_in_another_spelling_is_another_owner(fleet: Fleet) -> None:
    await fleet.store.tokens.issue("first", "alice", attempt=ALICE_HERE, ttl=None)
    assert await fleet.store.tokens.of_user("Alice", caller=KnownUser("Alice", ALICE_HERE)) == []


@pytest.mark.parametrize("ending", ["cancel", "retire", "return"])
async def test_a_token_holds_a_vm_until_it_ends(fleet: Fleet, ending: str) -> None:
    await fleet.store.tokens.issue("mine", "alice", attempt=ALICE_HERE, ttl=None)
    await fleet.running("one", "a", token="mine")
    assert (await fleet.store.tokens.look_up("mine")).running == ("a",)
    match ending:
        case "cancel":
            await fleet.store.checkouts.cancel("take-a", reason="test")
        case "retire":
            await fleet.store.retirement.retire("a", VmState.RUNNING, operation="end", reason="test")
        case _:
            await fleet.store.checkouts.release("a", operation="return", token="mine")
    assert (await fleet.store.tokens.look_up("mine")).running == ()
    assert not [name for name in (await fleet.dataset()).entries if name.startswith("taken:")]


async def test_nothing_is_left_of_a_token_and_its_vm(fleet: Fleet) -> None:
    await fleet.store.tokens.issue("mine", "alice", attempt=ALICE_HERE, ttl=None)
    await fleet.running("one", "a", token="mine")
    await fleet.store.tokens.revoke(TokenName("mine", "alice"), operation="revoke", caller=ALICE)
    await fleet.store.retirement.retire("a", VmState.RUNNING, operation="end", reason="test")
    kinds = {name.split(":")[0] for name in (await fleet.dataset()).entries}
    assert kinds.isdisjoint({"token", "tokens", "taken"})
    with pytest.raises(NoSuchToken):
        await fleet.store.tokens.look_up("mine")


async def _next_millisecond(fleet: Fleet) -> None:
    """Return when the server's clock has gone on, by which tokens are ordered."""
    before = await fleet.server_ms()
    while await fleet.server_ms() == before:
        pass
