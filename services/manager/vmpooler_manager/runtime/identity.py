"""Who a manager is, to the store and to the cloud."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class ManagerIdentity:
    """The name under which it holds leases; `installation` is part of every ownership tag."""

    name: str
    lease: timedelta
    """Without a heartbeat for this time other managers take over."""
    installation: str
