"""The values of the provider contract: whose a VM is, where it is made, how it is named and seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid5

_CLONES = UUID("6d8f3c52-5b2b-4d55-9a51-0d8f6a3c7e10")
"""Namespace of the ids that we choose for VMs."""


@dataclass(frozen=True, slots=True)
class CloneRef:
    """Names one clone, also before the cloud has told an id for it."""

    installation: str
    name: str
    attempt: str
    """Random, another for each `create`."""

    @property
    def uuid(self) -> UUID:
        """The VM's id where clients may choose one: always the same for the same clone.

        With it `find` is one exact question, even when the cloud never wrote the tag.
        """
        return uuid5(_CLONES, f"{self.installation}\n{self.attempt}")


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

    @property
    def clone(self) -> CloneRef:
        """The clone that carries this tag."""
        return CloneRef(self.installation, self.name, self.attempt)


@dataclass(frozen=True, slots=True)
class CloneSpec:
    """Where a pool's VMs are and how they are made: the provider's part of the pool's settings."""

    name: str
    template: str
    """Empty for a pool that isn't configured any more: nothing is made there, and ids decide."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The pool's other keys as configured (folder, datastore, network, clone_target, …)."""


@dataclass(frozen=True, slots=True)
class VmRef:
    """Names one VM to a provider. The id decides; the name is for messages, the attempt for checks."""

    name: str
    attempt: str
    provider_id: str


class VmStatus(StrEnum):
    """How far a VM is, as the provider sees it. Whether it may be handed out is the manager's question."""

    CLONING = "cloning"
    """Being made; holds a clone slot."""
    RUNNING = "running"
    """Made and switched on. It may still boot: then it mostly has no address yet."""
    OFF = "off"
    """Switched off or crashed: it won't become usable by itself."""


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
    """Where clients reach it; None while it has no such address. Never a link-local one, 0.0.0.0 or one
    of before it was last switched off."""
    host: str | None = None
    """Hypervisor host, for people."""
    hostname: str | None = None
    """What the guest calls itself, short or with its domain; None when the cloud doesn't know."""


@dataclass(frozen=True, slots=True)
class VmListing:
    """Every VM at a place."""

    vms: tuple[ProviderVm, ...]
    as_of: float
    """`time.monotonic()`, taken before the first of it was read from the cloud.

    It proves that the listing isn't older than the question: the manager refuses one of before the call.
    """


@dataclass(frozen=True, slots=True)
class Place:
    """A place that holds VMs of pools that the configuration doesn't know (any more)."""

    name: str
    """As the cloud calls it: the path of a folder, with slashes."""
    vms: tuple[ProviderVm, ...]
    options: Mapping[str, Any] = field(default_factory=dict)
    """The clone options with which `list_vms` lists it."""
