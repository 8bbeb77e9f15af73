"""The process: from settings to running loops, and to an exit code."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress

import structlog
import uvicorn
import uvloop

from vmpooler_common.config import Configuration, Settings
from vmpooler_common.metrics.backends.null import NullBackend
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.catalogues.redis import RedisMetrics
from vmpooler_common.store.core.errors import SchemaTooNew, StoreError
from vmpooler_common.store.from_settings import store_options
from vmpooler_common.store.store import Store
from vmpooler_common.web.protocol import HttpProtocol
from vmpooler_common.web.server import Server, begin_logging
from vmpooler_manager.assembly import Manager, assemble
from vmpooler_manager.runtime.provider_client import ProviderClient
from vmpooler_manager.web import create_app

OPEN_AGAIN_SECONDS = 30.0
CLOSING_SECONDS = 2.0

log = structlog.get_logger(__name__)


def run(configuration: Configuration) -> int:
    """Manage the pools until a signal comes; give the exit code: 0, or 1 when the service can't work."""
    if not begin_logging(configuration):
        return 1
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(configuration.settings))


def release(configuration: Configuration, provider: str) -> int:
    """Allow destroying at a provider that was halted; give the exit code."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_release(configuration.settings, provider))


async def _serve(settings: Settings) -> int:
    manager = assemble(settings)
    async with manager.reporting.running():
        return await _manage(manager, settings)


async def _manage(manager: Manager, settings: Settings) -> int:
    server = Server(
        uvicorn.Config(
            create_app(
                liveness=manager.liveness,
                is_ready=lambda: manager.supervisor.is_ready,
                registry=manager.reporting.registry,
                endpoint=settings.prometheus.prometheus_endpoint,
                metrics=manager.metrics.http,
            ),
            host=settings.listen.host,
            port=settings.listen.port,
            http=HttpProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
    )
    log.info("manager starts", manager=manager.name, pools=len(settings.pools))
    work = asyncio.create_task(_work(manager))
    # Whichever ends first ends the other: the server on a signal, the work when it can't go on.
    work.add_done_callback(lambda _: setattr(server, "should_exit", True))
    with suppress(SystemExit):  # it can't listen, and has said why; then it isn't started below
        await server.serve()
    work.cancel()
    await asyncio.wait([work])
    failure = None if work.cancelled() else work.exception()
    if failure is not None:
        reason = str(failure) if isinstance(failure, SchemaTooNew) else repr(failure)
        log.critical("the manager ends", reason=reason)
    await manager.supervisor.hand_over()
    await _close(manager.clouds.values())
    await manager.store.close()
    return 0 if failure is None and server.started else 1


async def _close(clouds: Iterable[ProviderClient]) -> None:
    """Close the drivers; one that can't doesn't keep the process from ending."""
    try:
        async with asyncio.timeout(CLOSING_SECONDS):
            results = await asyncio.gather(*(cloud.close() for cloud in clouds), return_exceptions=True)
    except TimeoutError:
        log.warning("drivers don't close in time")
        return
    for failure in results:
        if isinstance(failure, BaseException):
            log.warning("closing a driver failed", error=repr(failure))


async def _work(manager: Manager) -> None:
    """Open the drivers, each at least once before its pools are looked at, and manage."""
    clouds = list(manager.clouds.values())
    opened = await asyncio.gather(*(_open(cloud) for cloud in clouds))
    closed = [cloud for cloud, is_open in zip(clouds, opened, strict=True) if not is_open]
    reopening = [asyncio.create_task(_open_again(cloud, manager)) for cloud in closed]
    try:
        await manager.supervisor.run()
    finally:
        for task in reopening:
            task.cancel()


async def _open(cloud: ProviderClient) -> bool:
    try:
        return await cloud.open()
    except Exception as error:
        # A plug-in may raise anything; only its own pools are to suffer.
        log.exception("driver failed to open", provider=cloud.name)
        cloud.fault = f"the driver failed: {error!r}"
        return False


async def _open_again(cloud: ProviderClient, manager: Manager) -> None:
    """Try until the driver is open; its pools are broken until then."""
    log.error("provider can't be used, its pools are broken", provider=cloud.name, reason=cloud.fault)
    while cloud.has_driver:
        await asyncio.sleep(OPEN_AGAIN_SECONDS)
        if await _open(cloud):
            log.warning("provider can be used", provider=cloud.name)
            manager.supervisor.poke_all()
            return


async def _release(settings: Settings, provider: str) -> int:
    backend = NullBackend()
    store = Store.connect(
        store_options(settings),
        metrics=RedisMetrics(backend),
        connections=ConnectionMetrics(backend, "redis_connection_pool", "manager"),
    )
    try:
        await store.deployment.prepare()
        released = await store.retirement.permit(provider)
    except StoreError as error:
        print(f"error: {error}")
        return 1
    finally:
        await store.close()
    print(
        f"VMs of the provider {provider} may be destroyed again; {released} that are known to be missing or "
        "unknown there are beside the safety limits"
    )
    return 0
