"""Tokens."""

from typing import Any
from urllib.parse import quote

from vmpooler_client._async.transport import AsyncTransport
from vmpooler_client.calls import Call, Repeat, parse
from vmpooler_client.errors import BadAnswerError, NotFoundError, NotSupportedError
from vmpooler_client.models.tokens import Token, TokenEntry

_ALL = "/api/v3/token"


class AsyncTokens:
    """Makes, lists, shows and revokes tokens.

    All but showing needs name and password. A service without users raises NotSupportedError.
    """

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def create(self, user: str, password: str) -> str:
        """Make a token and return it; nobody can show it again."""
        call = Call("POST", _ALL, Repeat.NEVER, login=(user, password))
        token = (await self._ask(call)).get("token")
        if not isinstance(token, str) or not token:
            raise BadAnswerError("the answer holds no token")
        return token

    async def of_user(self, user: str, password: str, *, owner: str | None = None) -> list[TokenEntry]:
        """List the tokens of who logs in, or as an admin those of `owner` (not of a 3.x service)."""
        try:
            members = await self._ask(Call("GET", _ALL, params=_of(owner), login=(user, password)))
        except NotFoundError:
            return []
        return [
            parse(TokenEntry, {**facts, "token": token})
            for token, facts in members.items()
            if isinstance(facts, dict)
        ]

    async def show(self, token: str) -> Token:
        """Tell whose a token is, and which VMs were taken with it."""
        facts = (await self._ask(Call("GET", f"{_ALL}/{quote(token, safe='')}"))).get(token)
        if not isinstance(facts, dict):
            raise BadAnswerError("the answer isn't about the token")
        return parse(Token, {"running": (facts.get("vms") or {}).get("running", ()), **facts})

    async def revoke(self, token: str, user: str, password: str, *, owner: str | None = None) -> None:
        """Make a token void; its first characters will do, as an admin with its `owner`."""
        path = f"{_ALL}/{quote(token, safe='')}"
        await self._ask(Call("DELETE", path, params=_of(owner), login=(user, password)))

    async def has_users(self) -> bool:
        """Tell whether the service has tokens at all."""
        return (await self._transport.send(Call("GET", _ALL))).status == 401

    async def _ask(self, call: Call) -> dict[str, Any]:
        try:
            return (await self._transport.ask(call, about="the token")).members()
        except NotFoundError as error:
            if await self.has_users():
                raise
            raise NotSupportedError(
                "this service has no users: everybody may do everything, without a token", status=error.status
            ) from None


def _of(owner: str | None) -> dict[str, str]:
    return {} if owner is None else {"user": owner}
