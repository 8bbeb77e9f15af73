"""The OpenAPI entries of the routes of checkouts: the framework doesn't describe plain routes."""

from collections.abc import Mapping
from typing import Any

from vmpooler_api.checkout.idempotency import PATTERN, SHORTEST_WITHOUT_TOKEN
from vmpooler_api.checkout.schemas import CheckedOut, CheckedOutList
from vmpooler_api.web.parameters import FORMAT_DESCRIPTION, FORMATS, WAIT_IS_CUT, WAIT_PATTERN
from vmpooler_api.web.parameters import LONGEST as LONGEST_HOST_NAME
from vmpooler_api.web.parameters import PATTERN as HOST_NAME
from vmpooler_api.web.router import referring
from vmpooler_api.web.schemas import Done, RefusalWithMessage, RefusalWithReason

ALL = "/api/v3/vm"
ONE = "/api/v3/vm/{name}"


def _answer(description: str, model: Any, **headers: str) -> dict[str, Any]:
    answer = referring({"description": description, "model": model})
    if headers:
        answer["headers"] = {
            name.replace("_", "-"): {"description": text, "schema": {"type": "string"}}
            for name, text in headers.items()
        }
    return answer


_TEXT = {"type": "string"}
_HOST_NAME = {"type": "string", "pattern": f"^{HOST_NAME}$", "maxLength": LONGEST_HOST_NAME}
_WITH_OR_WITHOUT_TOKEN: list[dict[str, list[str]]] = [{}, {"token": []}]
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
_FORMAT = {
    "name": "format",
    "in": "query",
    "description": FORMAT_DESCRIPTION,
    "schema": {"type": "string", "enum": list(FORMATS)},
    "example": FORMATS[0],
}
_CHECKOUT_ANSWERS = {
    "200": _answer(
        "The VMs, by requested name; with `format` a list of them.",
        # Whoever reads an answer tries one after the other: the list is told by its member `vms`.
        CheckedOutList | CheckedOut,
    ),
    "400": _answer("The request can't be understood.", RefusalWithReason),
    "401": _answer("The token isn't known.", RefusalWithMessage, WWW_Authenticate="Always Basic."),
    "403": _answer("Too many checkouts of the user wait.", RefusalWithMessage),
    "404": _answer("A name isn't known, or none is given.", RefusalWithMessage),
    "409": _answer(
        "Not all VMs that were taken under the Idempotency-Key are yours any more.", RefusalWithMessage
    ),
    "422": _answer("The Idempotency-Key was used for another order.", RefusalWithMessage),
    "503": _answer(
        "Not all VMs are ready, so none was handed out; with `Retry-After`: Redis can't be used for now.",
        RefusalWithMessage,
        Retry_After="Seconds; while Redis can't be used.",
    ),
}

OPERATIONS: Mapping[str, Mapping[str, Any]] = {
    ALL: {
        "post": {
            "tags": ["vm"],
            "summary": "Take VMs",
            "description": "All that are asked for, or none. The body is read as JSON whatever its type; "
            "counts may be texts.",
            "security": _WITH_OR_WITHOUT_TOKEN,
            "parameters": [_WAIT, _FORMAT, _KEY],
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "description": "Pool or alias -> number of VMs.",
                            "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 100},
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
                _FORMAT,
                _KEY,
            ],
            "responses": _CHECKOUT_ANSWERS,
        },
        "delete": {
            "tags": ["vm"],
            "summary": "Give a VM back",
            "description": "It is destroyed. The host name may be given with or without a domain.",
            "security": _WITH_OR_WITHOUT_TOKEN,
            "parameters": [{"name": "name", "in": "path", "required": True, "schema": _HOST_NAME}],
            "responses": {
                "200": _answer("It was given back.", Done),
                "400": _answer("This is no host name.", RefusalWithReason),
                "401": _answer(
                    "The VM was taken with a token, and a valid one is needed.",
                    RefusalWithMessage,
                    WWW_Authenticate="Always Basic.",
                ),
                "403": _answer("The VM was taken by another user.", RefusalWithMessage),
                "404": _answer("No running VM has this name.", RefusalWithMessage),
                "503": _answer("Redis can't be used for now.", RefusalWithMessage, Retry_After="Seconds."),
            },
        },
    },
}
"""The OpenAPI entries of these routes: path -> method -> operation."""
