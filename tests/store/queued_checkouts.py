"""Checkouts that wait in line, as tests make them: tried again by hand, and renewed by nobody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from tests.store.dataset import ask
from tests.store.fleet import Fleet
from vmpooler_common.model.allowance import NO_CLIENT, Client
from vmpooler_common.store.checkout.idempotency import IdempotencyKey
from vmpooler_common.store.checkout.values import LineItem, WaitOptions
from vmpooler_common.store.core.errors import NoneReady, StillWaiting

LARGE = 100
"""Size of every pool, unless a test says otherwise."""


@dataclass(frozen=True)
class QueuedCheckouts:
    """The checkouts of one fleet's store."""

    fleet: Fleet
    hold: timedelta = timedelta(hours=1)
    """Longer than any test."""

    async def coming(self, *pools: str, count: int = 20) -> None:
        """Have so many VMs of each pool pending, so that orders can be met soon."""
        for pool in pools:
            await self.fleet.reserved(pool, *(f"{pool}-{number}" for number in range(count)))

    async def ask(
        self,
        operation: str,
        *wants: LineItem,
        sizes: Mapping[str, int] | None = None,
        is_last: bool = False,
        token: str | None = None,
        key: str | None = None,
        client: Client = NO_CLIENT,
    ) -> list[str] | None:
        """Ask for VMs and wait for them; their names, or None while the checkout waits. Raises NoneReady."""
        all_sizes = {pool: LARGE for want in wants for pool, _ in want.pools} | dict(sizes or {})
        try:
            checkout = await self.fleet.store.checkouts.check_out(
                wants,
                operation=operation,
                lifetime=None,
                token=token,
                key=IdempotencyKey(key, "192.0.2.1") if key else None,
                wait=WaitOptions(all_sizes, hold=self.hold, is_last=is_last),
                client=client,
            )
        except StillWaiting:
            return None
        return [grant.vm for grant in checkout.grants]

    async def left_over(self, operation: str, *wants: LineItem) -> Sequence[str]:
        """Ask once more in vain; the pools that have VMs for those who come after."""
        sizes = {pool: LARGE for want in wants for pool, _ in want.pools}
        try:
            await self.fleet.store.checkouts.check_out(
                wants, operation=operation, lifetime=None, wait=WaitOptions(sizes, hold=self.hold)
            )
        except StillWaiting as refusal:
            return sorted(refusal.beyond)
        raise AssertionError("it got its VMs")

    async def take(self, operation: str, *wants: LineItem) -> list[str] | None:
        """Ask for VMs without waiting; None when they are not there, or owed to others."""
        try:
            checkout = await self.fleet.store.checkouts.check_out(wants, operation=operation, lifetime=None)
        except NoneReady:
            return None
        return [grant.vm for grant in checkout.grants]

    async def lapse(self, *operations: str) -> None:
        """Do what ten seconds without renewal do."""
        for operation in operations:
            await ask(self.fleet.client, "DEL", f"{self.fleet.prefix}:ticket:{operation}")

    async def places(self) -> set[str]:
        """Give the operations that have a place that hasn't lapsed."""
        entries = (await self.fleet.dataset()).entries
        return {name.removeprefix("ticket:") for name in entries if name.startswith("ticket:")}
