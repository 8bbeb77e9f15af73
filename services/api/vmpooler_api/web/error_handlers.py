"""The one table that turns errors into answers."""

import structlog
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request

from vmpooler_api.authentication.base import DirectoryUnavailable, TooManyLogins, WrongCredentials
from vmpooler_api.background.store_health import StoreHealth
from vmpooler_api.web.compression import COMMON_HEADERS
from vmpooler_api.web.errors import (
    BadRequest,
    ClientLeft,
    NotEnabled,
    NothingReady,
    TooManyAtOnce,
    TooManyVms,
    Unacceptable,
    UnfitChange,
    UnknownName,
    UnknownTemplates,
    UnusableEntries,
)
from vmpooler_api.web.refusal_log import RefusalLog
from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import (
    AmbiguousToken,
    GrantOver,
    IncapableCloud,
    KeyReused,
    LoginThrottled,
    NoSuchRequest,
    NoSuchToken,
    NoSuchVm,
    NotOwner,
    NotReplicated,
    QuotaExceeded,
    RangeInvalid,
    RequestExists,
    RequestTaken,
    StoreUnavailable,
    TooManyRequests,
    TooManyTags,
    TooManyTasks,
    TooManyTokens,
    UnknownToken,
)
from vmpooler_common.web.json import JsonAnswer

log = structlog.get_logger(__name__)

AWAY = "Redis can't be used for now; try again"
READ_ONLY = "Redis takes no writes for now: no VM can be handed out or returned; try again"
DIRECTORY_AWAY = "the directory of users can't be used for now; try again"
THROTTLED = "a login with this name has just failed; try again in a second"
TOO_MANY_LOGINS = "too many logins at once; try again"
TOO_MANY_TOKENS = "this user has too many tokens; delete some"
NOT_SAFE = "too few replicas of Redis confirmed the checkout, so it was withdrawn; try again"
_LATER = {"Retry-After": "1"}
_NO_METHODS = {"Allow": ""}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="Authentication required"'}

_ANSWERS: dict[type[Exception], tuple[int, str | None, dict[str, str] | None]] = {
    BadRequest: (400, None, None),
    RequestValidationError: (400, None, None),
    Unacceptable: (400, None, None),
    UnfitChange: (400, None, None),
    TooManyTags: (400, None, None),
    UnusableEntries: (400, None, None),
    ClientLeft: (400, None, None),
    RangeInvalid: (400, None, None),
    UnknownToken: (401, None, _CHALLENGE),
    TooManyVms: (403, None, None),
    WrongCredentials: (401, None, _CHALLENGE),
    NotOwner: (403, None, None),
    RequestTaken: (403, None, None),
    UnknownName: (404, None, None),
    UnknownTemplates: (404, None, None),
    NoSuchVm: (404, None, None),
    NoSuchRequest: (404, None, None),
    NoSuchToken: (404, None, None),
    HTTPException: (404, None, None),  # no such route; a wrong method on a known path is none, either
    NotEnabled: (405, None, _NO_METHODS),
    RequestExists: (409, None, None),
    GrantOver: (409, None, None),
    TooManyTasks: (409, None, None),
    QuotaExceeded: (403, None, None),
    TooManyRequests: (429, None, None),
    IncapableCloud: (409, None, None),
    AmbiguousToken: (409, None, None),
    TooManyTokens: (409, TOO_MANY_TOKENS, None),
    KeyReused: (422, None, None),
    LoginThrottled: (429, THROTTLED, _LATER),
    TooManyLogins: (429, TOO_MANY_LOGINS, _LATER),
    TooManyAtOnce: (429, None, _LATER),
    NothingReady: (503, None, None),
    DirectoryUnavailable: (503, DIRECTORY_AWAY, _LATER),
    NotReplicated: (503, NOT_SAFE, _LATER),
    StoreUnavailable: (503, AWAY, _LATER),
}
"""Error -> status, message, headers. Whatever isn't here is a fault of ours: 500."""


def add_error_handlers(app: FastAPI, watch: StoreHealth, refusals: RefusalLog) -> None:
    """Make the app answer every error in JSON. `watch` hears of a store that is away."""

    async def answer(request: Request, error: Exception) -> JsonAnswer:
        status, message, headers = next(_ANSWERS[kind] for kind in type(error).__mro__ if kind in _ANSWERS)
        content = {"ok": False, **_content(error)}
        if message is not None:
            content["message"] = message
        if isinstance(error, StoreUnavailable):
            watch.noticed(error)
            if error.kind == "read_only":
                content["message"] = READ_ONLY
        if isinstance(error, TooManyRequests):
            headers = {"Retry-After": str(error.retry_after)}
        knows_token = isinstance(error, NotOwner | RequestTaken | QuotaExceeded)
        refusals.refused(request.scope, status, reason=type(error).__name__, knows_token=knows_token)
        return JsonAnswer(content, status, headers)

    for kind in _ANSWERS:
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(Exception, _internal_error)


def _content(error: Exception) -> dict[str, object]:
    """Give what the error itself says to the client."""
    match error:
        case BadRequest():
            return {"error": str(error)}
        case UnfitChange():
            return {"failure": error.failures}
        case TooManyTags():
            return {"failure": [str(error)]}
        case (
            Unacceptable()
            | TooManyVms()
            | TooManyAtOnce()
            | TooManyTasks()
            | QuotaExceeded()
            | TooManyRequests()
            | AmbiguousToken()
            | IncapableCloud()
            | NoSuchRequest()
            | RequestTaken()
            | RangeInvalid()
            | KeyReused()
            | GrantOver()
        ):
            return {"message": str(error)}
        case UnknownToken() | NotOwner() | UnknownName() | NoSuchVm() | NothingReady():
            return {"message": str(error)} if str(error) else {}
        case RequestExists():
            return {"request_id": error.request, "message": str(error)}
        case UnknownTemplates():
            return {"bad_templates": error.names, "message": str(error)}
        case UnusableEntries():
            return {error.member: error.names}
    return {}


async def _internal_error(request: Request, error: Exception) -> JsonAnswer:
    # The framework raises the error again after this answer; the server logs it with its traceback.
    log.error(EventName.INTERNAL_ERROR, method=request.method, error=type(error).__name__)
    return JsonAnswer({"ok": False, "message": "internal error"}, 500, COMMON_HEADERS)
