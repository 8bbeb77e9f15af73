"""The driver that the conformance suite tests, and the helpers that its tests share."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

from vmpooler_manager.providers.contract import CloneSpec, OwnershipTag, Provider, ProviderVm, VmRef, VmStatus

T = TypeVar("T")

INSTALLATION = "conformance suite"
INTERVAL = 0.05
"""Seconds between two inspections of a VM that isn't ready yet."""


@dataclass(frozen=True)
class Subject:
    """A driver under test, opened, and what the suite may use of its cloud."""

    provider: Provider
    pool: CloneSpec
    """A pool whose VMs can be made."""
    elsewhere: CloneSpec
    """A pool whose VMs are made at another place."""
    neighbour: CloneSpec | None = None
    """A pool of another name whose VMs are made at the same place, for `SharedPlaceConformance`."""
    second: Provider | None = None
    """Another client of the same cloud, opened, for `SharedCloudConformance`."""
    disks: Callable[[VmRef], Awaitable[Sequence[int]]] | None = None
    """Asks the cloud for the sizes of the disks that a VM was given, for `TaskConformance`."""
    patience: timedelta = timedelta(seconds=60)
    """Longest time in which a VM appears and becomes ready, or a call ends."""


def new_tag(pool: CloneSpec, name: str | None = None) -> OwnershipTag:
    """Make a tag with an attempt that nothing else has, and a name too unless it is given."""
    return OwnershipTag(
        installation=INSTALLATION,
        generation="one",
        pool=pool.name,
        name=name or f"conf-{uuid4().hex[:10]}",
        attempt=uuid4().hex,
    )


def another_attempt(tag: OwnershipTag) -> OwnershipTag:
    """Make the tag of a later VM of the same name."""
    return replace(tag, attempt=uuid4().hex)


def new_task() -> str:
    """Make the id of a task that no other has."""
    return f"t{uuid4().hex[1:]}"


def ref(vm: ProviderVm) -> VmRef:
    """Name a VM that was seen."""
    return VmRef(name=vm.name, attempt=vm.tag.attempt if vm.tag else "", provider_id=vm.provider_id)


async def ready_vm(subject: Subject, vm: ProviderVm) -> ProviderVm:
    """Inspect until the VM is ready."""

    async def inspect() -> ProviderVm | None:
        seen = await subject.provider.inspect(subject.pool, ref(vm))
        return seen if seen.status is VmStatus.READY else None

    return await _until_seen(subject, inspect)


async def found_vm(subject: Subject, tag: OwnershipTag) -> ProviderVm:
    """Look for the VM until it appears: a cloud may answer `create` before all its parts know."""
    return await _until_seen(subject, lambda: subject.provider.find(subject.pool, tag.name, tag.attempt))


async def listed_ids(subject: Subject, pool: CloneSpec) -> set[str]:
    """List the ids at the place of `pool`."""
    return {vm.provider_id for vm in await subject.provider.list_vms(pool)}


async def _until_seen(subject: Subject, inspect: Callable[[], Awaitable[T | None]]) -> T:
    async with asyncio.timeout(subject.patience.total_seconds()):
        while (seen := await inspect()) is None:  # noqa: ASYNC110 - a cloud tells nobody when it is done
            await asyncio.sleep(INTERVAL)
        return seen
