"""The use cases of tokens: who has logged in makes, lists and deletes them."""

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog

from vmpooler_api.authentication.base import (
    Credentials,
    Directory,
    DirectoryUnavailable,
    TooManyLogins,
    WrongCredentials,
)
from vmpooler_api.metrics.logins import LoginMetrics
from vmpooler_api.web.parameters import new_identifier
from vmpooler_common.model.events import EventName
from vmpooler_common.store.access.tokens import (
    KnownUser,
    LoginAttempt,
    TokenEntry,
    TokenName,
    TokenRecord,
    Tokens,
)
from vmpooler_common.store.core.errors import LoginThrottled, NotOwner, Refused
from vmpooler_common.store.core.scripts import new_operation

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Login:
    """Who wants to be known, and where from."""

    credentials: Credentials
    address: str

    @property
    def attempt(self) -> LoginAttempt:
        """What is remembered if it fails."""
        return LoginAttempt(self.credentials.user, self.address)


class TokenService:
    """Keeps tokens. `admins` may list and delete everybody's; `ttl` is the life of a new one (None: no end).

    The directory is asked first and the store once, whatever the directory says: the store alone knows, for
    all API processes, whether such a login has just failed there. Raises, beside what each method says,
    WrongCredentials, DirectoryUnavailable, TooManyLogins, LoginThrottled, StoreUnavailable.
    """

    def __init__(
        self,
        tokens: Tokens,
        directory: Directory,
        *,
        metrics: LoginMetrics,
        admins: Collection[str],
        ttl: timedelta | None,
    ) -> None:
        self._tokens = tokens
        self._directory = directory
        self._metrics = metrics
        self._admins = frozenset(admins)
        self._ttl = ttl

    async def create(self, login: Login) -> str:
        """Make a token for the user. Raises TooManyTokens."""
        token = new_identifier()
        async with self._logged_in(login) as user:
            await self._tokens.issue(token, user, attempt=login.attempt, ttl=self._ttl)
        log.info(EventName.TOKEN_CREATED, user=user)
        return token

    async def list_of(self, owner: str | None, login: Login) -> Sequence[TokenEntry]:
        """List a user's tokens, the oldest first; None for the caller's own. Raises NotOwner."""
        async with self._logged_in(login) as user:
            return await self._tokens.of_user(owner or user, caller=self._caller(user, login))

    async def look_up(self, token: str) -> TokenRecord:
        """Tell what is known of a token; whoever has it may ask. Raises NoSuchToken."""
        return await self._tokens.look_up(token)

    async def look_up_listed(self, token: str, owner: str | None, login: Login) -> TokenRecord:
        """Tell what is known of a token of `owner` (or the caller) that is named as lists show it.

        Raises NoSuchToken, NotOwner, AmbiguousToken.
        """
        async with self._logged_in(login) as user:
            name = TokenName(token, owner or user)
            return await self._tokens.look_up_listed(name, caller=self._caller(user, login))

    async def delete(self, token: str, owner: str | None, login: Login) -> None:
        """Make a token worthless; VMs that were taken with it stay.

        Where it is named as lists show it, it is one of `owner` or of the caller.
        Raises NoSuchToken, NotOwner, AmbiguousToken.
        """
        async with self._logged_in(login) as user:
            owner = await self._tokens.revoke(
                TokenName(token, owner or user),
                operation=new_operation(),
                caller=self._caller(user, login),
            )
        log.info(EventName.TOKEN_DELETED, user=user, owner=owner)

    @asynccontextmanager
    async def _logged_in(self, login: Login) -> AsyncIterator[str]:
        """Judge a login, together with the act that the user wants, and count it; give the user's name."""
        user = None
        try:
            user = await self._log_in(login)
            yield user
        except WrongCredentials:
            self._metrics.failed()
            raise
        except LoginThrottled:
            self._metrics.throttled()
            raise
        except TooManyLogins:
            self._metrics.refused()
            raise
        except DirectoryUnavailable:
            self._metrics.unavailable()
            raise
        except Refused as refusal:  # what was wanted; who wanted it is known
            self._metrics.succeeded()
            if isinstance(refusal, NotOwner):
                log.warning(EventName.TOKEN_REFUSED, user=user)
            raise
        self._metrics.succeeded()

    def _caller(self, user: str, login: Login) -> KnownUser:
        return KnownUser(user, login.attempt, is_admin=user in self._admins)

    async def _log_in(self, login: Login) -> str:
        user = await self._directory.identify(login.credentials)
        if user is None:
            await self._tokens.note_failed_login(login.attempt, operation=new_operation())
            raise WrongCredentials
        return user
