"""Tries a provider out as it is configured, without Redis: `vmpooler-manager --try-provider`.

Each step is printed with its time. A VM that is made for it belongs to no data set: managers leave it alone.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from vmpooler_common.config import PoolSettings, Settings
from vmpooler_common.metrics.backends.null import NullBackend
from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.lifecycle.names import NameGenerator
from vmpooler_manager.lifecycle.readiness import PortProbe
from vmpooler_manager.metrics.providers import ProviderMetrics
from vmpooler_manager.planning.inspection import has_other_name, usable_address
from vmpooler_manager.pool_specs import clone_spec
from vmpooler_manager.providers.contract import CloneSpec, Feature, OwnershipTag, ProviderVm, VmRef, VmStatus
from vmpooler_manager.providers.errors import (
    CloneFailed,
    NotFound,
    PermanentError,
    ProviderError,
    TransientError,
)
from vmpooler_manager.runtime.provider_client import open_client

INTERVAL = 0.2
"""Seconds between two looks at the VM."""
USER = "--try-provider"
"""Whom the VM's tag names."""


@dataclass(slots=True)
class _Step:
    """A step of the trial; `found` is told beside it when it is done."""

    found: str = ""


class Trial:
    """One provider, the pools of which are checked; a VM is made in `pool`, if one is given."""

    def __init__(
        self, settings: Settings, provider: str, pool: PoolSettings | None, *, write: Callable[[str], None]
    ) -> None:
        backend = NullBackend()
        self._settings = settings
        self._pool = pool
        self._write = write
        self._provider = settings.providers[provider]
        self._cloud = open_client(
            self._provider,
            connections=ConnectionMetrics(backend, "provider_connection_pool", provider),
            parallel_destroys=1,
            metrics=ProviderMetrics(backend),
        )

    async def run(self) -> bool:
        """Take every step; whether none failed. One that fails ends the steps of its pool.

        What was made is destroyed, also when this is cancelled.
        """
        name, driver = self._provider.name, self._provider.provider_class
        features = ", ".join(sorted(self._cloud.features)) or "none"
        self._write(f"provider {name}, driver {driver}, features: {features}")
        try:
            if not await self._works(self._open()):
                return False
            if self._pool is None:
                pools = [pool for pool in self._settings.pools if pool.provider == name]
                return all([await self._works(self._check(pool, clone_spec(pool))) for pool in pools])
            spec = clone_spec(self._pool)
            return await self._works(self._check(self._pool, spec)) and await self._works(
                self._make(self._pool, spec)
            )
        finally:
            await self._cloud.close()

    @staticmethod
    async def _works(steps: Awaitable[None]) -> bool:
        try:
            await steps
        except ProviderError:
            return False  # the step has told it
        return True

    async def _open(self) -> None:
        async with self._step("open the driver"):
            if not await self._cloud.open():
                raise PermanentError(self._cloud.fault)

    async def _check(self, pool: PoolSettings, spec: CloneSpec) -> None:
        if Feature.PREPARATION in self._cloud.features:
            async with self._step(f"pool {pool.name}: prepare what its clones need"):
                await self._cloud.prepare(spec)
        async with self._step(f"pool {pool.name}: list its place") as step:
            vms = await self._cloud.list_vms(spec)
            ours = sum(_installation(vm) == self._settings.installation for vm in vms)
            step.found = f"{len(vms)} VMs, {ours} of this installation"

    async def _make(self, pool: PoolSettings, spec: CloneSpec) -> None:
        [(name, attempt)] = NameGenerator(self._settings.general.prefix).generate(1)
        installation = f"trial of {self._settings.installation}"
        tag = OwnershipTag(installation, secrets.token_hex(8), pool.name, name, attempt)
        ref = None
        try:
            async with self._step(f"create {name}") as step:
                made = await self._cloud.create(spec, tag)
                step.found = f"its id is {made.provider_id}"
            ref = VmRef(name, attempt, made.provider_id)
            await self._boot(pool, spec, ref)
            await self._tag(spec, ref, tag)
        finally:
            await self._destroy(spec, tag, ref)

    async def _boot(self, pool: PoolSettings, spec: CloneSpec, ref: VmRef) -> None:
        async with self._step("wait until it is cloned"), _deadline(pool):
            await self._wait(spec, ref, lambda seen: seen.status is not VmStatus.CLONING)
        async with self._step("wait until it has an address") as step, _deadline(pool):
            seen = await self._wait(spec, ref, lambda seen: usable_address(seen) is not None)
            step.found = f"{seen.ip}, on {seen.host or 'an unknown host'}"
        async with self._step(f"wait until it is ready, by {pool.ready_check}") as step, _deadline(pool):
            await _answer(pool, seen.ip or "")
            seen = await self._cloud.inspect(spec, ref)
            step.found = f"its guest calls itself {seen.hostname or 'nothing'}"
            if pool.checks_hostname and has_other_name(seen):
                step.found += ": another name, for which it would be replaced after a minute"

    async def _tag(self, spec: CloneSpec, ref: VmRef, tag: OwnershipTag) -> None:
        async with self._step("write a user on its tag, and find it by its attempt"):
            await self._cloud.annotate(spec, ref, replace(tag, owner=USER))
            found = await self._cloud.find(spec, tag.clone)
            if found is None or found.provider_id != ref.provider_id:
                raise PermanentError("the cloud doesn't find it by its attempt")
        async with self._step("find it in a listing, with its tag"):
            listed = {vm.provider_id: vm.tag for vm in await self._cloud.list_vms(spec)}
            if listed.get(ref.provider_id) != replace(tag, owner=USER):
                raise PermanentError("the listing lacks it, or shows another tag")

    async def _destroy(self, spec: CloneSpec, tag: OwnershipTag, ref: VmRef | None) -> None:
        """Destroy what was made, also after an error of `create`: there may be a VM all the same."""
        async with self._step("destroy it"):
            if ref is None:
                found = await self._find_late(spec, tag)
                if found is None:
                    return
                ref = VmRef(tag.name, tag.attempt, found.provider_id)
            await self._cloud.destroy(spec, ref)
            try:
                await self._cloud.inspect(spec, ref)
            except NotFound:
                return
            raise PermanentError("it is still there")

    async def _find_late(self, spec: CloneSpec, tag: OwnershipTag) -> ProviderVm | None:
        """Look for the VM for as long as it may still appear."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._cloud.create_grace.total_seconds()
        while True:
            try:
                found = await self._cloud.find(spec, tag.clone)
            except NotFound:
                return None
            if found is not None or loop.time() >= deadline:
                return found
            await asyncio.sleep(INTERVAL)

    async def _wait(self, spec: CloneSpec, ref: VmRef, is_so: Callable[[ProviderVm], bool]) -> ProviderVm:
        loop = asyncio.get_running_loop()
        may_appear_until = loop.time() + self._cloud.create_grace.total_seconds()
        while True:
            try:
                seen = await self._cloud.inspect(spec, ref)
            except NotFound as error:
                if isinstance(error, CloneFailed) or loop.time() >= may_appear_until:
                    raise
                await asyncio.sleep(INTERVAL)
                continue
            if seen.status is VmStatus.OFF:
                raise PermanentError("it is switched off")
            if is_so(seen):
                return seen
            await asyncio.sleep(INTERVAL)

    @asynccontextmanager
    async def _step(self, what: str) -> AsyncIterator[_Step]:
        step, started = _Step(), asyncio.get_running_loop().time()
        try:
            yield step
        except ProviderError as error:
            self._tell("FAILED", started, f"{what}: {error}")
            raise
        self._tell("ok", started, f"{what}: {step.found}" if step.found else what)

    def _tell(self, outcome: str, started: float, text: str) -> None:
        self._write(f"  {outcome:<6} {asyncio.get_running_loop().time() - started:8.2f} s  {text}")


async def _answer(pool: PoolSettings, ip: str) -> None:
    """Wait until the guest passes its pool's check."""
    port, probe = pool.ready_check.port, PortProbe()
    while port is not None:
        if await probe.accepts(ip, port, seconds=pool.ready_check_timeout.total_seconds()):
            return
        await asyncio.sleep(INTERVAL)


@asynccontextmanager
async def _deadline(pool: PoolSettings) -> AsyncIterator[None]:
    """Give a step the time that a VM of the pool has to become ready."""
    try:
        async with asyncio.timeout(pool.timeout.total_seconds()):
            yield
    except TimeoutError:
        raise TransientError(f"not within {pool.timeout.total_seconds():g} s (timeout)") from None


def _installation(vm: ProviderVm) -> str | None:
    return vm.tag.installation if vm.tag else None
