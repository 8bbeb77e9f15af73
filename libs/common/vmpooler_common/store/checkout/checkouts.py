"""Checking VMs out and releasing them: what the API does to the store."""

import secrets
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from vmpooler_common.model.allowance import NO_CLIENT, Allowance, Client
from vmpooler_common.model.overrides import read_size
from vmpooler_common.model.problem import read_pause, read_problem
from vmpooler_common.model.vm import ClonePhase, VmRecord, VmState
from vmpooler_common.store.access.tokens import TOKEN_UNKNOWN, token_digest
from vmpooler_common.store.checkout.idempotency import IdempotencyKey, digest_of_order
from vmpooler_common.store.checkout.values import (
    Checkout,
    Grant,
    Hold,
    LineItem,
    Return,
    WaitOptions,
)
from vmpooler_common.store.core.connection import RedisConnection, Reply, check
from vmpooler_common.store.core.errors import (
    GrantOver,
    KeyReused,
    NoneReady,
    NoSuchVm,
    NotOwner,
    NotReplicated,
    PoolShortage,
    QuotaExceeded,
    StillWaiting,
    StoreUnavailable,
    UnknownToken,
    not_running,
)
from vmpooler_common.store.core.keys import Keys
from vmpooler_common.store.core.scripts import Scripts, read_named
from vmpooler_common.store.core.times import duration_ms, from_ms, from_ms_or_none, to_ms
from vmpooler_common.store.tasks.tasks import tasks_of

_TAG = "tag:"
"""Before the name of a tag in a record."""
_TICKETS_PER_CALL = 500


