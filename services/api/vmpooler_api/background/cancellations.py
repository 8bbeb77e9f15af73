"""Cancels checkouts and requests whose answer was lost: nobody knows of their VMs."""

import asyncio
from dataclasses import dataclass
from time import monotonic

import structlog

from vmpooler_common.model.events import EventName
from vmpooler_common.outages import Outage
from vmpooler_common.store.checkout.checkouts import Checkouts
from vmpooler_common.store.core.errors import StoreError

log = structlog.get_logger(__name__)

_MEMORY = 600.0
"""Seconds for which the store remembers an operation; after that nothing can be undone by its id."""
_AT_ONCE = 100
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 1.0
"""Seconds between attempts while the store doesn't answer."""


@dataclass(frozen=True, slots=True)
class _Undelivered:
    operation: str
    reason: str
    since: float


class Cancellations:
    """Cancels operations whose answer reached nobody, until the store has done it.

    These are checkouts, and on-demand requests whose id nobody was told. A cancelled operation does nothing
    any more even if it reaches the store later.
    """

    def __init__(self, checkouts: Checkouts) -> None:
        self._checkouts = checkouts
        self._pending: dict[str, _Undelivered] = {}
        self._wake = asyncio.Event()
        self._empty = asyncio.Event()
        self._empty.set()
        self._outage = Outage("cancelling what was not delivered")

    def add(self, operation: str, *, reason: str) -> None:
        """Have the VMs destroyed that this operation took, or takes. Returns at once."""
        self._pending[operation] = _Undelivered(operation, reason, monotonic())
        self._empty.clear()
        self._wake.set()

    async def run(self) -> None:
        """Work until cancelled."""
        pause = _FIRST_PAUSE
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._pending:
                if await self._cancel_some():
                    pause = _FIRST_PAUSE
                else:
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, _LONGEST_PAUSE)
            self._empty.set()

    async def drain(self, seconds: float) -> None:
        """Wait until nothing is left to do, at most so long; what is left then is logged."""
        try:
            async with asyncio.timeout(seconds):
                await self._empty.wait()
        except TimeoutError:
            log.error(  # noqa: TRY400 - the time-out says nothing more
                EventName.OPERATION_NOT_CANCELLED,
                message="the service stops; the VMs of these operations stay until their lifetime ends",
                operations=list(self._pending),
            )

    async def _cancel_some(self) -> bool:
        some = list(self._pending.values())[:_AT_ONCE]
        results = await asyncio.gather(*map(self._cancel, some))
        return all(results)

    async def _cancel(self, undelivered: _Undelivered) -> bool:
        try:
            vms = await self._checkouts.cancel(undelivered.operation, reason=undelivered.reason)
        except StoreError as error:
            self._outage.began(str(error))
            if monotonic() - undelivered.since > _MEMORY:
                del self._pending[undelivered.operation]
                log.error(  # noqa: TRY400 - the store's error is logged as an outage
                    EventName.OPERATION_NOT_CANCELLED,
                    message="the store was away for too long; its VMs stay until their lifetime ends",
                    operation=undelivered.operation,
                )
            return False
        self._outage.ended()
        del self._pending[undelivered.operation]
        log.warning(
            EventName.OPERATION_CANCELLED, operation=undelivered.operation, reason=undelivered.reason, vms=vms
        )
        return True
