"""What a provider promises. One suite (the folder `testing`) holds every driver to these docstrings.

A provider is a client of one cloud. It keeps no state of its own that matters: the manager may be
killed between any two calls, and another one goes on with a new object. Every call but `create` may
be repeated. Calls are made concurrently, each under a deadline (the setting `operation_timeout`): a
call is cancelled when it takes too long, and must then leave nothing locked.

`Provider` is what every driver has. The other classes are features: a driver has their methods when it
declares the feature in `features`, and nobody calls them when it doesn't.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_common.model.features import Feature
from vmpooler_manager.providers.types import (
    CloneRef,
    CloneSpec,
    OwnershipTag,
    Place,
    ProviderVm,
    VmListing,
    VmRef,
    VmStatus,
)

__all__ = [
    "CloneRef",
    "CloneSpec",
    "DiskProvider",
    "Feature",
    "MigratingProvider",
    "OwnershipTag",
    "Place",
    "PreparingProvider",
    "Provider",
    "ProviderFactory",
    "ProviderVm",
    "PurgingProvider",
    "SnapshotProvider",
    "VmListing",
    "VmRef",
    "VmStatus",
]


class Provider(Protocol):
    """A driver. Constructed as `Driver(name, settings, metrics)`; see `ProviderFactory`."""

    create_grace: timedelta
    """Longest time after which a VM whose `create` was sent may still appear in `find`, `inspect` and
    `list_vms`: where `create` returns before the VM exists, the longest clone."""

    features: frozenset[Feature]
    """What it can beyond this class, the same as its settings declare: `CommonProvider.features`."""

    async def open(self) -> None:
        """Prepare for use. Doesn't need the cloud to be reachable.

        Raises: PermanentError when it can't be used as configured; TransientError.
        """

    async def close(self) -> None:
        """Give connections back; may be called again. Work that the cloud has accepted goes on."""

    async def create(self, pool: CloneSpec, tag: OwnershipTag) -> ProviderVm:
        """Start a VM named `tag.name` that carries `tag`; return as soon as the cloud has accepted it.

        Sent at most once per name, and never repeated by the driver itself. Switching it on belongs to it.
        The VM may still be cloning, or not be there yet: where the cloud tells an id only when it is done,
        the driver chooses it beforehand (`tag.clone.uuid`). What fails later is told by `inspect`.
        An error says nothing about whether the VM exists: the manager looks it up with `find`.

        Raises: TransientError, Throttled, NoCapacity, PermanentError.
        """

    async def find(self, pool: CloneSpec, clone: CloneRef) -> ProviderVm | None:
        """Look a VM up by its attempt; None when the cloud has none *now*.

        Truthful also when a listing isn't, and wherever the VM is: its pool's place may have changed.

        Raises: CloneFailed when there won't be one, if the cloud can still tell; TransientError, Throttled,
        PermanentError.
        """

    async def inspect(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """Look at one VM closely. A clone under way that this client has started is CLONING.

        Raises: NotFound when the cloud says that there is no such VM, which isn't the last word within
        `create_grace`; CloneFailed, which is; TransientError, Throttled.
        """

    async def list_vms(self, pool: CloneSpec) -> VmListing:
        """List every VM at the place where this pool's VMs are made, foreign ones too.

        Complete and fresh, or an error: never a partial list, never an empty one because the place was not
        found, never what was known before the call began. `status` is what one bulk query tells. A clone
        under way may be shown as CLONING, or not yet.

        Raises: TransientError, Throttled, PermanentError.
        """

    async def annotate(self, pool: CloneSpec, vm: VmRef, tag: OwnershipTag) -> None:
        """Replace the VM's tag, to add who has it until when. Raises: NotFound, TransientError, Throttled."""

    async def destroy(self, pool: CloneSpec, vm: VmRef) -> None:
        """Remove the VM with this id, whatever its status, also one that is cloning; return when it is gone.

        A VM that is gone already is a success. Never touches another VM of the same name.

        Raises: TransientError, Throttled, PermanentError.
        """


class DiskProvider(Protocol):
    """`Feature.DISKS`. A task that users ask for, as those of `SnapshotProvider` are.

    A task has an id (32 characters a-z and 0-9) which the cloud has to remember with what was done: under
    the same id, the same thing is done once at most, whoever asks again, also at the same time. The
    messages of errors are shown to the VM's user.
    """

    async def add_disk(self, pool: CloneSpec, vm: VmRef, *, task: str, size: int) -> None:
        """Give a VM that is switched on another, empty disk of `size` GB; return when it has it.

        Raises: NotFound when there is no such VM; TransientError, Throttled: it may have been done all the
        same; PermanentError: it wasn't, and never will be.
        """


class SnapshotProvider(Protocol):
    """`Feature.SNAPSHOTS`. Tasks: see `DiskProvider`."""

    async def snapshot(self, pool: CloneSpec, vm: VmRef, *, name: str) -> None:
        """Take a snapshot of disks and memory, called by the task's id; return when it is there.

        Raises: as `add_disk`.
        """

    async def revert(self, pool: CloneSpec, vm: VmRef, *, task: str, snapshot: str) -> None:
        """Put the VM back to where it was when the snapshot of this name was taken; return when it is there.

        Disks that were added since are gone; the tag stays. Under the id of a task that was carried out,
        nothing is done: what the user has done to the VM since is safe. A snapshot that the VM hasn't is a
        PermanentError.

        Raises: as `add_disk`.
        """


class PreparingProvider(Protocol):
    """`Feature.PREPARATION`."""

    async def prepare(self, pool: CloneSpec) -> None:
        """Check all that clones of this pool need, and make what is allowed to be made; return when it is so.

        Called before the first clone and for each new template or clone target; by several managers at the
        same time. So a pool that can't work says so at once, and not by its first clone.

        Raises: PermanentError with the pool, what was looked for and where; TransientError, Throttled,
        NoCapacity.
        """


class MigratingProvider(Protocol):
    """`Feature.MIGRATION`."""

    async def migrate(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """Move a running VM to a better host if there is one; return it as it is then.

        Its `host` tells whether it was moved. Which host is better is the driver's to know.

        Raises: NotFound, TransientError, Throttled, NoCapacity, PermanentError.
        """


class PurgingProvider(Protocol):
    """`Feature.PURGE`."""

    async def unreferenced(self, pools: Sequence[CloneSpec]) -> Sequence[Place]:
        """List the places below this provider's own ones that none of `pools` uses, with all their VMs.

        `pools` are all that are configured for this provider. Complete and fresh, like `list_vms`. A
        place within which one of `pools` has its place isn't unreferenced.

        Raises: TransientError, Throttled, PermanentError.
        """

    async def remove_place(self, place: Place) -> None:
        """Remove a place that is empty now; one that isn't, or is gone, is left alone. Never removes a VM.

        Raises: TransientError, Throttled, PermanentError.
        """


class ProviderFactory(Protocol):
    """What the entry point group `vmpooler.providers` holds: a class, or a function, of this form."""

    def __call__(self, name: str, settings: Mapping[str, Any], metrics: ConnectionMetrics) -> Provider:
        """Make the driver for the provider called `name` in the configuration.

        `settings` are the provider's own keys as configured, secrets in plain text, what `config` holds
        for all providers of this driver, and `operation_timeout`, the deadline of its calls; `metrics` takes
        what the driver's connection pool reports. No I/O here. Raises PermanentError for wrong settings,
        with what was expected.
        """
