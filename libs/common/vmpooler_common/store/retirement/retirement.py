"""The end of a VM: out of its pool, destroyed, gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vmpooler_common.model.vm import Guard, VmState
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms, to_ms


class Outcome(StrEnum):
    """What became of a retirement or of adopting an orphan."""

    OK = "ok"
    REFUSED = "refused"
    DELETION_PAUSED = "deletion_paused"
    """A safety limit is exceeded; nothing of the provider is destroyed."""
    KNOWN = "known"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class FailedAttempt:
    """A failed clone of the next item that a pool serves; `most` of them on one item fail its request."""

    error: str
    most: int | None
    """None: the clone failed for want of room, which is told and doesn't count."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What must still be true when a VM is retired, since the plan may be old; see `retire.lua`."""

    guard: Guard = Guard.NONE
    bound: int | datetime | timedelta = 0


@dataclass(frozen=True, slots=True)
class Orphan:
    """A VM with our tag and without a record."""

    name: str
    pool: str
    provider: str
    domain: str
    provider_id: str
    attempt: str
    generation: str
    """The last two are from its tag."""


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
    user: str | None


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
        condition: Condition = Condition(),
        delay: timedelta = timedelta(0),
        failed_attempt: FailedAttempt | None = None,
    ) -> Outcome:
        """Leave a VM in this state to destruction, `delay` from now, when the condition holds.

        A `failed_attempt` is noted with the item that the pool would have served next.
        """
        bound = condition.bound
        match bound:
            case datetime():
                limit = to_ms(bound)
            case timedelta():
                limit = duration_ms(bound)
            case _:
                limit = bound
        return Outcome(
            await self._scripts.run_named(
                "retire",
                operation=operation,
                vm=vm,
                state=state,
                reason=reason,
                delay=duration_ms(delay),
                guard=condition.guard,
                bound=limit,
                error=failed_attempt.error if failed_attempt else "",
                most_failures=""
                if failed_attempt is None or failed_attempt.most is None
                else failed_attempt.most,
            )
        )

    async def adopt_orphan(
        self,
        orphan: Orphan,
        *,
        bound: int,
    ) -> Outcome:
        """Leave an orphan to destruction: at most `bound` of a provider in ten minutes."""
        return Outcome(
            await self._scripts.run_named(
                "adopt_orphan",
                vm=orphan.name,
                pool=orphan.pool,
                provider=orphan.provider,
                domain=orphan.domain,
                provider_id=orphan.provider_id,
                attempt=orphan.attempt,
                generation=orphan.generation,
                bound=bound,
            )
        )

    async def claim(
        self, names: Sequence[str], *, operation: str, manager: str, lease: timedelta
    ) -> list[Destruction]:
        """Take over the destruction of those that are due."""
        claimed = await self._scripts.fetch(
            "claim_destruction", operation=operation, manager=manager, lease=duration_ms(lease), vms=names
        )
        return [_destruction(**one) for one in claimed]

    async def destroyed(self, vm: str, attempt: str, *, provider_id: str) -> bool:
        """Note that the provider has no such VM any more; the id is empty when none was found.

        False: it isn't being destroyed (any more), or it has another id by now and is due again.
        """
        kept = max(1, int(self._data_ttl.total_seconds()))
        reply = await self._scripts.run_named(
            "note_destroyed", vm=vm, attempt=attempt, provider_id=provider_id, keep=kept
        )
        return bool(reply == "ok")

    async def defer(
        self, vm: str, *, manager: str, delay: timedelta, tries: int = 0, error: str = ""
    ) -> None:
        """Try a claimed destruction again later; with an error, `tries` have failed so far."""
        await self._scripts.run_named(
            "defer_destruction", vm=vm, manager=manager, delay=duration_ms(delay), error=error, tries=tries
        )

    async def mark_suspect(self, pool: str, names: Sequence[str]) -> list[str]:
        """Set ready VMs aside that listings miss. Gives those that are set aside now."""
        moved: list[str] = await self._scripts.run_named("mark_suspect", pool=pool, to="suspect", vms=names)
        return moved

    async def clear_suspect(self, pool: str, names: Sequence[str]) -> list[str]:
        """Put suspects back among the ready VMs. Gives those that are ready now."""
        moved: list[str] = await self._scripts.run_named("mark_suspect", pool=pool, to="ready", vms=names)
        return moved

    async def resume_when_whole(self, provider: str, *, whole: str) -> bool:
        """Resume deletion because a listing is whole: `whole` is `absent POOL` or `orphan POOL`.

        Gives whether deletion isn't paused now.
        """
        return bool(await self._scripts.run_named("resume_when_whole", provider=provider, whole=whole))


def _destruction(*, phase: str, tries: str, waiting: str, user: str, **facts: str) -> Destruction:
    return Destruction(
        asked=phase != "reserved",
        tries=int(tries),
        waiting=timedelta(milliseconds=int(waiting)),
        user=user or None,
        **facts,
    )
