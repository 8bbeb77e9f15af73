"""What is asked of a checkout, and what it gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class LineItem:
    """So many VMs under one requested name."""

    name: str
    count: int
    pools: Sequence[tuple[str, float]]
    """Candidate pools, each with its weight (0 or more) in the draw."""


@dataclass(frozen=True, slots=True)
class WaitOptions:
    """That a checkout waits in the queue when VMs are missing."""

    sizes: Mapping[str, int]
    """Configured size of each pool that it may take VMs of."""
    hold: timedelta = timedelta(seconds=5)
    """How long at a time it may keep VMs from those who came later, until it has all that it wants."""
    is_last: bool = False
    """Whether it is asked for the last time: its ticket is given up if VMs are still missing."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A waiting checkout that keeps ready VMs from those who came later."""

    operation: str
    user: str | None
    ends_at: datetime
    """Until then at most; a later renewal may be the beginning of another one."""
    pools: int
    """Number of the pools whose VMs it could take."""


@dataclass(frozen=True, slots=True)
class Grant:
    """One VM checked out."""

    name: str
    """The pool or alias that was asked for."""
    vm: str
    pool: str
    domain: str
    provider_id: str

    @property
    def fqdn(self) -> str:
        """Host name with the domain, or the short name where there is none."""
        return f"{self.vm}.{self.domain}" if self.domain else self.vm


@dataclass(frozen=True, slots=True)
class Checkout:
    """VMs checked out together, in the order of the line items."""

    user: str | None
    """Owner of the token, None without one."""
    grants: tuple[Grant, ...]
    is_repeated: bool = False
    """Whether they were checked out before, under the same Idempotency-Key."""


@dataclass(frozen=True, slots=True)
class Return:
    """What is known of a VM that was given back."""

    vm: str
    pool: str
    provider_id: str
    user: str | None
    build_url: str
    """Tag that says for which CI build it was used, or empty."""
