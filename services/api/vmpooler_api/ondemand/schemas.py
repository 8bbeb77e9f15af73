"""The forms of the answers about on-demand requests, for the API's description."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from vmpooler_api.ondemand.explain import RequestExplanation
from vmpooler_api.web.schemas import AWAY, UNAUTHORIZED, Answers, Refusal

_VM = {"hostname": "merry-otter", "fqdn": "merry-otter.example.com", "pool": "debian-12-x86_64"}
_ID = "1c7d4a6e-5b1f-4c55-9d6c-0f7a3b1f2a77"


def _shown(**example: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": example})


class Opened(BaseModel):
    """The request was opened; look at it by this id."""

    model_config = _shown(ok=True, request_id=_ID)

    ok: Literal[True] = True
    request_id: str


class Counts(BaseModel):
    """VMs of one name; the numbers are texts."""

    ready: str
    pending: str


class Hostnames(BaseModel):
    """VMs of one name."""

    hostname: list[str]


class Waiting(BaseModel):
    """Some VMs are missing; one member for each requested name."""

    model_config = ConfigDict(extra="allow") | _shown(
        ok=True, request_id=_ID, ready=False, debian={"ready": "1", "pending": "2"}
    )
    __pydantic_extra__: dict[str, Counts] = Field(init=False)

    ok: Literal[True]
    request_id: str
    ready: Literal[False]


class Ready(BaseModel):
    """All VMs are there; one member for each requested name."""

    model_config = ConfigDict(extra="allow") | _shown(
        ok=True, request_id=_ID, ready=True, debian={"hostname": ["merry-otter.example.com"]}
    )
    __pydantic_extra__: dict[str, Hostnames] = Field(init=False)

    ok: Literal[True]
    request_id: str
    ready: Literal[True]


class Over(BaseModel):
    """The request failed or was deleted; the message says which and why."""

    model_config = ConfigDict(extra="forbid") | _shown(
        ok=True, request_id=_ID, ready=False, message="The request has been deleted"
    )

    ok: Literal[True]
    request_id: str
    ready: Literal[False]
    message: str


class GrantedVm(BaseModel):
    """One VM that the request was given."""

    model_config = _shown(name="debian", **_VM)

    name: str = Field(description="The pool or alias that was asked for.")
    hostname: str = Field(description="Its short name, by which its routes know it.")
    fqdn: str = Field(description="With its domain, where it has one.")
    pool: str


class NameCounts(BaseModel):
    """How many VMs of one name there are."""

    model_config = _shown(name="debian", ready=1, pending=2)

    name: str
    ready: int
    pending: int


class RequestList(BaseModel):
    """A request, with `?format=list`: the same members whatever its state."""

    model_config = _shown(
        ok=True,
        request_id=_ID,
        ready=True,
        vms=[{"name": "debian", **_VM}],
        counts=[{"name": "debian", "ready": 1, "pending": 0}],
    )

    ok: bool
    request_id: str
    ready: bool = Field(description="Whether all VMs are there.")
    message: str | None = Field(None, description="Why it is over without them; else absent.")
    vms: list[GrantedVm] = Field(description="All of them when it is ready, none before.")
    counts: list[NameCounts] = Field(description="By requested name; empty when it failed or was deleted.")


class Told(Refusal):
    """A refusal that says why."""

    message: str


class Duplicate(Told):
    """Another request has this id."""

    model_config = _shown(
        ok=False, request_id="build-7", message="request_id 'build-7' has already been created"
    )

    request_id: str


class UnknownNames(Told):
    """Names that are neither pools nor aliases; absent when nothing was asked for."""

    model_config = _shown(
        ok=False,
        bad_templates=["debian-99"],
        message="'debian-99' is neither a pool nor an alias; did you mean 'debian-9'?",
    )

    bad_templates: list[str] | None = None


class Deleted(BaseModel):
    """The request is deleted, now or before."""

    ok: Literal[True]
    message: str | None = Field(None, description="Only when it had been deleted before.")


_FOREIGN = {"model": Told, "description": "The request is another user's."}
_UNKNOWN_ID = {"model": Told, "description": "No request has this id (any more)."}

TO_OPEN_BY_PATH: Answers = {
    401: UNAUTHORIZED | {"model": Told},
    403: {"model": Told, "description": "More VMs than may be requested."},
    404: {"model": UnknownNames, "description": "A name isn't known, or none is given."},
    503: AWAY | {"description": "Redis can't be used for now; unless it names its id, it is withdrawn."},
}
TO_OPEN_BY_BODY: Answers = TO_OPEN_BY_PATH | {
    400: {"model": Told, "description": "The request can't be understood."},
    409: {"model": Duplicate, "description": "The id is in use."},
}
TO_SHOW: Answers = {
    # Whoever reads an answer tries one after the other: the list and what is over are told by their members.
    200: {"model": RequestList | Over | Ready, "description": "The request is over."},
    202: {"model": RequestList | Waiting, "description": "Some VMs are missing."},
    400: {"model": Told, "description": "`wait` is no such number, or `format` no such one."},
    404: _UNKNOWN_ID,
    503: AWAY,
}
TO_EXPLAIN: Answers = {200: {"model": RequestExplanation}, 404: _UNKNOWN_ID, 503: AWAY}
TO_DELETE: Answers = {401: UNAUTHORIZED | {"model": Told}, 403: _FOREIGN, 404: _UNKNOWN_ID, 503: AWAY}

BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "Pool or alias -> number of VMs, and the id of the request.",
                    "properties": {
                        "request_id": {"type": "string", "pattern": "^(?!.*__)[A-Za-z0-9_-]{1,64}$"}
                    },
                    "additionalProperties": {"type": "integer", "minimum": 1},
                    "example": {"debian": 3, "request_id": "build-7"},
                }
            }
        },
    }
}
