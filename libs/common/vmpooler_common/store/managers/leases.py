"""Which manager looks after which pools."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from vmpooler_common.store.core.errors import InstallationMismatch
from vmpooler_common.store.core.scripts import Named, Scripts, read_named
from vmpooler_common.store.core.times import duration_ms, from_ms


@dataclass(frozen=True, slots=True)
class Offer:
    """What a manager can do: it is held to nothing else."""

    pools: Mapping[str, bool]
    """The pools that it is configured for -> whether it can serve them now."""
    usable: Collection[str]
    """Providers that it can use."""
    unusable: Collection[str] = ()
    """Those of its configuration that it can't use now."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a manager learns from its heartbeat."""

    now: datetime
    generation: str
    """Empty when the data set has been lost."""
    held: frozenset[str]
    """Pools that this manager looks after until its lease ends."""
    absent: Mapping[str, timedelta]
    """Of those, the ones that no live manager is configured for -> since when, while any lived."""
    rivals: frozenset[str]
    """Providers that this manager can't use and another one can."""
    pools: Mapping[str, str]
    """Every pool that has or had VMs → provider, also those that have left the configuration."""
    unaccepted: tuple[str, ...]
    """On-demand requests whose entry in the inbox seems lost."""
    overdue: tuple[str, ...]
    """On-demand requests past their deadline."""
    unserved: tuple[str, ...]
    """Pools that requests have waited for too long, and that neither this manager nor any other knows."""
    due_tasks: int
    """VMs with a task that nobody works on and somebody should."""
    identity: str
    """Changes when Redis was restarted or another server has taken its place."""


class Leases:
    """One round trip each."""

    def __init__(self, scripts: Scripts, *, installation: str) -> None:
        self._scripts = scripts
        self._installation = installation

    async def claim_purge(self, provider: str, manager: str, *, life: timedelta) -> datetime | None:
        """Ask to look for a provider's unused places for so long: the time, or None while another does."""
        now = await self._scripts.run_named(
            "claim_purge", provider=provider, manager=manager, life=duration_ms(life)
        )
        return from_ms(now) if now else None

    async def heartbeat(
        self, manager: str, *, lease: timedelta, offer: Offer, working_on: Sequence[str]
    ) -> Heartbeat:
        """Register, take a fair share of the pools, and renew the leases of the VMs being worked on.

        Raises InstallationMismatch, StoreUnavailable.
        """
        offered: dict[str, Named] = {
            "pools": {pool: int(can) for pool, can in sorted(offer.pools.items())},
            "providers": sorted(offer.usable),
            "unusable": sorted(offer.unusable),
        }
        text, server, replication = await self._scripts.run_all(
            [
                self._scripts.command_named(
                    "heartbeat",
                    installation=self._installation,
                    manager=manager,
                    lease=duration_ms(lease),
                    digest=hashlib.sha256(json.dumps(offered).encode()).hexdigest(),
                    work=working_on,
                    **offered,
                ),
                ("INFO", "server"),
                ("INFO", "replication"),
            ]
        )
        reply = read_named(text)
        if reply["installation"] not in ("", self._installation):
            raise InstallationMismatch(reply["installation"], self._installation)
        return Heartbeat(
            now=from_ms(int(reply["now"])),
            generation=reply["generation"],
            held=frozenset(reply["held"]),
            absent={pool: timedelta(milliseconds=ms) for pool, ms in _mapping(reply["absent"]).items()},
            rivals=frozenset(reply["rivals"]),
            pools=_mapping(reply["pools"]),
            unaccepted=tuple(reply["unaccepted"]),
            overdue=tuple(reply["overdue"]),
            unserved=tuple(reply["unserved"]),
            due_tasks=reply["due_tasks"],
            identity=f"{info_of(server).get('run_id', '')} {info_of(replication).get('master_replid', '')}",
        )

    async def leave(self, manager: str, working_on: Sequence[str]) -> None:
        """Give pools and unfinished work to the other managers at once."""
        await self._scripts.run_named("leave", manager=manager, vms=working_on)

    async def forget(self, pool: str) -> bool:
        """Drop a pool that has left the configuration; False while it still has VMs."""
        return bool(await self._scripts.run_named("forget_pool", pool=pool))


def info_of(text: str) -> dict[str, str]:
    """Read the answer of INFO: `name:value` lines."""
    return dict(line.split(":", 1) for line in text.splitlines() if ":" in line)


def _mapping(value: Any) -> Mapping[str, Any]:
    """Read a mapping; an empty one may come as an empty list."""
    return value or {}
