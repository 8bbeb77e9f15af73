"""The process: from settings to running loops, and to an exit code."""

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from functools import partial

import structlog
import uvicorn
import uvloop

from vmpooler_common.config import Configuration, PoolSettings, Settings
from vmpooler_common.metrics.backends.null import NullBackend
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.metrics.catalogues.redis import RedisMetrics
from vmpooler_common.model.events import EventName
from vmpooler_common.store.core.errors import DataMismatch, StoreError
from vmpooler_common.store.from_settings import store_options
from vmpooler_common.store.store import Store
from vmpooler_common.web.connections import ConnectionLimits, Connections
from vmpooler_common.web.protocol import protocol_within
from vmpooler_common.web.server import Server, begin_logging
from vmpooler_manager.assembly import Manager, assemble
from vmpooler_manager.runtime.dns_client import DnsClient
from vmpooler_manager.runtime.provider_client import ProviderClient
from vmpooler_manager.trial import Trial
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


def resume_deletion(configuration: Configuration, provider: str) -> int:
    """Resume deletion at a provider where it was paused; give the exit code."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_resume_deletion(configuration.settings, provider))


def try_provider(configuration: Configuration, provider: str, pool: str | None) -> int:
    """Try a provider out, and make a VM of the pool if one is named; give the exit code."""
    settings = configuration.settings
    wanted = next((one for one in settings.pools if one.name == pool), None)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return 0 if runner.run(_try_provider(settings, provider, wanted)) else 1


async def _try_provider(settings: Settings, provider: str, pool: PoolSettings | None) -> bool:
    return await Trial(settings, provider, pool, write=partial(print, flush=True)).run()


async def _serve(settings: Settings) -> int:
    manager = assemble(settings)
    async with manager.reporting.running():
        return await _manage(manager, settings)


async def _manage(manager: Manager, settings: Settings) -> int:
    endpoint = settings.prometheus.prometheus_endpoint
    connections = Connections(
        ConnectionLimits.of(settings),
        manager.metrics.http_connections,
        always_served=frozenset({endpoint.rstrip("/")}),
    )
    server = Server(
        uvicorn.Config(
            create_app(
                liveness=manager.liveness,
                unready=manager.supervisor.complaint,
                registry=manager.reporting.registry,
                endpoint=endpoint,
                metrics=manager.metrics.http,
            ),
            http=protocol_within(connections),  # type: ignore[arg-type]  # it is only called
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        ),
        listen=settings.listen,
    )
    log.info(EventName.MANAGER_STARTED, manager=manager.name, pools=len(settings.pools))
    work = asyncio.create_task(_work(manager))
    # Whichever ends first ends the other: the server on a signal, the work when it can't go on.
    work.add_done_callback(lambda _: setattr(server, "should_exit", True))
    with suppress(SystemExit):  # it can't listen, and has said why; then it isn't started below
        await server.serve()
    work.cancel()
    await asyncio.wait([work])
    failure = None if work.cancelled() else work.exception()
    if failure is not None:
        reason = str(failure) if isinstance(failure, DataMismatch) else repr(failure)
        log.critical(EventName.SERVICE_ENDED, reason=reason)
    await manager.supervisor.hand_over()
    await _close((*manager.clouds.values(), *manager.dns_clients.values()))
    await manager.store.close()
    return 0 if failure is None and server.started else 1


async def _close(clouds: Iterable[ProviderClient | DnsClient]) -> None:
    """Close the drivers; one that can't doesn't keep the process from ending."""
    try:
        async with asyncio.timeout(CLOSING_SECONDS):
            results = await asyncio.gather(*(cloud.close() for cloud in clouds), return_exceptions=True)
    except TimeoutError:
        log.warning(EventName.PROVIDER_CLOSE_FAILED, error=f"not closed within {CLOSING_SECONDS:g} s")
        return
    for failure in results:
        if isinstance(failure, BaseException):
            log.warning(EventName.PROVIDER_CLOSE_FAILED, error=repr(failure))


async def _work(manager: Manager) -> None:
    """Open the drivers, each at least once before its pools are inspected, and manage."""
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
        log.exception(EventName.PROVIDER_UNUSABLE, provider=cloud.name, remedy="repair the driver")
        cloud.fault = f"the driver failed: {error!r}"
        return False


async def _open_again(cloud: ProviderClient, manager: Manager) -> None:
    """Try until the driver is open; its pools are broken until then."""
    remedy = (
        f"correct its settings and restart, unless it opens by itself: tried every {OPEN_AGAIN_SECONDS:g} s"
        if cloud.has_driver
        else "install its driver or correct `provider_class`, and restart"
    )
    log.error(EventName.PROVIDER_UNUSABLE, provider=cloud.name, reason=cloud.fault, remedy=remedy)
    while cloud.has_driver:
        await asyncio.sleep(OPEN_AGAIN_SECONDS)
        if await _open(cloud):
            log.warning(EventName.PROVIDER_READY, provider=cloud.name)
            manager.supervisor.poke_all()
            return


async def _resume_deletion(settings: Settings, provider: str) -> int:
    backend = NullBackend()
    store = Store.connect(
        store_options(settings),
        metrics=RedisMetrics(backend),
        connections=ConnectionMetrics(backend, "redis_connection_pool", "manager"),
    )
    try:
        await store.deployment.prepare()
        released = (await store.overrides.resume_deletion(provider)).released
    except StoreError as error:
        print(f"error: {error}")
        return 1
    finally:
        await store.close()
    print(
        f"deletion at the provider {provider} goes on; for a day, the safety limits don't count "
        f"{released} VMs that are known to be missing or unknown there"
    )
    return 0
