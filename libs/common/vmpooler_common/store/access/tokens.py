"""Tokens: made for users who have logged in, shown, and forgotten. A token itself is never kept."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmpooler_common.store.core.connection import RedisConnection, check
from vmpooler_common.store.core.errors import (
    AmbiguousToken,
    LoginThrottled,
    NoSuchToken,
    NotOwner,
    TooManyTokens,
    UnknownToken,
)
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.scripts import Named, Scripts
from vmpooler_common.store.core.times import duration_ms, from_ms, from_ms_or_none

MOST_TOKENS = 1000
"""Of one user, so that listing them stays cheap."""
TOKEN_UNKNOWN = "the token isn't known, or not any more; make another one with POST /api/v3/token"  # noqa: S105
"""For users."""
SHOWN = 8
"""First characters of a token that are kept, for lists: the rest holds more than 120 bits."""
_LISTED = re.compile(rf"([A-Za-z0-9_-]{{{SHOWN}}})(?:…|\.\.\.)?(?: \([0-9]+\))?")
"""As lists show it: some copy the ellipsis, some type it; the number tells those that begin alike apart.
"""
_FAILURE_COUNTS = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class TokenEntry:
    """One token in its user's list."""

    beginning: str
    """Its first characters."""
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """What is known of one token."""

    user: str
    created_at: datetime
    last_used_at: datetime | None
    running: tuple[str, ...]
    """Short names of the running VMs that were taken with it, the oldest first."""


@dataclass(frozen=True, slots=True)
class LoginAttempt:
    """What somebody logs in with: logins that fail are counted by both together.

    So whoever guesses at one place keeps nobody from logging in at another.
    """

    name: str
    """As it was typed."""
    address: str
    """Where from: what counts as one client."""

    @property
    def digest(self) -> str:
        """One short text for this address and all spellings that a directory may take for the same name."""
        folded = " ".join(unicodedata.normalize("NFKC", self.name).casefold().split())
        return hashlib.sha256(f"{self.address} {folded}".encode()).hexdigest()


def token_digest(token: str | None) -> str:
    """Give the form in which a token is kept: its SHA-256 in hexadecimal; empty for none."""
    return hashlib.sha256(token.encode()).hexdigest() if token else ""


@dataclass(frozen=True, slots=True)
class KnownUser:
    """Who has logged in, their password found right."""

    name: str
    attempt: LoginAttempt
    is_admin: bool = False
    """Admins may list, show and revoke the tokens of all users."""


@dataclass(frozen=True, slots=True)
class TokenName:
    """What somebody calls a token: the whole of it or, where it is known whose it is, its beginning."""

    text: str
    """As it was given; a whole token is tried first."""
    owner: str
    """Whose token the beginning is one of."""

    @property
    def beginning(self) -> str:
        """The first characters, as lists show them; empty when the text can't be that."""
        return beginning_of(self.text)


def beginning_of(text: str) -> str:
    """Read the name under which lists show a token, with or without its ellipsis; else give nothing."""
    shown = _LISTED.fullmatch(text)
    return shown[1] if shown else ""


