"""What a provider promises. One suite (the folder `testing`) holds every driver to these docstrings.

A provider is a client of one cloud. It keeps no state of its own that matters: the manager may be
killed between any two calls, and another one goes on with a new object. Every call but `create` may
be repeated. Calls are made concurrently, each under a deadline: a call is cancelled when it takes
too long, and must then leave nothing locked.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from vmpooler_common.metrics.catalogues.connections import ConnectionMetrics
from vmpooler_manager.providers.types import CloneSpec, OwnershipTag, ProviderVm, VmRef, VmStatus

__all__ = ["CloneSpec", "OwnershipTag", "Provider", "ProviderFactory", "ProviderVm", "VmRef", "VmStatus"]


class Provider(Protocol):
    """A driver. Constructed as `Driver(name, settings, metrics)`; see `ProviderFactory`."""

    create_grace: timedelta
    """Longest time after which a VM whose `create` was sent may still appear in `find` and `list_vms`."""

    async def open(self) -> None:
        """Prepare for use. Doesn't need the cloud to be reachable.

        Raises: PermanentError when it can't be used as configured; TransientError.
        """

    async def close(self) -> None:
        """Give connections back; may be called again. Work that the cloud has accepted goes on."""

    async def create(self, pool: CloneSpec, tag: OwnershipTag) -> ProviderVm:
        """Start a VM named `tag.name` that carries `tag`; return as soon as its id is known.

        Sent at most once per name. Switching it on belongs to it. The VM may still be cloning.
        An error says nothing about whether the VM exists: the manager looks it up by its tag.

        Raises: TransientError, Throttled, PermanentError.
        """

    async def find(self, pool: CloneSpec, name: str, attempt: str) -> ProviderVm | None:
        """Look a VM up by its tag's name and attempt; None when the cloud has none *now*.

        Truthful also when a listing isn't. Raises: TransientError, Throttled, PermanentError.
        """

    async def inspect(self, pool: CloneSpec, vm: VmRef) -> ProviderVm:
        """Look at one VM closely: with the check whether it may be handed out.

        Raises: NotFound when the cloud says that there is no such VM; TransientError, Throttled.
        """

    async def list_vms(self, pool: CloneSpec) -> Sequence[ProviderVm]:
        """Every VM at the place where this pool's VMs are made, foreign ones too.

        Complete, or an error: never a partial list, never an empty one because the place was not
        found. `status` is what one bulk query tells; READY may be said without the closer check.

        Raises: TransientError, Throttled, PermanentError.
        """

    async def annotate(self, pool: CloneSpec, vm: VmRef, tag: OwnershipTag) -> None:
        """Replace the VM's tag, to add who has it until when. Raises: NotFound, TransientError, Throttled."""

    async def add_disk(self, pool: CloneSpec, vm: VmRef, *, task: str, size: int) -> None:
        """Give a VM that is switched on another, empty disk of `size` GB; return when it has it.

        This and the two calls below are tasks that users ask for. A task has an id (32 characters a-z and
        0-9) which the cloud has to remember with what was done: under the same id, the same thing is done
        once at most, whoever asks again, also at the same time. A driver that can't do it says so by
        PermanentError. The messages of errors are shown to the VM's user.

        Raises: NotFound when there is no such VM; TransientError, Throttled: it may have been done all the
        same; PermanentError: it wasn't, and never will be.
        """

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

    async def destroy(self, pool: CloneSpec, vm: VmRef) -> None:
        """Remove the VM with this id, whatever its status; return when it is gone.

        A VM that is gone already is a success. Never touches another VM of the same name.

        Raises: TransientError, Throttled, PermanentError.
        """


class ProviderFactory(Protocol):
    """What the entry point group `vmpooler.providers` holds: a class, or a function, of this form."""

    def __call__(self, name: str, settings: Mapping[str, Any], metrics: ConnectionMetrics) -> Provider:
        """Make the driver for the provider called `name` in the configuration.

        `settings` are the provider's own keys as configured, secrets in plain text; `metrics` takes
        what the driver's connection pool reports. No I/O here. Raises PermanentError for wrong settings,
        with what was expected.
        """
