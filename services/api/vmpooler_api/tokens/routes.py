"""Making, listing, showing and deleting tokens. These routes exist only where users are known."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, Field

from vmpooler_api.authentication.base import Credentials, WrongCredentials
from vmpooler_api.authentication.basic import BasicCredentials
from vmpooler_api.tokens.schemas import TokenFacts, TokenReport, report_token, report_tokens
from vmpooler_api.tokens.service import Login, TokenService
from vmpooler_api.web.client_address import ClientAddresses, network_of
from vmpooler_api.web.router import Router
from vmpooler_api.web.schemas import AWAY, CHALLENGE, LATER, Answers, Done, Refusal, RefusalWithMessage
from vmpooler_common.store.access.tokens import TokenRecord, beginning_of
from vmpooler_common.store.core.errors import NoSuchToken

Token = Annotated[
    str,
    Path(
        description="The whole token, or its beginning as the list shows it, with or without the ellipsis. A "
        "beginning needs a login."
    ),
]
Owner = Annotated[
    str | None,
    Query(
        alias="user",
        description="Whose tokens are meant, for admins; without it the caller's. A whole token needs none.",
    ),
]

_LOGIN_ANSWERS: Answers = {
    401: {"model": Refusal, "description": "Name or password is wrong.", "headers": CHALLENGE},
    429: {
        "model": RefusalWithMessage,
        "description": "A login with this name has just failed at this address, and whether this one is "
        "right isn't told; or too many logins wait.",
        "headers": LATER,
    },
    503: AWAY | {"description": "The directory of users, or Redis, can't be used for now."},
}
_UNKNOWN: Answers = {404: {"model": Refusal, "description": "No such token."}}
_NOT_FOR_ALL: Answers = {
    403: {"model": Refusal, "description": "Another user's tokens are for that user and admins only."}
}
_SEVERAL: Answers = {
    409: {"model": RefusalWithMessage, "description": "Several tokens of the user begin like this."}
}


class NewToken(BaseModel):
    """A token that was just made; it is never shown again."""

    ok: Literal[True] = True
    token: str = Field(description="32 characters a-z and 0-9, the first one a letter.")


async def _keep_nothing(response: Response) -> None:
    """Have no proxy and no browser keep an answer that holds a token, or that tells of one."""
    response.headers["Cache-Control"] = "no-store"


async def _look_up_whole(service: TokenService, token: str) -> TokenRecord:
    """Look up what may be a whole token, and else is a beginning without the login that it needs."""
    try:
        return await service.look_up(token)
    except NoSuchToken:
        raise WrongCredentials from None


def router(service: TokenService, addresses: ClientAddresses) -> APIRouter:
    """Make the routes."""

    basic = BasicCredentials()

    async def read_login(request: Request, credentials: Annotated[Credentials, Depends(basic)]) -> Login:
        return Login(credentials, network_of(addresses.address_of(request.scope)))

    Caller = Annotated[Login, Depends(read_login)]  # noqa: N806 - a type
    router = Router(prefix="/api/v3/token", tags=["token"], dependencies=[Depends(_keep_nothing)])

    @router.get(
        "",
        summary="List one's tokens, or as an admin a user's",
        responses=_LOGIN_ANSWERS
        | _NOT_FOR_ALL
        | {404: {"model": Refusal, "description": "The user has none."}},
    )
    async def list_tokens(login: Caller, owner: Owner = None) -> dict[str, bool | TokenFacts]:
        """Tell when each of the user's tokens, shown by its first eight characters, was made and used."""
        entries = await service.list_of(owner, login)
        if not entries:
            raise NoSuchToken("this user has no token")
        return report_tokens(entries)

    @router.post(
        "",
        summary="Make a token",
        responses=_LOGIN_ANSWERS
        | {409: {"model": RefusalWithMessage, "description": "The user has too many."}},
    )
    async def create_token(login: Caller) -> NewToken:
        """Give the user a new token, the only time that it is shown. The body isn't read."""
        return NewToken(token=await service.create(login))

    @router.get(
        "/{token}",
        summary="Look at a token",
        response_model_exclude_none=True,
        responses=_LOGIN_ANSWERS
        | _NOT_FOR_ALL
        | _UNKNOWN
        | _SEVERAL
        | {401: _LOGIN_ANSWERS[401] | {"description": "A beginning of a token needs a name and a password."}},
        openapi_extra={"security": [{}, {"user": []}]},
    )
    async def show_token(
        request: Request, token: Token, owner: Owner = None
    ) -> dict[str, bool | TokenReport]:
        """Tell whose it is and which running VMs were taken with it.

        Whoever has the whole token may ask; by its beginning, its user and admins.
        """
        if not beginning_of(token):
            found = await service.look_up(token)
        elif "authorization" in request.headers:
            found = await service.look_up_listed(
                token, owner, await read_login(request, await basic(request))
            )
        else:
            found = await _look_up_whole(service, token)
        return {"ok": True, token: report_token(found)}

    @router.delete(
        "/{token}",
        summary="Delete a token",
        responses=_LOGIN_ANSWERS | _NOT_FOR_ALL | _UNKNOWN | _SEVERAL,
    )
    async def delete_token(token: Token, login: Caller, owner: Owner = None) -> Done:
        """Make it worthless, at once; one's own, or any for an admin. VMs taken with it stay their user's."""
        await service.delete(token, owner, login)
        return Done()

    return router
