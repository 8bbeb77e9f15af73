"""Brings VMs into the states that tests start from, by the store's own verbs."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from redis.asyncio import Redis

from tests.store.dataset import Dataset, ask, read_dataset
from vmpooler_common.model.allowance import Client
from vmpooler_common.model.pool import UntaggedVm
from vmpooler_common.model.vm import VmState
from vmpooler_common.store.access.tokens import KnownUser, LoginAttempt, token_digest
from vmpooler_common.store.checkout.values import LineItem
from vmpooler_common.store.clones.clones import Reservation
from vmpooler_common.store.core.connection import check
from vmpooler_common.store.managers.leases import Offer
from vmpooler_common.store.pools.overrides import Permission
from vmpooler_common.store.store import Store

LEASE = timedelta(seconds=30)
PROVIDER = "dummy"
DOMAIN = "example.test"
MANAGER = "manager-1"
HERE = "127.0.0.1"
"""The address of the API tests' clients."""
ALICE_HERE = LoginAttempt("alice", HERE)
ALICE = KnownUser("alice", ALICE_HERE)


def reservation(
    pool: str, *, size: int = 1000, slots: int = 1000, request_slots: int = 1000, in_round: int = 0
) -> Reservation:
    """What names are reserved for, with generous bounds."""
    life = timedelta(minutes=10)
    return Reservation(pool, PROVIDER, DOMAIN, size, slots, request_slots, life, in_round)


def attempt_of(vm: str) -> str:
    """The attempt under which a fleet makes a VM."""
    return f"attempt-{vm}"


def want(name: str, count: int = 1, *pools: str) -> LineItem:
    """A want with equal weights; of the pool with this name when no pools are named."""
    return LineItem(name, count, tuple((pool, 1) for pool in pools or (name,)))


def untagged(vm: str, *, ends_at: datetime | None = None) -> UntaggedVm:
    """A running VM of a fleet as a manager sees it that notes its owner and this end in the cloud."""
    return UntaggedVm(vm, PROVIDER, f"id-{vm}", attempt_of(vm), "", ends_at)


def serving(
    pools: Iterable[str], *, broken: Iterable[str] = (), providers: Iterable[str] = ("dummy",)
) -> Offer:
    """Offer to serve pools, and these providers'; of its configuration, `broken` can't be served."""
    return Offer({**dict.fromkeys(pools, True), **dict.fromkeys(broken, False)}, set(providers))


