"""Showing the configuration, and changing pools while they are used."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request, Response

from vmpooler_api.pools import schemas as answers
from vmpooler_api.pools.report import ConfigurationReport, FullReport
from vmpooler_api.pools.request import LARGEST_ORDER
from vmpooler_api.pools.service import PoolService
from vmpooler_api.web.dependencies import TheToken
from vmpooler_api.web.errors import NotEnabled
from vmpooler_api.web.request import read_body
from vmpooler_api.web.router import Router
from vmpooler_api.web.schemas import Done
from vmpooler_common.model.overrides import Property, read_size

CHANGED = 201


ThePool = Annotated[str, Path(description="Name of a pool; an alias is none.", examples=["debian-12-x86_64"])]


def router(service: PoolService) -> APIRouter:
    """Make the routes."""

    async def enabled() -> None:
        """Go on only where pools may be changed. Raises NotEnabled, before anything else is looked at."""
        if not service.may_be_changed:
            raise NotEnabled

    router = Router(prefix="/api/v3", tags=["configuration"])
    changes = Router(dependencies=[Depends(enabled)])
    _add_shows(router, service)
    _add_changes(changes, service)
    _add_removals(changes, service)
    _add_reset(changes, service)
    router.include_router(changes)
    return router


def _add_shows(router: APIRouter, service: PoolService) -> None:
    @router.get(
        "/config",
        summary="Show the pools as they are configured and changed",
        responses=answers.TO_SHOW,
        response_model_exclude_none=True,
    )
    async def show_pools() -> ConfigurationReport:
        """Tell what counts now, and beside it what is configured; secrets of pools are left out."""
        return await service.show()

    @router.get(
        "/full_config",
        summary="Show everything that is configured",
        responses=answers.TO_SHOW_ALL,
    )
    async def show_everything(token: TheToken) -> FullReport:
        """Give the configuration of this process, secrets masked. With authentication: for admins only."""
        return await service.show_everything(token=token)


def _add_changes(router: APIRouter, service: PoolService) -> None:
    @router.post(
        "/config/poolsize",
        summary="Set sizes of pools",
        responses=answers.TO_SET_SIZES,
        openapi_extra=answers.SIZES,
    )
    async def set_sizes(request: Request, response: Response, token: TheToken) -> Done:
        """Fill pools up, or remove what is too much, at once. All of them are set or none."""
        return await _set(Property.SIZE, request, response, service, token)

    @router.post(
        "/config/pooltemplate",
        summary="Set templates of pools",
        responses=answers.TO_SET_TEXTS,
        openapi_extra=answers.TEMPLATES,
    )
    async def set_templates(request: Request, response: Response, token: TheToken) -> Done:
        """Make VMs from other templates, and replace all that nobody has. All of them are set or none."""
        return await _set(Property.TEMPLATE, request, response, service, token)

    @router.post(
        "/config/clonetarget",
        summary="Set clone targets of pools",
        responses=answers.TO_SET_TEXTS,
        openapi_extra=answers.CLONE_TARGETS,
    )
    async def set_clone_targets(request: Request, response: Response, token: TheToken) -> Done:
        """Make VMs elsewhere, and replace all that nobody has. All of them are set or none."""
        return await _set(Property.CLONE_TARGET, request, response, service, token)


def _add_removals(router: APIRouter, service: PoolService) -> None:
    @router.delete(
        "/config/poolsize/{pool}",
        summary="Take a pool's size back",
        responses=answers.to_take_back(answers.SizeTakenBack),
    )
    async def take_size_back(response: Response, token: TheToken, pool: ThePool) -> answers.SizeTakenBack:
        """Let the configured size count again."""
        before, configured = await _take_back(Property.SIZE, response, service, token, pool)
        size = read_size(before)
        return answers.SizeTakenBack(
            pool_size_before_reset=int(configured) if size is None else size,
            pool_size_before_overrides=int(configured),
        )

    @router.delete(
        "/config/pooltemplate/{pool}",
        summary="Take a pool's template back",
        responses=answers.to_take_back(answers.TemplateTakenBack),
    )
    async def take_template_back(
        response: Response, token: TheToken, pool: ThePool
    ) -> answers.TemplateTakenBack:
        """Let the configured template count again; replace the VMs that nobody has if that is another one."""
        before, configured = await _take_back(Property.TEMPLATE, response, service, token, pool)
        return answers.TemplateTakenBack(template_before_reset=before, template_before_overrides=configured)

    @router.delete(
        "/config/clonetarget/{pool}",
        summary="Take a pool's clone target back",
        responses=answers.to_take_back(answers.CloneTargetTakenBack),
    )
    async def take_clone_target_back(
        response: Response, token: TheToken, pool: ThePool
    ) -> answers.CloneTargetTakenBack:
        """Let the configured one count again, and replace the VMs that nobody has if that is another one."""
        before, configured = await _take_back(Property.CLONE_TARGET, response, service, token, pool)
        return answers.CloneTargetTakenBack(
            clone_target_before_reset=before or None, clone_target_before_overrides=configured or None
        )


def _add_reset(router: APIRouter, service: PoolService) -> None:
    @router.post(
        "/poolreset",
        status_code=CHANGED,
        summary="Replace all VMs of pools that nobody has",
        responses=answers.TO_RESET,
        openapi_extra=answers.POOLS,
    )
    async def reset_pools(request: Request, token: TheToken) -> Done:
        """Do it once; VMs that are being made for requests stay theirs. All of these pools or none."""
        await service.reset(await read_body(request, LARGEST_ORDER), token=token)
        return Done()


async def _set(
    what: Property, request: Request, response: Response, service: PoolService, token: str | None
) -> Done:
    if await service.set(what, await read_body(request, LARGEST_ORDER), token=token):
        response.status_code = CHANGED
    return Done()


async def _take_back(
    what: Property, response: Response, service: PoolService, token: str | None, pool: str
) -> tuple[str, str]:
    outcome = await service.take_back(what, pool, token=token)
    if outcome.is_change:
        response.status_code = CHANGED
    return outcome.before, outcome.configured
