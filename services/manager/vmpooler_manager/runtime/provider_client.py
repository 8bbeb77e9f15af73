"""One provider as the manager uses it: every call under a deadline, measured, and none while throttled."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TypeVar, cast

from vmpooler_common.config import ProviderSettings, Settings
from vmpooler_common.metrics.backends.base import Backend
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.model.features import LACKING
from vmpooler_manager.metrics.providers import CallResult, ProviderMetrics, ProviderOperation
from vmpooler_manager.providers.contract import (
    CloneRef,
    CloneSpec,
    DiskProvider,
    Feature,
    MigratingProvider,
    OwnershipTag,
    Place,
    PreparingProvider,
    Provider,
    ProviderVm,
    PurgingProvider,
    SnapshotProvider,
    VmRef,
)
from vmpooler_manager.providers.errors import (
    NoCapacity,
    NotFound,
    PermanentError,
    ProviderError,
    Throttled,
    TransientError,
)
from vmpooler_manager.providers.registry import load
from vmpooler_manager.runtime.usability import Usability

T = TypeVar("T")


class ProviderClient:
    """A provider by its name in the configuration.

    `fault` says why it can't be used at all, such as a driver that isn't installed; then every call
    raises PermanentError.
    """

    def __init__(
        self,
        name: str,
        provider: Provider | None,
        *,
        fault: str = "",
        timeout: timedelta,
        parallel_destroys: int,
        metrics: ProviderMetrics,
    ) -> None:
        self.name = name
        self.fault = fault
        self.is_permanent = bool(fault)
        """Whether the fault is there until somebody changes something."""
        self._provider = provider
        self.timeout = timeout
        """Longest time of a call."""
        self._destroys = asyncio.Semaphore(parallel_destroys)
        self._metrics = metrics
        self._usability = Usability()
        self.throttled_until = 0.0
        """Monotonic time until which the cloud asked to be left alone."""
        self.features: frozenset[Feature] = provider.features if provider else frozenset()
        """What the driver can beyond the core of the contract."""
        metrics.deletion_resumed(name)

    @property
    def has_driver(self) -> bool:
        """Whether there is a driver to open; False when it isn't installed."""
        return self._provider is not None

    @property
    def is_usable(self) -> bool:
        """Whether this manager can use it now, as far as it knows: it is open, and its listings work."""
        return not self.fault and self._usability.is_usable

    @property
    def create_grace(self) -> timedelta:
        """How long after a `create` was sent the VM may still appear."""
        return self._provider.create_grace if self._provider else timedelta(0)

    async def open(self) -> bool:
        """Prepare the driver; what keeps it from that becomes the cloud's fault. Says whether it is open."""
        if self._provider is None:
            return False
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                await self._provider.open()
        except ProviderError as error:
            self.fault = str(error)
            self.is_permanent = isinstance(error, PermanentError)
        except TimeoutError:
            self.is_permanent = False
            self.fault = f"opening the driver took longer than {self.timeout.total_seconds():g} s"
        else:
            self.fault, self.is_permanent = "", False
        return not self.fault

    async def close(self) -> None:
        """Give the driver's connections back."""
        if self._provider is not None:
            await self._provider.close()

    async def create(self, pool: CloneSpec, tag: OwnershipTag) -> ProviderVm:
        """See `Provider.create`."""
        return await self._call("create", lambda driver: driver.create(pool, tag))

    async def find(self, pool: CloneSpec, clone: CloneRef) -> ProviderVm | None:
        """See `Provider.find`."""
        return await self._call("find", lambda driver: driver.find(pool, clone))

    async def inspect(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """See `Provider.inspect`."""
        return await self._call("inspect", lambda driver: driver.inspect(pool, vm))

    async def list_vms(self, pool: CloneSpec) -> tuple[ProviderVm, ...]:
        """See `Provider.list_vms`. A listing that doesn't prove its freshness is a TransientError."""

        async def list_freshly(driver: Provider) -> tuple[ProviderVm, ...]:
            asked = time.monotonic()
            listing = await driver.list_vms(pool)
            if listing.as_of < asked:
                raise TransientError(f"the listing is {asked - listing.as_of:.1f} s older than the question")
            return listing.vms

        try:
            vms = await self._call("list_vms", list_freshly)
        except ProviderError as error:
            self._usability.failed(pool.name, error)
            raise
        self._usability.listed(pool.name)
        return vms

    async def annotate(self, pool: CloneSpec, vm: VmRef, tag: OwnershipTag) -> None:
        """See `Provider.annotate`."""
        await self._call("annotate", lambda driver: driver.annotate(pool, vm, tag))

    async def add_disk(self, pool: CloneSpec, vm: VmRef, *, task: str, size: int) -> None:
        """See `Provider.add_disk`."""
        await self._call(
            "add_disk",
            lambda driver: cast("DiskProvider", _having(Feature.DISKS, driver)).add_disk(
                pool, vm, task=task, size=size
            ),
        )

    async def snapshot(self, pool: CloneSpec, vm: VmRef, *, name: str) -> None:
        """See `Provider.snapshot`."""
        await self._call(
            "snapshot",
            lambda driver: cast("SnapshotProvider", _having(Feature.SNAPSHOTS, driver)).snapshot(
                pool, vm, name=name
            ),
        )

    async def revert(self, pool: CloneSpec, vm: VmRef, *, task: str, snapshot: str) -> None:
        """See `Provider.revert`."""
        await self._call(
            "revert",
            lambda driver: cast("SnapshotProvider", _having(Feature.SNAPSHOTS, driver)).revert(
                pool, vm, task=task, snapshot=snapshot
            ),
        )

    async def prepare(self, pool: CloneSpec) -> None:
        """See `PreparingProvider.prepare`; nothing where the driver has nothing to prepare."""
        if Feature.PREPARATION in self.features:
            await self._call(
                "prepare",
                lambda driver: cast("PreparingProvider", _having(Feature.PREPARATION, driver)).prepare(pool),
            )

    async def migrate(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """See `MigratingProvider.migrate`."""
        return await self._call(
            "migrate",
            lambda driver: cast("MigratingProvider", _having(Feature.MIGRATION, driver)).migrate(pool, vm),
        )

    async def unreferenced(self, pools: Sequence[CloneSpec]) -> Sequence[Place]:
        """See `PurgingProvider.unreferenced`."""
        return await self._call(
            "unreferenced",
            lambda driver: cast("PurgingProvider", _having(Feature.PURGE, driver)).unreferenced(pools),
        )

    async def remove_place(self, place: Place) -> None:
        """See `PurgingProvider.remove_place`."""
        await self._call(
            "remove_place",
            lambda driver: cast("PurgingProvider", _having(Feature.PURGE, driver)).remove_place(place),
        )

    async def destroy(self, pool: CloneSpec, vm: VmRef) -> None:
        """See `Provider.destroy`. Only so many at a time; others wait here."""
        async with self._destroys:
            await self._call("destroy", lambda driver: driver.destroy(pool, vm))

    async def _call(self, operation: ProviderOperation, call: Callable[[Provider], Awaitable[T]]) -> T:
        if self.fault or self._provider is None:
            raise PermanentError(self.fault)
        loop = asyncio.get_running_loop()
        if self.throttled_until > loop.time():
            await asyncio.sleep(self.throttled_until - loop.time())
        started = loop.time()
        result: CallResult = "transient"
        try:
            async with asyncio.timeout(self.timeout.total_seconds()):
                value = await call(self._provider)
            result = "ok"
        except TimeoutError:
            result = "timeout"
            raise TransientError(
                f"{operation} took longer than {self.timeout.total_seconds():g} s (operation_timeout)"
            ) from None
        except Throttled as error:
            result = "throttled"
            self.throttled_until = max(self.throttled_until, loop.time() + error.retry_after.total_seconds())
            raise
        except NoCapacity:
            result = "no_capacity"
            raise
        except NotFound:
            result = "not_found"
            raise
        except PermanentError:
            result = "permanent"
            raise
        finally:
            self._metrics.called(self.name, operation, result=result, seconds=loop.time() - started)
        return value


def _having(feature: Feature, driver: Provider) -> Provider:
    if feature not in driver.features:
        raise PermanentError(LACKING[feature])
    return driver


def open_client(
    provider: ProviderSettings,
    *,
    connections: ConnectionMetrics,
    parallel_destroys: int,
    metrics: ProviderMetrics,
) -> ProviderClient:
    """Load the driver; without one the client has a fault, and only its pools suffer."""
    fault = ""
    driver = None
    settings = {**provider.options, "operation_timeout": provider.operation_timeout}
    try:
        driver = load(provider.name, provider.provider_class, settings=settings, metrics=connections)
    except PermanentError as error:
        fault = str(error)
    return ProviderClient(
        provider.name,
        driver,
        fault=fault,
        timeout=provider.operation_timeout,
        parallel_destroys=parallel_destroys,
        metrics=metrics,
    )


def open_clients(
    settings: Settings, *, backend: Backend, metrics: ProviderMetrics
) -> Mapping[str, ProviderClient]:
    """Load the drivers of all providers."""
    return {
        name: open_client(
            provider,
            connections=ConnectionMetrics(backend, "provider_connection_pool", name),
            parallel_destroys=settings.general.task_limit,
            metrics=metrics,
        )
        for name, provider in settings.providers.items()
    }


def removed_provider(name: str, metrics: ProviderMetrics) -> ProviderClient:
    """Stand in for a provider that left the configuration while pools still have VMs there."""
    return ProviderClient(
        name,
        None,
        fault=f"the provider {name!r} isn't configured any more",
        timeout=timedelta(seconds=1),
        parallel_destroys=1,
        metrics=metrics,
    )
