"""Which manager looks after which pools."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms, from_ms


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What a manager learns from its heartbeat."""

    now: datetime
    generation: str
    """Empty when the data set has been lost."""
    held: frozenset[str]
    """Pools that this manager looks after until its lease ends."""
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

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def heartbeat(
        self, manager: str, *, lease: timedelta, pools: Sequence[str], working_on: Sequence[str]
    ) -> Heartbeat:
        """Register, take a fair share of the pools, and renew the leases of the VMs being worked on."""
        reply, server, replication = await self._scripts.run_all(
            [
                self._scripts.command(
                    "heartbeat", manager, duration_ms(lease), len(pools), *pools, *working_on
                ),
                ("INFO", "server"),
                ("INFO", "replication"),
            ]
        )
        now, generation, held, known, unaccepted, overdue, unserved, due_tasks = reply
        return Heartbeat(
            now=from_ms(now),
            generation=generation,
            held=frozenset(held),
            pools=dict(zip(known[::2], known[1::2], strict=True)),
            unaccepted=tuple(unaccepted),
            overdue=tuple(overdue),
            unserved=tuple(unserved),
            due_tasks=due_tasks,
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
