"""Looking at pools' names and at one VM."""

from fastapi import APIRouter

from vmpooler_api.vms.schemas import VmReport, report_vm
from vmpooler_api.web.dependencies import TheHostName, TheParts
from vmpooler_api.web.parameters import short_name
from vmpooler_api.web.refusal_answers import AWAY
from vmpooler_api.web.schemas import Refusal, RefusalWithReason
from vmpooler_common.store.core.errors import NoSuchVm

router = APIRouter(tags=["vm"])


@router.get(
    "/api/v3/vm",
    summary="List the pools",
    responses={200: {"content": {"application/json": {"example": ["debian-12-x86_64", "win-2022"]}}}},
)
async def list_pools(parts: TheParts) -> list[str]:
    """Give the names of all pools in the order of the configuration, without aliases."""
    return [pool.name for pool in parts.settings.pools]


@router.get(
    "/api/v3/vm/{name}",
    summary="Look at a VM",
    response_model_exclude_none=True,
    responses={400: {"model": RefusalWithReason}, 404: {"model": Refusal}, 503: AWAY},
)
async def show_vm(parts: TheParts, name: TheHostName) -> dict[str, bool | VmReport]:
    """Tell what is known of a VM, under its short name beside `ok`."""
    vm = short_name(name)
    record, now = await parts.store.checkouts.look_up(vm)
    if record is None:
        raise NoSuchVm(f"nothing is known of {vm}")
    return {"ok": True, vm: report_vm(record, now, lifetime=parts.settings.vm_lifetime)}
