"""The operations on tokens: making, listing, showing and forgetting them, and failing to log in."""

from collections.abc import Awaitable

from tests.store.fleet import ALICE, ALICE_HERE, HERE, Fleet
from tests.store.operation import HOUR, Operation, operation
from vmpooler_common.store.access.tokens import KnownUser, LoginAttempt, TokenName
from vmpooler_common.store.store import Store

NEW = "a" * 32
ROOT = KnownUser("root", LoginAttempt("root", HERE), is_admin=True)
BOB = KnownUser("bob", LoginAttempt("bob", HERE))


def _issues(store: Store) -> Awaitable[object]:
    return store.tokens.issue(NEW, "alice", attempt=ALICE_HERE, ttl=HOUR)


def _revokes(store: Store) -> Awaitable[object]:
    return store.tokens.revoke(TokenName(NEW, "alice"), operation="revoke", caller=ALICE)


def _revokes_by_its_beginning(store: Store) -> Awaitable[object]:
    return store.tokens.revoke(TokenName(NEW[:8] + "…", "alice"), operation="revoke", caller=ROOT)


def _looks_up_by_its_beginning(store: Store) -> Awaitable[object]:
    return store.tokens.look_up_listed(TokenName(NEW[:8], "alice"), caller=ALICE)


async def _issued(fleet: Fleet) -> None:
    await fleet.store.tokens.issue(NEW, "alice", attempt=ALICE_HERE, ttl=None)


async def _issued_and_used(fleet: Fleet) -> None:
    await _issued(fleet)
    await fleet.running("one", "a", token=NEW)


async def _a_login_failed(fleet: Fleet) -> None:
    await fleet.failed_login("alice")


async def _issued_but_a_login_failed(fleet: Fleet) -> None:
    await _issued(fleet)
    await _a_login_failed(fleet)


OPERATIONS_ON_TOKENS: tuple[Operation, ...] = (
    operation("issue", "tokens.issue", _issues, "issue_token"),
    operation(
        "issue right after a failed login", "tokens.issue", _issues, "issue_token", arrange=_a_login_failed
    ),
    operation(
        "list a user's tokens",
        "tokens.of_user",
        lambda store: store.tokens.of_user("alice", caller=ALICE),
        "list_tokens",
        arrange=_issued,
        only_reads=True,
    ),
    operation(
        "look a token up",
        "tokens.look_up",
        lambda store: store.tokens.look_up(NEW),
        "show_token",
        arrange=_issued_and_used,
        only_reads=True,
    ),
    operation("revoke", "tokens.revoke", _revokes, "revoke_token", arrange=_issued_and_used),
    operation(
        "revoke another user's",
        "tokens.revoke",
        lambda store: store.tokens.revoke(TokenName(NEW, "bob"), operation="revoke", caller=BOB),
        "revoke_token",
        arrange=_issued,
    ),
    operation(
        "revoke by its beginning",
        "tokens.revoke",
        _revokes_by_its_beginning,
        "revoke_token",
        arrange=_issued_and_used,
    ),
    operation(
        "look a token up by its beginning",
        "tokens.look_up_listed",
        _looks_up_by_its_beginning,
        "show_listed_token",
        arrange=_issued_and_used,
        only_reads=True,
    ),
    operation(
        "revoke what isn't known",
        "tokens.revoke",
        _revokes,
        "revoke_token",
    ),
    operation(
        "revoke right after a failed login",
        "tokens.revoke",
        _revokes,
        "revoke_token",
        arrange=_issued_but_a_login_failed,
    ),
    operation(
        "note a failed login",
        "tokens.note_failed_login",
        lambda store: store.tokens.note_failed_login(ALICE_HERE, operation="now"),
    ),
    operation(
        "note a failed login right after another",
        "tokens.note_failed_login",
        lambda store: store.tokens.note_failed_login(ALICE_HERE, operation="now"),
        arrange=_a_login_failed,
    ),
)
