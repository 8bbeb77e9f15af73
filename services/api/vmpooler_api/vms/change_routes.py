"""Changing a VM that somebody has."""

from typing import Any

from fastapi import APIRouter, Request

from vmpooler_api.vms.disks import LARGEST_DISK
from vmpooler_api.vms.tags import LONGEST_VALUE
from vmpooler_api.web.dependencies import TheHostName, TheParts, TheToken
from vmpooler_api.web.done import Done
from vmpooler_api.web.parameters import short_name
from vmpooler_api.web.refusal_answers import AWAY, OTHERS_VM, UNAUTHORIZED, Answers
from vmpooler_api.web.request import LARGEST_BODY, read_body
from vmpooler_api.web.schemas import (
    Refusal,
    RefusalWithFailures,
    RefusalWithMessage,
    RefusalWithReason,
)

_ANSWERS: Answers = {
    400: {
        "model": RefusalWithReason | RefusalWithFailures,
        "description": "This is no host name or no JSON object (`error`), or what is asked for can't be "
        "(`failure`). Nothing was changed.",
    },
    401: UNAUTHORIZED,
    403: OTHERS_VM,
    404: {"model": Refusal, "description": "No running VM has this name."},
    409: {
        "model": RefusalWithMessage,
        "description": "For `disk`: too many tasks of the VM wait, or it has as many disks as it may.",
    },
    503: AWAY,
}
_LIFETIME = {
    "description": "Hours from the checkout to the end, also as a text.",
    "oneOf": [{"type": "integer", "minimum": 1}, {"type": "string", "pattern": "^[0-9]+$"}],
}
_TAGS = {
    "type": "object",
    "description": "Key -> value. Keys are letters, digits, `_`, `-` and `.`; values white space and "
    "whatever a URL may hold. A key that the VM has gets the new value; without one it stays as it is.",
    "additionalProperties": {"type": ["string", "null"], "maxLength": LONGEST_VALUE},
}
_DISK = {
    "description": "GB of a disk to add, also as a text; as POST to `/disk/{size}` does.",
    "oneOf": [
        {"type": "integer", "minimum": 1, "maximum": LARGEST_DISK},
        {"type": "string", "pattern": "^[0-9]+$"},
    ],
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {"lifetime": _LIFETIME, "tags": _TAGS, "disk": _DISK},
                    "additionalProperties": False,
                    "example": {"lifetime": 8, "tags": {"project": "installer"}},
                }
            }
        }
    },
    "security": [{}, {"token": []}],
}

router = APIRouter(tags=["vm"])


@router.put("/api/v3/vm/{name}", summary="Change a VM", responses=_ANSWERS, openapi_extra=_BODY)
async def change_vm(
    request: Request,
    parts: TheParts,
    token: TheToken,
    name: TheHostName,
) -> Done:
    """Change a running VM, wholly or not at all. The body is read as JSON whatever its type."""
    vm = short_name(name)
    await parts.changing.change(vm, await read_body(request, LARGEST_BODY), token=token)
    return Done()