@dataclass(frozen=True)
class Fleet:
    """VMs of one store. Every method names the VMs that it makes, all of one pool."""

    store: Store
    client: "Redis"
    prefix: str

    async def reserved(self, pool: str, *vms: str) -> None:
        """Pending, `create` not sent."""
        pairs = [(vm, attempt_of(vm)) for vm in vms]
        got = await self.store.clones.reserve(
            reservation(pool, in_round=await self.round(pool)),
            pairs,
            operation=f"reserve-{vms[0]}",
            manager=MANAGER,
            lease=LEASE,
        )
        assert got == list(vms)

    async def creating(self, pool: str, *vms: str) -> None:
        """Pending, `create` may have been sent."""
        await self.reserved(pool, *vms)
        begin = self.store.clones.begin
        await asyncio.gather(
            *(begin(vm, operation=f"begin-{vm}", manager=MANAGER, lease=LEASE) for vm in vms)
        )

    async def created(self, pool: str, *vms: str, cloned: bool = True) -> None:
        """Pending, known to the provider."""
        await self.creating(pool, *vms)
        await asyncio.gather(
            *(
                self.store.clones.created(
                    vm, attempt_of(vm), provider_id=f"id-{vm}", ip="192.0.2.1", host="host-1", cloned=cloned
                )
                for vm in vms
            )
        )

    async def managed(self, *pools: str) -> None:
        """Have a manager live for an hour that holds these pools."""
        await self.store.leases.heartbeat(
            MANAGER, lease=timedelta(hours=1), offer=serving(pools), working_on=[]
        )

    async def ready(self, pool: str, *vms: str) -> None:
        """Ready; those named first are the oldest, at least when made by calls of their own."""
        await self.created(pool, *vms)
        promote = self.store.clones.promote
        await asyncio.gather(*(promote(vm, attempt_of(vm), operation=f"promote-{vm}") for vm in vms))

    async def left(self, pool: str, *vms: str) -> None:
        """Ready, in a pool that no manager is configured for any more."""
        await self.ready(pool, *vms)
        await self.store.leases.heartbeat(MANAGER, lease=LEASE, offer=serving([]), working_on=[])

    async def suspect(self, pool: str, *vms: str) -> None:
        """Ready, but missed by listings."""
        await self.ready(pool, *vms)
        assert await self.store.retirement.mark_suspect(pool, vms) == list(vms)

    async def stale(self, pool: str, *vms: str) -> None:
        """Ready when the pool was drained, and not retired yet."""
        await self.ready(pool, *vms)
        await self.drain(pool)

    async def drain(self, pool: str) -> None:
        """Begin a new round of the pool."""
        operation = f"drain-{pool}-{await self.round(pool)}"
        await self.store.overrides.drain([pool], permission=Permission(), operation=operation)

    async def round(self, pool: str) -> int:
        """Give the pool's round."""
        (found,) = await self.store.connection.call(("HGET", f"{self.prefix}:revisions", pool))
        return int(check(found) or 0)

    async def running(
        self, pool: str, *vms: str, lifetime: timedelta | None = None, token: str | None = None
    ) -> None:
        """Handed out together by the operation `take-` and the first name; the pool has no older ready VM."""
        await self.ready(pool, *vms)
        checkout = await self.store.checkouts.check_out(
            [want(pool, len(vms))],
            operation=f"take-{vms[0]}",
            lifetime=lifetime,
            token=token,
            client=Client(lifetime_with_token=lifetime),
        )
        assert sorted(grant.vm for grant in checkout.grants) == sorted(vms)

    async def completed(self, pool: str, *vms: str) -> None:
        """Given up while they were ready; due for destruction at once."""
        await self.ready(pool, *vms)
        retire = self.store.retirement.retire
        await asyncio.gather(
            *(retire(vm, VmState.READY, operation=f"retire-{vm}", reason="test") for vm in vms)
        )

    async def destroying(self, pool: str, *vms: str) -> None:
        """Being destroyed by this fleet's manager."""
        await self.completed(pool, *vms)
        claimed = await self.store.retirement.claim(
            vms, operation=f"claim-{vms[0]}", manager=MANAGER, lease=LEASE
        )
        assert [to_destroy.name for to_destroy in claimed] == list(vms)

    async def gone(self, pool: str, *vms: str) -> None:
        """Destroyed; the record is still there."""
        await self.destroying(pool, *vms)
        for vm in vms:
            assert await self.store.retirement.destroyed(vm, attempt_of(vm), provider_id=f"id-{vm}")

    async def token(self, token: str, user: str) -> None:
        """Make a token known."""
        key = f"{self.prefix}:token:{token_digest(token)}"
        await ask(self.client, "HSET", key, "user", user, "created", "1700000000000")

    async def failed_login(self, user: str, *, address: str = HERE) -> None:
        """Have a login with this name fail, and count without end: a test may take as long as it likes."""
        kept: list[int] = []
        while not any(kept):  # a second may go by in between
            await self.store.tokens.note_failed_login(LoginAttempt(user, address), operation=f"login-{user}")
            keys = await ask(self.client, "KEYS", f"{self.prefix}:failed:*")
            kept = [await ask(self.client, "PERSIST", key) for key in keys]

    async def forget_failed_logins(self) -> None:
        """Do what the next second does: failed logins don't count any more."""
        for key in await ask(self.client, "KEYS", f"{self.prefix}:failed:*"):
            await ask(self.client, "DEL", key)

    async def dataset(self) -> Dataset:
        """Read everything that Redis holds under this prefix."""
        return await read_dataset(self.client, self.prefix)

    async def state(self, vm: str) -> str | None:
        """Give a VM's state, or None without a record."""
        found: str | None = await ask(self.client, "HGET", f"{self.prefix}:vm:{vm}", "state")
        return found

    async def server_ms(self) -> int:
        """Give the server's time in milliseconds since the epoch."""
        seconds, microseconds = await ask(self.client, "TIME")
        return int(seconds) * 1000 + int(microseconds) // 1000


Put = Callable[[Fleet, str, str], Awaitable[None]]

SITUATIONS: dict[str, Put] = {
    "unknown": lambda fleet, pool, vm: asyncio.sleep(0),
    "reserved": lambda fleet, pool, vm: fleet.reserved(pool, vm),
    "creating": lambda fleet, pool, vm: fleet.creating(pool, vm),
    "created": lambda fleet, pool, vm: fleet.created(pool, vm),
    "ready": lambda fleet, pool, vm: fleet.ready(pool, vm),
    "suspect": lambda fleet, pool, vm: fleet.suspect(pool, vm),
    "stale": lambda fleet, pool, vm: fleet.stale(pool, vm),
    "running": lambda fleet, pool, vm: fleet.running(pool, vm),
    "completed": lambda fleet, pool, vm: fleet.completed(pool, vm),
    "destroying": lambda fleet, pool, vm: fleet.destroying(pool, vm),
    "gone": lambda fleet, pool, vm: fleet.gone(pool, vm),
}
"""Every situation that a VM can be in, and how to bring one into it."""
