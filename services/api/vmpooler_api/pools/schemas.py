"""The forms of requests and answers about the configuration, for the API's description."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from vmpooler_api.pools.request import LONGEST_TEXT
from vmpooler_api.web.schemas import (
    AWAY,
    UNAUTHORIZED,
    Answers,
    Done,
    Refusal,
    RefusalWithMessage,
    RefusalWithReason,
)
from vmpooler_common.model.overrides import LARGEST_SIZE


def _shown(**example: Any) -> ConfigDict:
    return ConfigDict(json_schema_extra={"example": example})


class SizeTakenBack(BaseModel):
    """What counted until now, and what counts from now on."""

    model_config = _shown(ok=True, pool_size_before_reset=2, pool_size_before_overrides=5)

    ok: Literal[True] = True
    pool_size_before_reset: int
    pool_size_before_overrides: int


class TemplateTakenBack(BaseModel):
    """What counted until now, and what counts from now on."""

    model_config = _shown(
        ok=True, template_before_reset="templates/debian-13", template_before_overrides="templates/debian-12"
    )

    ok: Literal[True] = True
    template_before_reset: str
    template_before_overrides: str


class CloneTargetTakenBack(BaseModel):
    """What counted until now, and what counts from now on; null for none."""

    model_config = _shown(
        ok=True, clone_target_before_reset="cluster-blue", clone_target_before_overrides="cluster-red"
    )

    ok: Literal[True] = True
    clone_target_before_reset: str | None
    clone_target_before_overrides: str | None


class RefusedSizes(Refusal):
    """Pools that aren't configured, or whose size is wrong."""

    model_config = _shown(ok=False, not_configured=["debian-99"])

    not_configured: list[str]


class RefusedTexts(Refusal):
    """Pools that aren't configured, or whose template or clone target is wrong."""

    model_config = _shown(ok=False, bad_templates=["debian-99"])

    bad_templates: list[str]


class RefusedPools(Refusal):
    """Pools that aren't configured."""

    model_config = _shown(ok=False, bad_pools=["debian-99"])

    bad_pools: list[str]


_FOREIGN = {"model": Refusal, "description": "The token isn't an admin's."}
_DISABLED = {"model": Refusal, "description": "Pools can't be changed: config.experimental_features is off."}
_EVERY_CHANGE: Answers = {401: UNAUTHORIZED, 403: _FOREIGN, 405: _DISABLED, 503: AWAY}
_NULL = {"model": Refusal, "description": "The body is null or false."}


def _to_set(refused: type[Refusal]) -> Answers:
    return _EVERY_CHANGE | {
        200: {"model": Done, "description": "All is as it was."},
        201: {"model": Done, "description": "Something is other than before."},
        400: {
            "model": refused | RefusalWithMessage,
            "description": "Some entries are wrong, or the body can't be understood. Nothing was changed.",
        },
        404: _NULL,
    }


def to_take_back(taken_back: type[BaseModel]) -> Answers:
    """Give the answers of a route that takes a property back."""
    return _EVERY_CHANGE | {
        200: {"model": taken_back, "description": "All is as it was."},
        201: {"model": taken_back, "description": "What is configured counts again."},
        404: {"model": Refusal, "description": "No such pool."},
    }


TO_SHOW: Answers = {404: {"model": Refusal, "description": "No pool is configured."}, 503: AWAY}
TO_SHOW_ALL: Answers = {401: UNAUTHORIZED, 403: _FOREIGN, 503: AWAY}
TO_SET_SIZES = _to_set(RefusedSizes)
TO_SET_TEXTS = _to_set(RefusedTexts)
_NO_POOL = {"model": Refusal, "description": "No such pool."}
_MAY_OPERATE: Answers = {
    401: UNAUTHORIZED,
    403: _FOREIGN,
    405: {
        "model": Refusal,
        "description": "Neither `auth` nor config.experimental_features is set: nobody may do this.",
    },
    503: AWAY,
}
TO_PAUSE: Answers = _MAY_OPERATE | {
    200: {"description": "It was paused already, and has the new reason."},
    201: {"description": "It is paused from now on."},
    400: {"model": RefusalWithReason, "description": "The reason is missing or too long."},
    404: _NO_POOL,
}
TO_RESUME: Answers = _MAY_OPERATE | {
    200: {"model": Done, "description": "It wasn't paused."},
    201: {"model": Done, "description": "It works again."},
    404: _NO_POOL,
}
TO_RESUME_DELETION: Answers = _MAY_OPERATE | {404: {"model": Refusal, "description": "No such provider."}}
TO_RESET: Answers = _EVERY_CHANGE | {
    400: {
        "model": RefusedPools | RefusalWithMessage,
        "description": "Some pools aren't configured, or the body can't be understood. Nothing is reset.",
    },
    404: _NULL,
}


def _body(description: str, value: dict[str, Any], example: dict[str, Any]) -> dict[str, Any]:
    schema = {
        "type": "object",
        "description": description,
        "additionalProperties": value,
        "example": example,
    }
    content = {"application/json": {"schema": schema}}
    return {"requestBody": {"required": True, "content": content}}


SIZES = _body(
    "Pool -> VMs that are kept ready.",
    {
        "type": "integer",
        "minimum": 0,
        "maximum": LARGEST_SIZE,
    },
    {"debian-12-x86_64": 10},
)
TEMPLATES = _body(
    "Pool -> template: a path with a slash in it, but not at its ends.",
    {"type": "string", "pattern": "^[^/].*/.*[^/]$|^[^/]/[^/]$", "maxLength": LONGEST_TEXT},
    {"debian-12-x86_64": "templates/debian-12.8"},
)
CLONE_TARGETS = _body(
    "Pool -> cluster or host.",
    {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT},
    {"debian-12-x86_64": "cluster-blue"},
)
PAUSE = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["reason"],
                    "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}},
                    "example": {"reason": "its template is being rebuilt"},
                }
            }
        },
    }
}
POOLS = _body("Pool -> anything.", {}, {"debian-12-x86_64": 1})
