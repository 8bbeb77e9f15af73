"""The operations on tokens: making, listing, showing and forgetting them, and failing to log in."""

from collections.abc import Awaitable

from tests.store.fleet import ALICE_HERE, HERE, Fleet
from tests.store.operation import HOUR, Operation, operation
from vmpooler_common.store.access.tokens import LoginAttempt
from vmpooler_common.store.store import Store

NEW = "a" * 32


def _issues(store: Store) -> Awaitable[object]:
    return store.tokens.issue(NEW, "alice", attempt=ALICE_HERE, ttl=HOUR)


def _revokes(store: Store) -> Awaitable[object]:
    return store.tokens.revoke(NEW, operation="revoke", user="alice", attempt=ALICE_HERE, admins=())


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
        lambda store: store.tokens.of_user("alice", attempt=ALICE_HERE),
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
        lambda store: store.tokens.revoke(
            NEW, operation="revoke", user="bob", attempt=LoginAttempt("bob", HERE), admins=("carol",)
        ),
        "revoke_token",
        arrange=_issued,
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
