"""What a provider promises. One suite (tests/providers) holds every driver to these docstrings.

A provider is a client of one cloud. It keeps no state of its own that matters: the manager may be
killed between any two calls, and another one goes on with a new object. Every call but `create` may
be repeated. Calls are made concurrently, each under a deadline: a call is cancelled when it takes
too long, and must then leave nothing locked.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from vmpooler_common.metrics.connections import ConnectionMetrics
from vmpooler_manager.providers.vm import OwnershipTag, PoolOrder, ProviderVm, VmRef, VmStatus

__all__ = ["OwnershipTag", "PoolOrder", "Provider", "ProviderFactory", "ProviderVm", "VmRef", "VmStatus"]


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

    async def create(self, pool: PoolOrder, tag: OwnershipTag) -> ProviderVm:
        """Start a VM named `tag.name` that carries `tag`; return as soon as its id is known.

        Sent at most once per name. Switching it on belongs to it. The VM may still be cloning.
        An error says nothing about whether the VM exists: the manager looks it up by its tag.

        Raises: TransientError, Throttled, PermanentError.
        """

    async def find(self, pool: PoolOrder, name: str, attempt: str) -> ProviderVm | None:
        """Look a VM up by its tag's name and attempt; None when the cloud has none *now*.

        Truthful also when a listing isn't. Raises: TransientError, Throttled, PermanentError.
        """

    async def inspect(self, pool: PoolOrder, vm: VmRef) -> ProviderVm:
        """Look at one VM closely: with the check whether it may be handed out.

        Raises: NotFound when the cloud says that there is no such VM; TransientError, Throttled.
        """

    async def list_vms(self, pool: PoolOrder) -> Sequence[ProviderVm]:
        """Every VM at the place where this pool's VMs are made, foreign ones too.

        Complete, or an error: never a partial list, never an empty one because the place was not
        found. `status` is what one bulk query tells; READY may be said without the closer check.

        Raises: TransientError, Throttled, PermanentError.
        """

    async def annotate(self, pool: PoolOrder, vm: VmRef, tag: OwnershipTag) -> None:
        """Replace the VM's tag, to add who has it until when. Raises: NotFound, TransientError, Throttled."""

    async def destroy(self, pool: PoolOrder, vm: VmRef) -> None:
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
