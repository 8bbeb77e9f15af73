"""Making, listing, showing and deleting tokens. These routes exist only where users are known."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from vmpooler_api.authentication.base import Credentials
from vmpooler_api.authentication.basic import BasicCredentials
from vmpooler_api.tokens.schemas import TokenFacts, TokenReport, report_token, report_tokens
from vmpooler_api.tokens.service import TokenService
from vmpooler_api.web.router import Router
from vmpooler_api.web.schemas import AWAY, CHALLENGE, LATER, Answers, Done, Refusal, RefusalWithMessage
from vmpooler_common.store.core.errors import NoSuchToken

Login = Annotated[Credentials, Depends(BasicCredentials())]
Token = Annotated[str, Path(description="The whole token.")]

_LOGIN_ANSWERS: Answers = {
    401: {"model": Refusal, "description": "Name or password is wrong.", "headers": CHALLENGE},
    429: {
        "model": RefusalWithMessage,
        "description": "A login of this user has just failed; whether this one is right isn't told.",
        "headers": LATER,
    },
    503: AWAY | {"description": "The directory of users, or Redis, can't be used for now."},
}
_UNKNOWN: Answers = {404: {"model": Refusal, "description": "No such token."}}


class NewToken(BaseModel):
    """A token that was just made; it is never shown again."""

    ok: Literal[True] = True
    token: str = Field(description="32 characters a-z and 0-9, the first one a letter.")


async def _keep_nothing(response: Response) -> None:
    """Have no proxy and no browser keep an answer that holds a token, or that tells of one."""
    response.headers["Cache-Control"] = "no-store"


def router(service: TokenService) -> APIRouter:
    """Make the routes."""
    router = Router(prefix="/api/v3/token", tags=["token"], dependencies=[Depends(_keep_nothing)])

    @router.get(
        "",
        summary="List one's tokens",
        responses=_LOGIN_ANSWERS | {404: {"model": Refusal, "description": "The user has none."}},
    )
    async def list_tokens(credentials: Login) -> dict[str, bool | TokenFacts]:
        """Tell when each of the user's tokens, shown by its first eight characters, was made and used."""
        entries = await service.list_own(credentials)
        if not entries:
            raise NoSuchToken("this user has no token")
        return report_tokens(entries)

    @router.post(
        "",
        summary="Make a token",
        responses=_LOGIN_ANSWERS
        | {409: {"model": RefusalWithMessage, "description": "The user has too many."}},
    )
    async def create_token(credentials: Login) -> NewToken:
        """Give the user a new token, the only time that it is shown. The body isn't read."""
        return NewToken(token=await service.create(credentials))

    @router.get(
        "/{token}",
        summary="Look at a token",
        response_model_exclude_none=True,
        responses=_UNKNOWN | {503: AWAY},
    )
    async def show_token(token: Token) -> dict[str, bool | TokenReport]:
        """Tell whose it is and which running VMs were taken with it. Whoever has the token may ask."""
        return {"ok": True, token: report_token(await service.look_up(token))}

    @router.delete(
        "/{token}",
        summary="Delete a token",
        responses=_LOGIN_ANSWERS
        | _UNKNOWN
        | {403: {"model": Refusal, "description": "It is another user's."}},
    )
    async def delete_token(token: Token, credentials: Login) -> Done:
        """Make it worthless, at once; one's own, or any for an admin. VMs taken with it stay their user's."""
        await service.delete(token, credentials)
        return Done()

    return router
