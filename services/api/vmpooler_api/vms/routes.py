"""One VM: what is known of it, its changes, and tasks that managers do afterwards."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request

from vmpooler_api.vms.fields import LONGEST_VALUE
from vmpooler_api.vms.schemas import Accepted, DiskAccepted, SnapshotAccepted, VmReport
from vmpooler_api.vms.service import VmService
from vmpooler_api.vms.tasks import LARGEST_DISK, TaskService
from vmpooler_api.web.dependencies import TheHostName, TheToken
from vmpooler_api.web.parameters import short_name
from vmpooler_api.web.request import LARGEST_BODY, read_body
from vmpooler_api.web.router import Router
from vmpooler_api.web.schemas import (
    AWAY,
    OTHERS_VM,
    UNAUTHORIZED,
    Answers,
    Done,
    RefusalWithFailures,
    RefusalWithMessage,
    RefusalWithReason,
)

_CHANGE_ANSWERS: Answers = {
    400: {
        "model": RefusalWithReason | RefusalWithFailures,
        "description": "This is no host name or no JSON object (`error`), or what is asked for can't be "
        "(`failure`). Nothing was changed.",
    },
    401: UNAUTHORIZED | {"model": RefusalWithMessage},
    403: OTHERS_VM,
    404: {"model": RefusalWithMessage, "description": "No running VM has this name."},
    409: {
        "model": RefusalWithMessage,
        "description": "For `disk`: too many tasks of the VM wait, it has as many disks as it may, "
        "or its cloud can't add any.",
    },
    503: AWAY,
}
_LIFETIME = {
    "description": "Hours from the checkout to the end, also as a text.",
    "type": "integer",
    "minimum": 1,
}
_TAGS = {
    "type": "object",
    "description": "Key -> value. Keys are letters, digits, `_`, `-` and `.`; values white space and "
    "whatever a URL may hold. A key that the VM has gets the new value; without one it stays as it is.",
    "additionalProperties": {"type": ["string", "null"], "maxLength": LONGEST_VALUE},
}
_DISK = {
    "description": "GB of a disk to add, also as a text; as POST to `/disk/{size}` does.",
    "type": "integer",
    "minimum": 1,
    "maximum": LARGEST_DISK,
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

_TASK_ANSWERS: Answers = {
    400: {"model": RefusalWithReason, "description": "This is no host name, or no size of a disk."},
    401: UNAUTHORIZED
    | {
        "model": RefusalWithMessage,
        "description": "A valid token is needed: always where authentication is configured, and for a VM "
        "that was taken with one.",
    },
    403: OTHERS_VM,
    404: {
        "model": RefusalWithMessage,
        "description": "No running VM has this name, or it has no such snapshot.",
    },
    409: {
        "model": RefusalWithMessage,
        "description": "Too many tasks of the VM wait, it has as many disks or snapshots as it may, "
        "or its cloud can do no such thing.",
    },
    503: AWAY,
}


def router(service: VmService, tasks: TaskService) -> APIRouter:
    """Make the routes of pools' names and single VMs."""
    router = Router(prefix="/api/v3/vm", tags=["vm"])

    @router.get(
        "",
        summary="List the pools",
        responses={200: {"content": {"application/json": {"example": ["debian-12-x86_64", "win-2022"]}}}},
    )
    async def list_pools() -> list[str]:
        """Give the names of all pools in the order of the configuration, without aliases."""
        return service.pools()

    @router.get(
        "/{name}",
        summary="Look at a VM",
        response_model_exclude_none=True,
        responses={400: {"model": RefusalWithReason}, 404: {"model": RefusalWithMessage}, 503: AWAY},
    )
    async def show_vm(name: TheHostName) -> dict[str, bool | VmReport]:
        """Tell what is known of a VM, under its short name beside `ok`."""
        vm = short_name(name)
        return {"ok": True, vm: await service.show(vm)}

    _add_tasks(router, tasks)

    @router.put("/{name}", summary="Change a VM", responses=_CHANGE_ANSWERS, openapi_extra=_BODY)
    async def change_vm(request: Request, token: TheToken, name: TheHostName) -> Done:
        """Change a running VM, wholly or not at all. The body is read as JSON whatever its type."""
        vm = short_name(name)
        await service.change(vm, await read_body(request, LARGEST_BODY), token=token)
        return Done()

    return router


def _add_tasks(router: APIRouter, tasks: TaskService) -> None:
    @router.post(
        "/{name}/disk/{size}", status_code=202, summary="Add a disk to a VM", responses=_TASK_ANSWERS
    )
    async def add_disk(
        name: TheHostName,
        size: Annotated[str, Path(description="GB, 1 to 2048.", examples=["8"])],
        token: TheToken,
    ) -> dict[str, bool | DiskAccepted]:
        """Have a manager do it; the disk is shown with the VM once it is there. The body isn't read."""
        vm, task = await tasks.add_disk(name, size, token=token)
        return {"ok": True, vm: DiskAccepted(disk=f"+{task.detail}gb")}

    @router.post(
        "/{name}/snapshot", status_code=202, summary="Take a snapshot of a VM", responses=_TASK_ANSWERS
    )
    async def take_snapshot(name: TheHostName, token: TheToken) -> dict[str, bool | SnapshotAccepted]:
        """Have a manager do it; the snapshot is shown with the VM once it is there. The body isn't read."""
        vm, task = await tasks.take_snapshot(name, token=token)
        return {"ok": True, vm: SnapshotAccepted(snapshot=task.id)}

    @router.post(
        "/{name}/snapshot/{snapshot}",
        status_code=202,
        summary="Put a VM back to a snapshot",
        responses=_TASK_ANSWERS,
    )
    async def go_back(
        name: TheHostName,
        snapshot: Annotated[str, Path(description="Name of a snapshot that the VM has.")],
        token: TheToken,
    ) -> Accepted:
        """Have a manager do it. Disks that were added since it was taken are lost. The body isn't read."""
        await tasks.go_back(name, snapshot, token=token)
        return Accepted()
