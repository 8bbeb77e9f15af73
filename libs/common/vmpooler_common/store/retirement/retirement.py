"""The end of a VM: out of its pool, destroyed, gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms, to_ms


class Outcome(StrEnum):
    """What became of a retirement or of taking in an orphan."""

    OK = "ok"
    REFUSED = "refused"
    HALTED = "halted"
    """A safety limit is exceeded; all destroying of the provider is stopped."""
    KNOWN = "known"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Charge:
    """A failed clone, charged to an on-demand request; `most` charges on one VM fail the request."""

    error: str
    most: int


@dataclass(frozen=True, slots=True)
class Destruction:
    """A VM that this manager is to destroy."""

    name: str
    pool: str
    provider: str
    provider_id: str
    """Empty when no `create` was ever confirmed."""
    attempt: str
    asked: bool
    """The provider may have been asked to create it."""
    tries: int
    waiting: timedelta
    """Since it was completed."""
    reason: str
    user: str


class Retirement:
    """Each method is one round trip, and safe to repeat with the same operation."""

    def __init__(self, scripts: Scripts, *, data_ttl: timedelta) -> None:
        self._scripts = scripts
        self._data_ttl = data_ttl

    async def retire(
        self,
        vm: str,
        state: VmState,
        *,
        operation: str,
        reason: str,
        guard: Guard = Guard.NONE,
        bound: int | datetime = 0,
        delay: timedelta = timedelta(0),
        charge: Charge | None = None,
    ) -> Outcome:
        """Leave a VM in this state to destruction, `delay` from now, unless the guard says no.

        A `charge` is made to the request that the pool would have served next.
        """
        charged = (charge.error, charge.most) if charge else ()
        limit = to_ms(bound) if isinstance(bound, datetime) else bound
        return Outcome(
            await self._scripts.run(
                "retire", operation, vm, state, reason, duration_ms(delay), guard, limit, *charged
            )
        )

    async def adopt_orphan(
        self,
        vm: str,
        *,
        pool: str,
        provider: str,
        domain: str,
        provider_id: str,
        attempt: str,
        generation: str,
        bound: int,
    ) -> Outcome:
        """Leave an orphan to destruction: at most `bound` of a provider in ten minutes."""
        return Outcome(
            await self._scripts.run(
                "adopt_orphan", vm, pool, provider, domain, provider_id, attempt, generation, bound
            )
        )

    async def claim(
        self, names: Sequence[str], *, operation: str, manager: str, lease: timedelta
    ) -> list[Destruction]:
        """Take over the destruction of those that are due."""
        flat = await self._scripts.run("claim_destruction", operation, manager, duration_ms(lease), *names)
        return [_doomed(flat[at : at + 10]) for at in range(0, len(flat), 10)]

    async def destroyed(self, vm: str, attempt: str, *, provider_id: str) -> bool:
        """Note that the provider has no such VM any more; the id is empty when none was found.

        False: it isn't being destroyed (any more), or it has another id by now and is due again.
        """
        kept = max(1, int(self._data_ttl.total_seconds()))
        reply = await self._scripts.run("note_destroyed", vm, attempt, provider_id, kept)
        return bool(reply == "ok")

    async def defer(
        self, vm: str, *, manager: str, delay: timedelta, tries: int = 0, error: str = ""
    ) -> None:
        """Try a claimed destruction again later; with an error, `tries` have failed so far."""
        await self._scripts.run("defer_destruction", vm, manager, duration_ms(delay), error, tries)

    async def mark_suspect(self, pool: str, names: Sequence[str]) -> list[str]:
        """Set ready VMs aside that listings miss. Gives those that are set aside now."""
        moved: list[str] = await self._scripts.run("mark_suspect", pool, "suspect", *names)
        return moved

    async def clear_suspect(self, pool: str, names: Sequence[str]) -> list[str]:
        """Put suspects back among the ready VMs. Gives those that are ready now."""
        moved: list[str] = await self._scripts.run("mark_suspect", pool, "ready", *names)
        return moved

    async def resume_deletion(self, provider: str) -> int:
        """Allow destroying again because an operator says so.

        The VMs that are known by now to be missing or unknown there are beside the safety limits for a day.
        Gives how many these are.
        """
        return int(await self._scripts.run("resume_deletion", provider))

    async def resume_when_whole(self, provider: str, *, whole: str) -> bool:
        """Allow destroying again because a listing is whole: `whole` is `absent POOL` or `orphan POOL`.

        Gives whether nothing is halted now.
        """
        return bool(await self._scripts.run("resume_when_whole", provider, whole))


def _doomed(values: Sequence[str]) -> Destruction:
    name, pool, provider, provider_id, attempt, phase, tries, waiting, reason, user = values
    return Destruction(
        name=name,
        pool=pool,
        provider=provider,
        provider_id=provider_id,
        attempt=attempt,
        asked=phase != "reserved",
        tries=int(tries),
        waiting=timedelta(milliseconds=int(waiting)),
        reason=reason,
        user=user,
    )
