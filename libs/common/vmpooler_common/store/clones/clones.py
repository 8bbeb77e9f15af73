"""New VMs: from a reserved name to a VM that can be handed out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from vmpooler_common.model.vm import VmState
from vmpooler_common.store.core.connection import Command, Reply
from vmpooler_common.store.core.scripts import Scripts
from vmpooler_common.store.core.times import duration_ms


@dataclass(frozen=True, slots=True)
class Reservation:
    """What the names are reserved for, and the bounds that are checked again while reserving."""

    pool: str
    provider: str
    domain: str
    size: int
    """VMs that the pool may have pending and ready together, beside its backlog, if none was set."""
    slot_limit: int
    """Clones in flight in the whole installation, to keep pools filled."""
    request_slot_limit: int
    """The same for on-demand requests."""
    slot_life: timedelta
    """After this time a slot is free again, whatever happened."""
    revision: int = 0
    """Round of the pool whose VMs the reserver knows how to make; in another one nothing is reserved."""


@dataclass(frozen=True, slots=True)
class Promotion:
    """What became of a booted VM."""

    took: timedelta
    """Since its name was reserved."""
    request: str = ""
    """The on-demand request that it was given to; empty when it can be handed out."""
    user: str | None = None
    waited: timedelta = timedelta(0)
    """Since that request was made."""


class Clones:
    """Each method is one round trip, and safe to repeat with the same operation or facts."""

    def __init__(self, scripts: Scripts) -> None:
        self._scripts = scripts

    async def reserve(
        self,
        reservation: Reservation,
        names: Sequence[tuple[str, str]],
        *,
        operation: str,
        manager: str,
        lease: timedelta,
    ) -> list[str]:
        """Reserve as many of the (name, attempt) pairs as the bounds allow; give the reserved names."""
        flat = [text for pair in names for text in pair]
        reserved: list[str] = await self._scripts.run(
            "reserve",
            operation,
            reservation.pool,
            reservation.provider,
            reservation.domain,
            reservation.size,
            reservation.slot_limit,
            reservation.request_slot_limit,
            manager,
            duration_ms(lease),
            duration_ms(reservation.slot_life),
            reservation.revision,
            *flat,
        )
        return reserved

    async def begin(self, vm: str, *, operation: str, manager: str, lease: timedelta) -> str | None:
        """Get leave to send `create` for a reserved name: the attempt for its tag; None: it is too late."""
        attempt: str = await self._scripts.run_named(
            "begin_create", operation=operation, vm=vm, manager=manager, lease=duration_ms(lease)
        )
        return attempt or None

    async def created(
        self, vm: str, attempt: str, *, provider_id: str, ip: str | None, host: str | None, cloned: bool
    ) -> VmState | None:
        """Note that the cloud has the VM, and whether it is done with cloning. Gives the VM's state.

        None: the record has expired or is of another attempt.
        """
        command = self._created(vm, attempt, provider_id, ip, host, cloned)
        return _state((await self._scripts.run_all([command]))[0])

    async def booted(
        self, vm: str, attempt: str, *, provider_id: str, ip: str | None, host: str | None, operation: str
    ) -> Promotion | None:
        """Do what `created` does and then `promote`, in one round trip, for a VM that is ready at once."""
        _, promoted = await self._scripts.run_all(
            [
                self._created(vm, attempt, provider_id, ip, host, True),
                self._scripts.command("promote", operation, vm, attempt),
            ]
        )
        return _promotion(promoted)

    async def promote(self, vm: str, attempt: str, *, operation: str) -> Promotion | None:
        """Make a booted VM ready, or give it to the head of its pool's backlog.

        None: it isn't pending, or goes to destruction as one of an earlier round of its pool.
        """
        return _promotion(await self._scripts.run("promote", operation, vm, attempt))

    def _created(
        self, vm: str, attempt: str, provider_id: str, ip: str | None, host: str | None, cloned: bool
    ) -> Command:
        return self._scripts.command(
            "note_created", vm, attempt, provider_id, ip or "", host or "", int(cloned)
        )


def _state(reply: Reply) -> VmState | None:
    return VmState(reply) if reply else None


def _promotion(reply: Reply) -> Promotion | None:
    match reply:
        case ["ready", took]:
            return Promotion(timedelta(milliseconds=int(took)))
        case ["running", took, request, user, waited]:
            wait = timedelta(milliseconds=int(waited))
            return Promotion(timedelta(milliseconds=int(took)), request, user or None, wait)
    return None
