"""The OpenAPI entries of the routes in `handover`: the framework doesn't describe plain routes."""

from collections.abc import Mapping
from typing import Any

from vmpooler_api.checkout.idempotency import PATTERN, SHORTEST_WITHOUT_TOKEN
from vmpooler_api.web.parameters import LONGEST as LONGEST_HOST_NAME
from vmpooler_api.web.parameters import PATTERN as HOST_NAME
from vmpooler_api.web.parameters import WAIT_IS_CUT, WAIT_PATTERN

ALL = "/api/v3/vm"
ONE = "/api/v3/vm/{name}"


def _answer(description: str, schema: Mapping[str, Any], **headers: str) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "description": description,
        "content": {"application/json": {"schema": dict(schema)}},
    }
    if headers:
        answer["headers"] = {
            name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        }
    return answer


def _object(**members: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }


_OK = {"const": True}
_NOT_OK = {"const": False}
_TEXT = {"type": "string"}
_HOST_NAME = {"type": "string", "pattern": f"^{HOST_NAME}$", "maxLength": LONGEST_HOST_NAME}
_REFUSAL_WITH_REASON = _object(ok=_NOT_OK, error=_TEXT) | {
    "example": {"ok": False, "error": "VM count must be at least 1"}
}
_TOLD_REFUSAL = _object(ok=_NOT_OK, message=_TEXT) | {
    "example": {"ok": False, "message": "a sentence that says what is wrong"}
}
_GRANTED = {
    "type": "object",
    "properties": {"ok": _OK},
    "required": ["ok"],
    "additionalProperties": _object(
        hostname={"oneOf": [_TEXT, {"type": "array", "items": _TEXT, "minItems": 2}]}
    ),
    "minProperties": 2,
    "example": {"ok": True, "debian-12-x86_64": {"hostname": "merry-otter.example.com"}},
}
_WITH_OR_WITHOUT_TOKEN: list[dict[str, list[str]]] = [{}, {"token": []}]
_UNAUTHORIZED = _answer("The token isn't known.", _TOLD_REFUSAL, WWW_Authenticate="Always Basic.")
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "Asked again with the same key within an hour, the same VMs are told again. "
    f"Without a token it has at least {SHORTEST_WITHOUT_TOKEN} characters.",
    "schema": {"type": "string", "pattern": PATTERN},
    "example": "build-4711-attempt-1",
}
_WAIT = {
    "name": "wait",
    "in": "query",
    "description": f"Seconds to wait in line when not all VMs are ready. {WAIT_IS_CUT}",
    "schema": {"type": "string", "pattern": WAIT_PATTERN, "default": "0"},
    "example": "30",
}
_CHECKOUT_ANSWERS = {
    "200": _answer("The VMs, by requested name; a list where several were asked for.", _GRANTED),
    "400": _answer("The request can't be understood.", _REFUSAL_WITH_REASON),
    "401": _UNAUTHORIZED,
    "404": _answer("A name isn't known, or none is given.", _TOLD_REFUSAL),
    "409": _answer(
        "Not all VMs that were taken under the Idempotency-Key are yours any more.", _TOLD_REFUSAL
    ),
    "422": _answer("The Idempotency-Key was used for another order.", _TOLD_REFUSAL),
    "503": _answer(
        "Not all VMs are ready, so none was handed out; with `Retry-After`: Redis can't be used for now.",
        _TOLD_REFUSAL,
        Retry_After="Seconds; while Redis can't be used.",
    ),
}

OPERATIONS: Mapping[str, Mapping[str, Any]] = {
    ALL: {
        "post": {
            "tags": ["vm"],
            "summary": "Take VMs",
            "description": "All that are asked for, or none. The body is read as JSON whatever its type.",
            "operationId": "check_out",
            "security": _WITH_OR_WITHOUT_TOKEN,
            "parameters": [_WAIT, _KEY],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "description": "Pool or alias -> number of VMs.",
                            "additionalProperties": {
                                "oneOf": [
                                    {"type": "integer", "minimum": 1, "maximum": 100},
                                    {"type": "string", "pattern": "^[0-9]+$"},
                                ]
                            },
                            "minProperties": 1,
                            "example": {"debian-12-x86_64": 1},
                        }
                    }
                },
            },
            "responses": _CHECKOUT_ANSWERS,
        }
    },
    ONE: {
        "post": {
            "tags": ["vm"],
            "summary": "Take VMs, named in the path",
            "description": "Pools or aliases joined by `+`; a name may be repeated.",
            "operationId": "check_out_by_path",
            "security": _WITH_OR_WITHOUT_TOKEN,
            "parameters": [
                {
                    "name": "name",
                    "in": "path",
                    "required": True,
                    "schema": _TEXT,
                    "example": "debian-12-x86_64+debian-12-x86_64",
                },
                _WAIT,
                _KEY,
            ],
            "responses": _CHECKOUT_ANSWERS,
        },
        "delete": {
            "tags": ["vm"],
            "summary": "Give a VM back",
            "description": "It is destroyed. The host name may be given with or without a domain.",
            "operationId": "give_back",
            "security": _WITH_OR_WITHOUT_TOKEN,
            "parameters": [{"name": "name", "in": "path", "required": True, "schema": _HOST_NAME}],
            "responses": {
                "200": _answer("It was given back.", _object(ok=_OK) | {"example": {"ok": True}}),
                "400": _answer("This is no host name.", _REFUSAL_WITH_REASON),
                "401": _answer(
                    "The VM was taken with a token, and a valid one is needed.",
                    _TOLD_REFUSAL,
                    WWW_Authenticate="Always Basic.",
                ),
                "403": _answer("The VM was taken by another user.", _TOLD_REFUSAL),
                "404": _answer("No running VM has this name.", _TOLD_REFUSAL),
                "503": _answer(
                    "Redis can't be used for now.",
                    _TOLD_REFUSAL,
                    Retry_After="Seconds.",
                ),
            },
        },
    },
}
"""The OpenAPI entries of these routes: path -> method -> operation."""