class Tokens:
    """Each method is one round trip.

    The methods that take an attempt or a known user are for users whose password was found right. Within a
    second of a failed attempt with the same name from the same address they refuse with LoginThrottled all
    the same: whoever guesses learns of one guess in a second, however many are made at once and at however
    many API processes.
    """

    def __init__(self, connection: RedisConnection, scripts: Scripts, keys: Keys) -> None:
        self._connection = connection
        self._scripts = scripts
        self._keys = keys

    async def check(self, token: str) -> None:
        """Raise UnknownToken unless the token is known; for what is decided before another verb is asked."""
        (known,) = await self._connection.call(("EXISTS", self._keys("token", token_digest(token))))
        if not check(known):
            raise UnknownToken(TOKEN_UNKNOWN)

    async def issue(self, token: str, user: str, *, attempt: LoginAttempt, ttl: timedelta | None) -> None:
        """Make a new token known as this user's. A `ttl` of None never ends.

        Raises LoginThrottled, TooManyTokens, StoreUnavailable.
        """
        life = duration_ms(ttl) if ttl else 0
        match await self._scripts.run_named(
            "issue_token",
            token=token_digest(token),
            user=user,
            attempt=attempt.digest,
            beginning=token[:SHOWN],
            life=life,
            most=MOST_TOKENS,
        ):
            case "throttled":
                raise _throttled()
            case "full":
                raise TooManyTokens(f"this user has {MOST_TOKENS} tokens")

    async def of_user(self, owner: str, *, caller: KnownUser) -> list[TokenEntry]:
        """List a user's tokens, the oldest first.

        Raises LoginThrottled, NotOwner (unless the caller is the owner or an admin), StoreUnavailable.
        """
        reply = await self._scripts.fetch("list_tokens", owner=owner, **_named(caller))
        _check_outcome(reply["outcome"])
        return [
            TokenEntry(token["beginning"], from_ms(token["created"]), from_ms_or_none(token["last"]))
            for token in reply["tokens"]
        ]

    async def look_up(self, token: str) -> TokenRecord:
        """Tell what is known of a token. Raises NoSuchToken, StoreUnavailable."""
        found = await self._scripts.fetch("show_token", token=token_digest(token))
        if not found["user"]:
            raise NoSuchToken("no such token")
        return _record(found)

    async def look_up_listed(self, token: TokenName, *, caller: KnownUser) -> TokenRecord:
        """Tell what is known of a token that is named by its beginning.

        Raises LoginThrottled, NoSuchToken, NotOwner, AmbiguousToken, StoreUnavailable.
        """
        found = await self._scripts.fetch(
            "show_listed_token",
            token=token_digest(token.text),
            beginning=token.beginning,
            owner=token.owner,
            **_named(caller),
        )
        _check_outcome(found["outcome"])
        return _record(found)

    async def revoke(self, token: TokenName, *, operation: str, caller: KnownUser) -> str:
        """Forget a token. Gives the user whose it was.

        Raises LoginThrottled, NoSuchToken, NotOwner (unless the caller is its user or an admin),
        AmbiguousToken, StoreUnavailable.
        """
        reply = await self._scripts.fetch(
            "revoke_token",
            operation=operation,
            token=token_digest(token.text),
            beginning=token.beginning,
            owner=token.owner,
            **_named(caller),
        )
        _check_outcome(reply["outcome"])
        return str(reply["owner"])

    async def note_failed_login(self, attempt: LoginAttempt, *, operation: str) -> None:
        """Note that a login failed.

        Raises LoginThrottled when one like it has failed within a second, StoreUnavailable.
        """
        key, milliseconds = self._keys("failed", attempt.digest), duration_ms(_FAILURE_COUNTS)
        (before,) = await self._connection.call(("SET", key, operation, "NX", "PX", milliseconds, "GET"))
        if check(before) not in (None, operation):
            raise _throttled()


def _named(caller: KnownUser) -> dict[str, Named]:
    """Give a script's arguments that say who has logged in."""
    return {"user": caller.name, "attempt": caller.attempt.digest, "is_admin": caller.is_admin}


def _record(found: Mapping[str, Any]) -> TokenRecord:
    last = from_ms_or_none(found["last"])
    return TokenRecord(found["user"], from_ms(found["created"]), last, tuple(found["vms"]))


def _check_outcome(outcome: str) -> None:
    match outcome:
        case "throttled":
            raise _throttled()
        case "foreign":
            raise NotOwner
        case "several":
            raise AmbiguousToken("several tokens begin like this; give the whole token")
        case "missing":
            raise NoSuchToken("no such token")


def _throttled() -> LoginThrottled:
    return LoginThrottled("a login with this name from this address has failed within a second")
