"""The values of the provider contract: whose a VM is, where it is made, how it is named and seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


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
class CloneSpec:
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
