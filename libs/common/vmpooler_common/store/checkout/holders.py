"""Who holds ready VMs of pools back: checkouts that wait until they have all that they want."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vmpooler_common.store.access.tokens import token_digest
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import from_ms


@dataclass(frozen=True, slots=True)
class Holder:
    """A waiting checkout that holds VMs back from later ones."""

    user: str | None
    address: str | None
    """Where it was asked from; known some seconds after it began to wait."""
    vms: int
    since: datetime
    """When it began to wait."""


@dataclass(frozen=True, slots=True)
class Holders:
    """At most a hundred of each pool, and whose the token of whoever asks is."""

    viewer: str | None
    pools: Mapping[str, Sequence[Holder]]


async def show_holders(scripts: Scripts, pools: Sequence[str], *, token: str | None) -> Holders:
    """Tell who holds VMs of these pools. Raises StoreUnavailable."""
    found = await scripts.fetch("show_holders", token=token_digest(token), pools=list(pools))
    return Holders(
        found["viewer"] or None, {one["pool"]: read_holders(one["holders"]) for one in found["pools"]}
    )


def read_holders(found: Iterable[Mapping[str, Any]]) -> list[Holder]:
    """Read what scripts reply of them."""
    return [
        Holder(one["user"] or None, one["address"] or None, one["vms"], from_ms(int(one["since"])))
        for one in found
    ]
