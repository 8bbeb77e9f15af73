"""On-demand requests: to open, to look at, to wait for, to have explained and to delete them."""

from datetime import timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request

from vmpooler_api.ondemand import schemas as answers
from vmpooler_api.ondemand.explain import RequestExplanation
from vmpooler_api.ondemand.responses import list_request, report_request
from vmpooler_api.ondemand.service import OnDemandRequester, OnDemandService
from vmpooler_api.ondemand.waiting import RequestWaiters
from vmpooler_api.web.client_address import ClientAddresses
from vmpooler_api.web.dependencies import TheToken
from vmpooler_api.web.errors import Unacceptable
from vmpooler_api.web.holders import TOKEN_MAY_HELP, Visitor
from vmpooler_api.web.parameters import (
    FORMAT_DESCRIPTION,
    FORMATS,
    WAIT_IS_CUT,
    WAIT_PATTERN,
    read_wait,
    wants_list,
)
from vmpooler_api.web.request import LARGEST_BODY, client_leaves, has_left, read_body
from vmpooler_api.web.router import Router
from vmpooler_common.store.core.errors import NoSuchRequest
from vmpooler_common.web.json import JsonAnswer

TheWait = Annotated[
    str | None,
    Query(
        description=f"Seconds: answer when the request is over, or after these. {WAIT_IS_CUT}",
        json_schema_extra={"pattern": WAIT_PATTERN},
    ),
]
TheFormat = Annotated[
    str | None,
    Query(alias="format", description=FORMAT_DESCRIPTION, json_schema_extra={"enum": list(FORMATS)}),
]
TheId = Annotated[str, Path(description="Id of the request.")]


def router(
    service: OnDemandService,
    waiters: RequestWaiters,
    *,
    longest_wait: timedelta,
    addresses: ClientAddresses,
) -> APIRouter:
    """Make the routes."""
    router = Router(prefix="/api/v3/ondemandvm", tags=["ondemandvm"])
    _add_openings(router, service, addresses)
    _add_requests(router, service, addresses)
    _add_look(router, waiters, longest_wait)
    return router


def _add_openings(router: APIRouter, service: OnDemandService, addresses: ClientAddresses) -> None:
    def requester(request: Request, token: str | None) -> OnDemandRequester:
        return OnDemandRequester(token, addresses.address_of(request.scope), partial(has_left, request))

    @router.post(
        "",
        status_code=201,
        summary="Request VMs that no pool has to have ready",
        responses=answers.TO_OPEN_BY_BODY,
        openapi_extra=answers.BODY,
    )
    async def open_by_body(request: Request, token: TheToken) -> answers.Opened:
        """Read the body as JSON whatever its type. The VMs are made; look at the request to get them."""
        body = await read_body(request, LARGEST_BODY)
        opened = await service.open_by_body(body, requester(request, token))
        return answers.Opened(request_id=opened)

    @router.post(
        "/{request_id}",
        status_code=201,
        summary="Request VMs, named in the path",
        responses=answers.TO_OPEN_BY_PATH,
    )
    async def open_by_path(
        request: Request,
        token: TheToken,
        names: Annotated[
            str,
            Path(
                alias="request_id",
                description="Pools or aliases joined by `+`; a name may be repeated.",
                examples=["debian-12-x86_64+debian-12-x86_64"],
            ),
        ],
    ) -> answers.Opened:
        """Give the request an id of its own."""
        await read_body(
            request, LARGEST_BODY
        )  # it says nothing, but only after it the client's leaving shows
        opened = await service.open_by_path(names, requester(request, token))
        return answers.Opened(request_id=opened)


def _add_look(router: APIRouter, waiters: RequestWaiters, longest: timedelta) -> None:
    @router.get("/{request_id}", summary="Look at a request, or wait for it", responses=answers.TO_SHOW)
    async def show(
        request: Request, request_id: TheId, wait: TheWait = None, form: TheFormat = None
    ) -> JsonAnswer:
        """Give counts while VMs are missing, and host names when all are there."""
        try:
            seconds = 0.0 if wait is None else read_wait(wait, longest=longest)
            report = list_request if wants_list(form) else report_request
        except ValueError as error:
            raise Unacceptable(str(error)) from None
        leaves = partial(client_leaves, request)
        found = await waiters.look_up(request_id, longest=seconds, client_leaves=leaves)
        if found is None:
            raise NoSuchRequest(_unknown(request_id))
        status, content = report(found)
        return JsonAnswer(content, status)


def _add_requests(router: APIRouter, service: OnDemandService, addresses: ClientAddresses) -> None:
    @router.get(
        "/{request_id}/explain",
        summary="Explain what a request waits for",
        responses=answers.TO_EXPLAIN,
        response_model_exclude_none=True,
        openapi_extra=TOKEN_MAY_HELP,
    )
    async def show_explanation(request: Request, request_id: TheId, token: TheToken) -> RequestExplanation:
        """Tell its place in line, what is being made, what holds it up, and when it fails."""
        explanation = await service.explain(request_id, Visitor.of(request, token, addresses))
        if explanation is None:
            raise NoSuchRequest(_unknown(request_id))
        return explanation

    @router.delete(
        "/{request_id}",
        summary="Delete a request",
        responses=answers.TO_DELETE,
        response_model_exclude_none=True,
    )
    async def delete(request_id: TheId, token: TheToken) -> answers.Deleted:
        """Return its VMs; those that are still being made are no longer wanted.

        One that was made with a token is deleted only by its user or an admin, unless `enforce_ownership`
        is off.
        """
        is_new = await service.delete(request_id, token=token)
        return answers.Deleted(ok=True, message=None if is_new else "the request has already been deleted")


def _unknown(request_id: str) -> str:
    return f"no request found for request_id '{request_id}'"
