"""The driver that the conformance suite tests, and the helpers that its tests share."""
# ruff: noqa: S101 - these are tests: an assert holds the promise

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_address
from typing import TypeVar
from uuid import uuid4

from vmpooler_common.config.sections.providers import CommonProvider
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
    settings: type[CommonProvider] | None = None
    """The declaration of the driver's settings; it must say the same of features."""
    fail_next_clone: Callable[[], Awaitable[str]] | None = None
    """Has the cloud accept the next `create` of `pool` and then fail; gives a part of the reason that the
    cloud tells. For `LateFailureConformance`."""
    unpreparable: CloneSpec | None = None
    """A pool that can't work, such as one whose template is missing, for `PreparationConformance`."""
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
    """Inspect until the VM is switched on and has an address."""

    async def inspect() -> ProviderVm | None:
        seen = await subject.provider.inspect(subject.pool, ref(vm))
        return seen if seen.status is VmStatus.RUNNING and seen.ip else None

    return await _until_seen(subject, inspect)


async def found_vm(subject: Subject, tag: OwnershipTag) -> ProviderVm:
    """Look for the VM until it appears: a cloud may answer `create` before all its parts know."""
    return await _until_seen(subject, lambda: subject.provider.find(subject.pool, tag.clone))


async def made_vm(subject: Subject, tag: OwnershipTag | None = None) -> ProviderVm:
    """Make a VM and wait until it has been cloned, so that every client of the cloud sees it."""
    made = await subject.provider.create(subject.pool, tag or new_tag(subject.pool))

    async def inspect() -> ProviderVm | None:
        seen = await subject.provider.inspect(subject.pool, ref(made))
        return seen if seen.status is not VmStatus.CLONING else None

    return await _until_seen(subject, inspect)


def is_usable_address(ip: str | None) -> bool:
    """Whether other machines may reach this address: no link-local one, and not 0.0.0.0."""
    address = ip_address(ip or "0.0.0.0")  # noqa: S104 - no address at all
    return not (address.is_link_local or address.is_unspecified)


async def listed(provider: Provider, pool: CloneSpec) -> dict[str, ProviderVm]:
    """List the VMs at the place of `pool`, by id; a listing must prove that it is fresh."""
    asked = time.monotonic()
    listing = await provider.list_vms(pool)
    assert asked <= listing.as_of <= time.monotonic(), "the listing doesn't prove that it is fresh"
    return {vm.provider_id: vm for vm in listing.vms}


async def listed_ids(subject: Subject, pool: CloneSpec) -> set[str]:
    """List the ids at the place of `pool`."""
    return set(await listed(subject.provider, pool))


async def _until_seen(subject: Subject, inspect: Callable[[], Awaitable[T | None]]) -> T:
    async with asyncio.timeout(subject.patience.total_seconds()):
        while (seen := await inspect()) is None:  # noqa: ASYNC110 - a cloud tells nobody when it is done
            await asyncio.sleep(INTERVAL)
        return seen
