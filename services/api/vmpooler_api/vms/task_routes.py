"""Having things done to a running VM: a disk, a snapshot, and back to one. Managers do it afterwards."""

from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from vmpooler_api.web.dependencies import TheHostName, TheParts, TheToken
from vmpooler_api.web.refusal_answers import AWAY, OTHERS_VM, UNAUTHORIZED, Answers
from vmpooler_api.web.schemas import Refusal, RefusalWithMessage, RefusalWithReason

router = APIRouter(prefix="/api/v3/vm/{name}", tags=["vm"])

_ANSWERS: Answers = {
    400: {"model": RefusalWithReason, "description": "This is no host name, or no size of a disk."},
    401: UNAUTHORIZED
    | {
        "description": "A valid token is needed: always where authentication is configured, and for a VM "
        "that was taken with one.",
    },
    403: OTHERS_VM,
    404: {"model": Refusal, "description": "No running VM has this name, or it has no such snapshot."},
    409: {
        "model": RefusalWithMessage,
        "description": "Too many tasks of the VM wait, or it has as many disks or snapshots as it may.",
    },
    503: AWAY,
}


class Accepted(BaseModel):
    """It will be done; the VM tells when it was."""

    ok: Literal[True] = True


class DiskAccepted(BaseModel):
    """The disk that will be added."""

    disk: str = Field(description="Its size.", examples=["+8gb"])


class SnapshotAccepted(BaseModel):
    """The snapshot that will be taken."""

    snapshot: str = Field(
        description="Its name, 32 characters a-z and 0-9, also the id of the task.",
        examples=["n4eb4kdtp7rwv4x158366vd9jhac8btq"],
    )


@router.post(
    "/disk/{size}",
    status_code=202,
    summary="Add a disk to a VM",
    responses=_ANSWERS,
)
async def add_disk(
    parts: TheParts,
    name: TheHostName,
    size: Annotated[str, Path(description="GB, 1 to 2048.", examples=["8"])],
    token: TheToken,
) -> dict[str, bool | DiskAccepted]:
    """Have a manager do it; the disk is shown with the VM once it is there. The body isn't read."""
    vm, task = await parts.task_orders.add_disk(name, size, token=token)
    return {"ok": True, vm: DiskAccepted(disk=f"+{task.detail}gb")}


@router.post("/snapshot", status_code=202, summary="Take a snapshot of a VM", responses=_ANSWERS)
async def take_snapshot(
    parts: TheParts, name: TheHostName, token: TheToken
) -> dict[str, bool | SnapshotAccepted]:
    """Have a manager do it; the snapshot is shown with the VM once it is there. The body isn't read."""
    vm, task = await parts.task_orders.take_snapshot(name, token=token)
    return {"ok": True, vm: SnapshotAccepted(snapshot=task.id)}


@router.post(
    "/snapshot/{snapshot}", status_code=202, summary="Put a VM back to a snapshot", responses=_ANSWERS
)
async def go_back(
    parts: TheParts,
    name: TheHostName,
    snapshot: Annotated[str, Path(description="Name of a snapshot that the VM has.")],
    token: TheToken,
) -> Accepted:
    """Have a manager do it. Disks that were added since it was taken are lost. The body isn't read."""
    await parts.task_orders.go_back(name, snapshot, token=token)
    return Accepted()
