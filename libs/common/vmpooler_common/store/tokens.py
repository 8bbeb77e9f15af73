"""Tokens: who may ask."""

from vmpooler_common.store.checkouts import token_digest
from vmpooler_common.store.errors import UnknownToken
from vmpooler_common.store.keys import Keys
from vmpooler_common.store.link import Link, check


class Tokens:
    """For what is decided before anything else is asked of the store; the other verbs check by themselves."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link = link
        self._keys = keys

    async def check(self, token: str) -> None:
        """Raise UnknownToken unless the token is known."""
        (known,) = await self._link.call(("EXISTS", self._keys("token", token_digest(token))))
        if not check(known):
            raise UnknownToken("the token isn't known")
