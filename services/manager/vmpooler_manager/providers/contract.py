"""What a provider promises. One suite (tests/providers) holds every driver to these docstrings.

A provider is a client of one cloud. It keeps no state of its own that matters: the manager may be
killed between any two calls, and another one goes on with a new object. Every call but `create` may
be repeated. Calls are made concurrently, each under a deadline: a call is cancelled when it takes
too long, and must then leave nothing locked.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from vmpooler_common.metrics.connections import ConnectionMetrics


@dataclass(frozen=True, slots=True)
class OwnershipTag:
    """Says whose VM this is; written on the VM by `create`, so that it can be told from foreign ones.

    `owner` and `ends_at` (aware UTC) are added by `annotate` soon after the VM was handed out.
    """

    installation: str
    """Which vmpooler installation, `config.installation`."""
    generation: str
    """Which data set of that installation: random, kept in Redis, new when Redis was emptied."""
    pool: str
    name: str
    attempt: str
    owner: str | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PoolOrder:
    """Where a pool's VMs are and how they are made: the provider's part of the pool's settings."""

    name: str
    template: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """The pool's other keys as configured (folder, datastore, network, clone_target, …)."""


@dataclass(frozen=True, slots=True)
class VmRef:
    """Names one VM to a provider. The id decides; the name is for messages, the attempt for checks."""

    name: str
    attempt: str
    provider_id: str


class VmStatus(StrEnum):
    """How far a VM is, as the provider sees it."""

    CLONING = "cloning"
    """Being made; holds a clone slot."""
    BOOTING = "booting"
    """Made and switched on, but not to be used yet."""
    READY = "ready"
    """Can be handed out."""
    OFF = "off"
    """Switched off or crashed: it won't become ready by itself."""


@dataclass(frozen=True, slots=True)
class ProviderVm:
    """One VM as the provider sees it."""

    provider_id: str
    """The cloud's own id; never used again for another VM."""
    name: str
    status: VmStatus
    tag: OwnershipTag | None
    """None for a VM that carries no (readable) tag of any vmpooler."""
    ip: str | None = None
    host: str | None = None
    """Hypervisor host, for people."""


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
