"""One provider as the manager uses it: every call under a deadline, measured, and none while throttled."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from vmpooler_common.config import ProviderSettings
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.metrics.providers import CallResult, ProviderMetrics, ProviderOperation
from vmpooler_manager.providers.contract import CloneSpec, OwnershipTag, Provider, ProviderVm, VmRef
from vmpooler_manager.providers.errors import (
    NotFound,
    PermanentError,
    ProviderError,
    Throttled,
    TransientError,
)
from vmpooler_manager.providers.registry import load

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
        self._timeout = timeout
        self._destroys = asyncio.Semaphore(parallel_destroys)
        self._metrics = metrics
        self.throttled_until = 0.0
        """Monotonic time until which the cloud asked to be left alone."""
        metrics.deletion_resumed(name)

    @property
    def has_driver(self) -> bool:
        """Whether there is a driver to open; False when it isn't installed."""
        return self._provider is not None

    @property
    def create_grace(self) -> timedelta:
        """How long after a `create` was sent the VM may still appear."""
        return self._provider.create_grace if self._provider else timedelta(0)

    async def open(self) -> bool:
        """Prepare the driver; what keeps it from that becomes the cloud's fault. Says whether it is open."""
        if self._provider is None:
            return False
        try:
            async with asyncio.timeout(self._timeout.total_seconds()):
                await self._provider.open()
        except ProviderError as error:
            self.fault = str(error)
            self.is_permanent = isinstance(error, PermanentError)
        except TimeoutError:
            self.is_permanent = False
            self.fault = f"opening the driver took longer than {self._timeout.total_seconds():g} s"
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

    async def find(self, pool: CloneSpec, name: str, attempt: str) -> ProviderVm | None:
        """See `Provider.find`."""
        return await self._call("find", lambda driver: driver.find(pool, name, attempt))

    async def inspect(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """See `Provider.inspect`."""
        return await self._call("inspect", lambda driver: driver.inspect(pool, vm))

    async def list_vms(self, pool: CloneSpec) -> Sequence[ProviderVm]:
        """See `Provider.list_vms`."""
        return await self._call("list_vms", lambda driver: driver.list_vms(pool))

    async def annotate(self, pool: CloneSpec, vm: VmRef, tag: OwnershipTag) -> None:
        """See `Provider.annotate`."""
        await self._call("annotate", lambda driver: driver.annotate(pool, vm, tag))

    async def add_disk(self, pool: CloneSpec, vm: VmRef, *, task: str, size: int) -> None:
        """See `Provider.add_disk`."""
        await self._call("add_disk", lambda driver: driver.add_disk(pool, vm, task=task, size=size))

    async def snapshot(self, pool: CloneSpec, vm: VmRef, *, name: str) -> None:
        """See `Provider.snapshot`."""
        await self._call("snapshot", lambda driver: driver.snapshot(pool, vm, name=name))

    async def revert(self, pool: CloneSpec, vm: VmRef, *, task: str, snapshot: str) -> None:
        """See `Provider.revert`."""
        await self._call("revert", lambda driver: driver.revert(pool, vm, task=task, snapshot=snapshot))

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
            async with asyncio.timeout(self._timeout.total_seconds()):
                value = await call(self._provider)
            result = "ok"
        except TimeoutError:
            result = "timeout"
            raise TransientError(
                f"{operation} took longer than {self._timeout.total_seconds():g} s (operation_timeout)"
            ) from None
        except Throttled as error:
            result = "throttled"
            self.throttled_until = max(self.throttled_until, loop.time() + error.retry_after.total_seconds())
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
    try:
        driver = load(provider.name, provider.provider_class, settings=provider.options, metrics=connections)
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
