"""Who asks for VMs, and how much one client may have at once."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Allowance:
    """The most of each thing; 0 is no limit."""

    running_vms: int = 0
    """VMs that run, with those that are wanted on demand."""
    ondemand_vms: int = 0
    """VMs of open on-demand requests that are still to come."""
    waiting_checkouts: int = 0
    disk_gigabytes: int = 0
    """Of the disks that were added to running VMs."""
    anonymous_ondemand_vms: int = 0
    """VMs on demand that are still to come for all clients without a token together."""


UNLIMITED = Allowance()


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks, as far as the store has to know."""

    name: str = ""
    """`a:` and the address, for one without a token; empty where nothing is known of it."""
    allowance: Allowance = UNLIMITED
    """Of the user of the token, or of the address."""
    lifetime_with_token: timedelta | None = None
    """How long VMs last that are taken with a token; None: without an end."""


NO_CLIENT = Client()
