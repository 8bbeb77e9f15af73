"""Moving VMs that somebody has to better hosts: which may be moved, and where they are then."""

from datetime import timedelta

from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms


class Migrations:
    """Each method is one round trip, and safe to repeat."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def begin(
        self, vm: str, attempt: str, *, operation: str, limit: int, life: timedelta
    ) -> str | None:
        """Get leave to move a running VM: the host that it is on, empty when unknown; None: it stays.

        At most `limit` VMs are moved at once; one whose manager dies doesn't count after `life`.
        """
        reply = await self._scripts.fetch(
            "begin_migration",
            operation=operation,
            vm=vm,
            attempt=attempt,
            limit=limit,
            life=duration_ms(life),
        )
        return reply["host"] if reply["outcome"] == "ok" else None

    async def end(self, vm: str, attempt: str, *, host: str | None) -> bool:
        """Note where the VM runs now, None when that isn't known; True when it was moved."""
        moved = await self._scripts.run_named("end_migration", vm=vm, attempt=attempt, host=host or "")
        return bool(moved)
