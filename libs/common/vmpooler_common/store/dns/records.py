"""DNS records of VMs: which there may be, and what is to be done about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms, from_ms


@dataclass(frozen=True, slots=True)
class RecordsBegun:
    """What is to be written beside the records of a VM, and below which domain."""

    generation: str
    provider: str
    domain: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """Leave to look for orphaned records."""

    now: datetime
    generation: str
    """Empty when the data set has been lost."""


class OrphanOutcome(StrEnum):
    """Whether an orphan's records may be removed."""

    OK = "ok"
    KNOWN = "known"
    """They are a VM's after all."""
    EXCEEDED = "exceeded"
    """Too many were removed in the last ten minutes."""


class DnsRecords:
    """Each method is one round trip, and safe to repeat."""

    def __init__(self, scripts: Scripts, *, data_ttl: timedelta) -> None:
        self._scripts = scripts
        self._data_ttl = data_ttl

    async def begin(self, vm: str, attempt: str, *, dns: str) -> RecordsBegun | None:
        """Get leave to write the records of a pending VM; from now on they are removed with it. None: no."""
        reply = await self._scripts.fetch("begin_records", vm=vm, attempt=attempt, dns=dns)
        return RecordsBegun(**reply) if reply["generation"] else None

    async def published(self, pool: str, vm: str, attempt: str, *, ip: str) -> bool:
        """Note to which address the records lead; False when the VM has another one, or is gone, by now."""
        return await self._settle(pool, vm, attempt, ip)

    async def removed(self, pool: str, vm: str, attempt: str) -> bool:
        """Note that a VM which is gone has no records any more; False when it isn't gone (any more)."""
        return await self._settle(pool, vm, attempt, "")

    async def defer(self, pool: str, vm: str, *, delay: timedelta) -> None:
        """Try again later to make a VM's records what they should be."""
        await self._scripts.run_named("defer_records", pool=pool, vm=vm, delay=duration_ms(delay))

    async def claim_sweep(self, dns: str, manager: str, *, life: timedelta) -> Sweep | None:
        """Ask to look for orphaned records of an entry for so long; None while another manager does."""
        reply = await self._scripts.fetch("claim_sweep", dns=dns, manager=manager, life=duration_ms(life))
        now = int(reply["now"])
        return Sweep(from_ms(now), reply["generation"]) if now else None

    async def count_orphan(self, dns: str, name: str, attempt: str, *, bound: int) -> OrphanOutcome:
        """Ask to remove the records of an orphan: at most `bound` of an entry in ten minutes."""
        return OrphanOutcome(
            await self._scripts.run_named(
                "count_orphan_record", dns=dns, name=name, attempt=attempt, bound=bound
            )
        )

    async def _settle(self, pool: str, vm: str, attempt: str, ip: str) -> bool:
        kept = max(1, int(self._data_ttl.total_seconds()))
        return bool(
            await self._scripts.run_named(
                "settle_records", pool=pool, vm=vm, attempt=attempt, ip=ip, keep=kept
            )
        )
