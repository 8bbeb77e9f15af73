"""The use cases of tokens: who has logged in makes, lists and deletes them."""

import secrets
import string
from collections.abc import Collection, Sequence
from datetime import timedelta

import structlog

from vmpooler_api.authentication.contract import Credentials, Directory, WrongCredentials
from vmpooler_common.store.errors import NotOwner
from vmpooler_common.store.scripts import new_operation
from vmpooler_common.store.tokens import TokenEntry, TokenRecord, Tokens

log = structlog.get_logger(__name__)

_LENGTH = 32
_LETTERS = string.ascii_lowercase
_CHARACTERS = string.ascii_lowercase + string.digits


class TokenKeeping:
    """Keeps tokens. `admins` may delete everybody's; `ttl` is the life of a new one, None for no end.

    The directory is asked first and the store once, whatever the directory says: the store alone knows, for
    all API processes, whether a login of this user has just failed. Raises, beside what each method says,
    WrongCredentials, DirectoryUnavailable, LoginThrottled, StoreUnavailable.
    """

    def __init__(
        self, tokens: Tokens, directory: Directory, *, admins: Collection[str], ttl: timedelta | None
    ) -> None:
        self._tokens = tokens
        self._directory = directory
        self._admins = frozenset(admins)
        self._ttl = ttl

    async def create(self, credentials: Credentials) -> str:
        """Make a token for the user. Raises TooManyTokens."""
        await self._log_in(credentials)
        token = secrets.choice(_LETTERS) + "".join(secrets.choice(_CHARACTERS) for _ in range(_LENGTH - 1))
        await self._tokens.issue(token, credentials.user, ttl=self._ttl)
        log.info("token created", user=credentials.user)
        return token

    async def list_own(self, credentials: Credentials) -> Sequence[TokenEntry]:
        """List the user's tokens, the oldest first."""
        await self._log_in(credentials)
        return await self._tokens.of_user(credentials.user)

    async def look_up(self, token: str) -> TokenRecord:
        """Tell what is known of a token; whoever has it may ask. Raises NoSuchToken."""
        return await self._tokens.look_up(token)

    async def delete(self, token: str, credentials: Credentials) -> None:
        """Make a token worthless; VMs that were taken with it stay. Raises NoSuchToken, NotOwner."""
        await self._log_in(credentials)
        try:
            owner = await self._tokens.revoke(
                token, operation=new_operation(), user=credentials.user, admins=self._admins
            )
        except NotOwner:
            log.warning("deletion of another user's token refused", user=credentials.user)
            raise
        log.info("token deleted", user=credentials.user, owner=owner)

    async def _log_in(self, credentials: Credentials) -> None:
        if not await self._directory.knows(credentials):
            await self._tokens.note_failed_login(credentials.user, operation=new_operation())
            raise WrongCredentials