class Checkouts:
    """Each method is one round trip, and safe to repeat with the same operation."""

    def __init__(
        self,
        connection: RedisConnection,
        scripts: Scripts,
        keys: Keys,
        *,
        wait_replicas: int,
        wait_timeout: timedelta,
    ) -> None:
        self._connection = connection
        self._scripts = scripts
        self._keys = keys
        self._wait_replicas = wait_replicas
        self._wait_timeout = wait_timeout

    async def check_out(
        self,
        items: Sequence[LineItem],
        *,
        operation: str,
        lifetime: timedelta | None,
        token: str | None = None,
        key: IdempotencyKey | None = None,
        wait: WaitOptions | None = None,
        client: Client = NO_CLIENT,
    ) -> Checkout:
        """Check out all items, or nothing. A lifetime of None never ends.

        What was granted under the same key of the same caller within an hour is given again. VMs that
        are owed to checkouts that wait are not taken. With `wait` the operation gets a ticket where
        full pools could meet the line items: `renew` it, and ask again with the same operation.

        Raises UnknownToken, NoneReady, StillWaiting, QuotaExceeded, KeyReused, GrantOver, NotReplicated,
        StoreUnavailable.
        After StoreUnavailable the VMs may have been checked out: `cancel` the operation, which also gives
        its ticket up.
        """
        owner = token_digest(token)
        # The same order in another sequence may have been granted under the key: names are numbered by both.
        numbered = sorted(items, key=lambda item: item.name) if key else items
        command = self._scripts.command(
            "checkout",
            operation,
            owner,
            _lifetime_ms(lifetime),
            _lifetime_ms(client.lifetime_with_token),
            secrets.randbits(31),
            key.digest(owner) if key else "",
            digest_of_order((item.name, item.count) for item in items) if key else "",
            ("last" if wait.is_last else "wait") if wait else "",
            duration_ms(wait.hold) if wait else 0,
            client.allowance.waiting_checkouts,
            client.name,
            client.allowance.running_vms,
            len(items),
            *_line_items(numbered),
            *([text for pool in wait.sizes.items() for text in pool] if wait else ()),
        )
        commands = [command]
        if self._wait_replicas:
            commands.append(("WAIT", self._wait_replicas, duration_ms(self._wait_timeout)))
        replies = await self._scripts.run_all(commands)
        checkout = _checkout(replies[0], numbered, client.allowance)
        if key:
            places = {item.name: place for place, item in enumerate(items)}
            grants = tuple(sorted(checkout.grants, key=lambda grant: places[grant.name]))
            checkout = replace(checkout, grants=grants)
        if self._wait_replicas and replies[1] < self._wait_replicas:
            await self.cancel(operation, reason="not replicated")
            raise NotReplicated(
                f"{replies[1]} of {self._wait_replicas} replicas acknowledged the grant within "
                f"{self._wait_timeout.total_seconds():g} s",
                pools=[grant.pool for grant in checkout.grants],
            )
        return checkout

    async def renew(self, tickets: Mapping[str, str], *, pools: Iterable[str]) -> list[Hold]:
        """Renew tickets (operation -> address of its client) in the queues of these pools, for ten seconds.

        Gives those that hold VMs back now.
        """
        queues, pairs = list(pools), [list(pair) for pair in tickets.items()]
        replies = await self._scripts.run_all(
            self._scripts.command_named(
                "renew_tickets", pools=queues, tickets=pairs[at : at + _TICKETS_PER_CALL]
            )
            for at in range(0, len(pairs), _TICKETS_PER_CALL)
        )
        return [
            Hold(one["operation"], one["user"] or None, from_ms(int(one["until"])), one["pools"])
            for reply in replies
            for one in read_named(reply)
        ]

    async def cancel(self, operation: str, *, reason: str) -> list[str]:
        """Undo a checkout or request whose answer was lost, or keep it from happening.

        It undoes checkouts and openings of on-demand requests, within ten minutes. Gives the VMs' names.
        VMs that were reported to another request, under the same Idempotency-Key, stay checked out.
        """
        return list((await self._scripts.fetch("cancel", operation=operation, reason=reason))["vms"])

    async def release(
        self,
        vm: str,
        *,
        operation: str,
        token: str | None = None,
        reason: str = "returned",
        only_owner: bool = False,
        admins: Collection[str] = (),
    ) -> Return:
        """End a user's use of a VM. One that was taken with a token needs one.

        With `only_owner` it has to be of the same user, or of one of the `admins`; else any that is known.
        Raises NoSuchVm, UnknownToken, NotOwner, StoreUnavailable.
        """
        match await self._scripts.run(
            "release", operation, vm, token_digest(token), reason, int(only_owner), *admins
        ):
            case ["ok", pool, provider_id, user, build_url]:
                return Return(vm, pool, provider_id, user or None, build_url)
            case ["unauthorized"]:
                raise UnknownToken("this VM was taken with a token: return it with one of the same user")
            case ["foreign"]:
                raise NotOwner("this VM was taken by another user, who returns it, or an admin")
            case _:
                raise NoSuchVm(not_running(vm))

    async def reinstate(
        self, vm: str, *, operation: str, provider_id: str, user: str | None, ends_at: datetime | None
    ) -> bool:
        """Give a ready VM back to whom its tag in the cloud names; the grant was lost. False: it isn't ready.

        The user is None for nobody known, the end None for never. Raises StoreUnavailable.
        """
        ends = to_ms(ends_at) if ends_at else ""
        outcome = await self._scripts.run_named(
            "reinstate", operation=operation, vm=vm, provider_id=provider_id, user=user or "", ends=ends
        )
        return bool(outcome == "ok")

    async def look_up(self, vm: str) -> tuple[VmRecord | None, datetime]:
        """Give what is known of a VM, and the store's time. Raises StoreUnavailable."""
        fields, now = await self._connection.call(("HGETALL", self._keys("vm", vm)), ("TIME",))
        seconds, microseconds = check(now)
        flat = check(fields)
        stored = dict(zip(flat[::2], flat[1::2], strict=True))
        record = record_of(vm, stored) if stored.get("state") else None
        return record, from_ms(int(seconds) * 1000 + int(microseconds) // 1000)


def _shortages(flat: Sequence[Reply]) -> Iterator[PoolShortage]:
    for at in range(0, len(flat), 8):
        pool, size, ready, free, pending, broken, problem, pause = flat[at : at + 8]
        yield PoolShortage(
            pool=pool,
            size=read_size(size),
            ready=ready,
            free=free,
            pending=pending,
            broken=broken,
            problem=read_problem(problem),
            pause=read_pause(pause),
        )


def _grants(flat: Sequence[Reply], items: Sequence[LineItem]) -> Iterator[Grant]:
    for at in range(0, len(flat), 5):
        number, vm, pool, domain, provider_id = flat[at : at + 5]
        yield Grant(items[int(number)].name, vm, pool, domain, provider_id)


def record_of(name: str, stored: dict[str, str]) -> VmRecord:
    """Make the record's value from its stored fields."""
    phase = stored.get("phase")
    return VmRecord(
        name=name,
        state=VmState(stored["state"]),
        pool=stored["pool"],
        provider=stored["provider"],
        domain=stored.get("domain", ""),
        provider_id=stored.get("id"),
        attempt=stored.get("attempt"),
        phase=ClonePhase(phase) if phase else None,
        reserved_at=from_ms_or_none(stored.get("reserved")),
        ready_at=from_ms_or_none(stored.get("ready")),
        checked_out_at=from_ms_or_none(stored.get("checkout")),
        ends_at=from_ms_or_none(stored.get("ends")),
        completed_at=from_ms_or_none(stored.get("completed")),
        gone_at=from_ms_or_none(stored.get("gone")),
        user=stored.get("user") or None,
        has_token=bool(stored.get("token")),
        ip=stored.get("ip"),
        host=stored.get("host"),
        is_migrated="migrated" in stored,
        reason=stored.get("reason"),
        tags={field[len(_TAG) :]: stored[field] for field in sorted(stored) if field.startswith(_TAG)},
        tasks=tasks_of(stored),
    )


def _line_items(items: Sequence[LineItem]) -> Iterator[str | int | float]:
    for item in items:
        yield from (item.count, len(item.pools))
        for pool, weight in item.pools:
            yield from (pool, weight)


def _checkout(reply: Reply, items: Sequence[LineItem], allowance: Allowance) -> Checkout:
    """Read the script's answer about these items. Raises what `check_out` does."""
    match reply:
        case ["ok" | "again" as kind, user, _, _, *grants]:
            return Checkout(user or None, tuple(_grants(grants, items)), is_repeated=kind == "again")
        case ["empty", number, *facts]:
            raise NoneReady(items[number].name, tuple(_shortages(facts)))
        case ["waits", number, turn, *beyond]:
            raise StillWaiting(items[number].name, turn=turn, beyond=beyond)
        case ["limit", user, what, has, would_have]:
            raise QuotaExceeded(
                what, user=user or None, has=has, would_have=would_have, allowed=getattr(allowance, what)
            )
        case ["unauthorized"]:
            raise UnknownToken(TOKEN_UNKNOWN)
        case ["other"]:
            raise KeyReused("this Idempotency-Key was used for another order")
        case ["over"]:
            raise GrantOver("the VMs that were handed out under this Idempotency-Key are yours no longer")
    raise StoreUnavailable("the checkout was given up before Redis ran it", kind="timeout")


def _lifetime_ms(lifetime: timedelta | None) -> int:
    """Give a lifetime as scripts take it: 0 for one without an end."""
    return duration_ms(lifetime) if lifetime else 0
